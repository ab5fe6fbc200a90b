import numpy as np
import pytest

from emotion_keras.evaluation.predictions import probability_columns
from reports.records import read_records
from reports.sections.curves import areas_table, curves_of, draw_curves


@pytest.fixture
def runs(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    return [run for run in part.runs if run.contender == "cnn@scratch"]


def of_label(run, label):
    """Whether each test text has a label, and the label's probability."""
    rows = run.predictions[run.predictions["split"] == "test"]
    column = probability_columns(run.labels)[run.labels.index(label)]
    return (rows["label"] == label).to_numpy(), rows[column].to_numpy()


def auc_by_pairs(truth, scores):
    """The share of pairs of a text with the label and one without that are ranked rightly."""
    above = scores[truth][:, None] - scores[~truth][None, :]
    return np.mean((above > 0) + 0.5 * (above == 0))


def precision_by_ranks(truth, scores):
    """Average precision: that at each text with the label, where no two scores are equal."""
    ranked = truth[np.argsort(-scores)]
    return np.mean((np.cumsum(ranked) / np.arange(1, len(ranked) + 1))[ranked])


def test_areas_are_those_of_ranks(runs):
    frame = areas_table(runs, "CNN").frame.set_index("label")
    assert list(frame.index) == runs[0].labels
    for label, row in frame.iterrows():
        of_runs = [of_label(run, label) for run in runs]
        assert row["auc"] == pytest.approx(np.mean([auc_by_pairs(*one) for one in of_runs]))
        expected = np.mean([precision_by_ranks(*one) for one in of_runs])
        assert row["precision"] == pytest.approx(expected)
        assert row["share"] == pytest.approx(of_runs[0][0].mean())


def test_curves_go_from_corner_to_corner_and_hold_the_area(runs):
    frame = curves_of(runs)
    roc = frame[frame["curve"] == "roc"]
    assert (roc["x"].iloc[0], roc["x"].iloc[-1], roc["y"].iloc[-1]) == (0, 1, 1)
    assert (np.diff(roc["y"]) >= -1e-12).all()
    areas = [auc_by_pairs(*of_label(run, label)) for run in runs for label in run.labels]
    # A hundred steps keep less than the whole curve.
    assert np.trapezoid(roc["y"], roc["x"]) == pytest.approx(np.mean(areas), abs=0.02)
    precision = frame[frame["curve"] == "precision_recall"]
    assert (np.diff(precision["y"]) <= 1e-12).all()
    shares = [of_label(run, label)[0].mean() for run in runs for label in run.labels]
    # Whoever finds all of a label is right at least as often as by chance.
    assert precision["y"].iloc[-1] >= np.mean(shares) - 1e-9


@pytest.mark.parametrize("curve", ["roc", "precision_recall"])
def test_models_are_named_beside_their_curves(runs, curve):
    frame = curves_of(runs).assign(contender="cnn@scratch")
    (axes,) = draw_curves(frame, curve).axes
    assert [text.get_text() for text in axes.texts] == ["CNN\n(from scratch)"]
    own = frame[frame["curve"] == curve]
    drawn = [line for line in axes.lines if not line.get_label().startswith("_")]
    assert drawn[0].get_ydata().tolist() == own["y"].tolist()
