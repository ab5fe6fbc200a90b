import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.records import read_records
from reports.sections.labels import (
    confusion_frame,
    confusion_table,
    draw_confusion,
    draw_labels,
    label_table,
)
from tests.fixtures.records import ISEAR


def f1_by_jackknife(runs, label):
    """Mean F1 of a label and its 95 % interval over texts and seeds, without each text in turn."""
    tested = [run.predictions[run.predictions["split"] == "test"] for run in runs]
    truth = (tested[0]["label"] == label).to_numpy()
    said = np.array([(rows["predicted"] == label).to_numpy() for rows in tested])

    def f1(texts):
        return 2 * (said & truth)[:, texts].sum(1) / (said[:, texts].sum(1) + truth[texts].sum())

    every = np.arange(len(truth))
    without = [f1(np.delete(every, text)).mean() for text in every]
    of_texts = (len(every) - 1) / len(every) * np.sum((without - np.mean(without)) ** 2)
    of_seeds = f1(every).var(ddof=1) / len(runs)
    freedom = (of_texts + of_seeds) ** 2 / (
        of_texts**2 / (len(every) - 1) + of_seeds**2 / (len(runs) - 1)
    )
    half = stats.t.ppf(0.975, freedom) * np.sqrt(of_texts + of_seeds)
    return f1(every).mean(), f1(every).mean() - half, f1(every).mean() + half


def test_labels_have_their_f1_with_interval(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    runs = [run for run in part.runs if run.contender == "cnn@scratch"]
    table, frame = label_table({"cnn@scratch": runs})
    for label in ISEAR["labels"]:
        mean, low, high = f1_by_jackknife(runs, label)
        (row,) = frame[frame["label"] == label].to_dict("records")
        assert row["f1_mean"] == pytest.approx(mean)
        # A label has a dozen texts: without one of them F1 moves a little more than in proportion.
        assert [row["f1_low"], row["f1_high"]] == pytest.approx([low, high], abs=0.02)
        half = 100 * (row["f1_high"] - row["f1_mean"])
        assert table.shown[label].tolist() == [f"{100 * mean:.1f} ±{half:.1f}"]


def test_confusion_is_added_up_over_runs(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    runs = [run for run in part.runs if run.contender == "cnn@scratch"]
    frame = confusion_frame(runs)
    expected = pd.concat(run.predictions[run.predictions["split"] == "test"] for run in runs)
    for label in frame.index:
        for predicted in frame.columns:
            count = ((expected["label"] == label) & (expected["predicted"] == predicted)).sum()
            assert frame.loc[label, predicted] == count
    shown = confusion_table(runs, "cnn@scratch").shown
    joy = frame.loc["joy"]
    assert shown.loc[0, "joy"] == f"{joy['joy']} ({100 * joy['joy'] / joy.sum():.1f})"


def texts(axes):
    return [text.get_text() for text in axes.texts]


def legend(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize(
    "shares, expected", [(False, ["8", "2", "1", "3"]), (True, ["80", "20", "25", "75"])]
)
def test_confusion_has_true_labels_in_rows(shares, expected):
    frame = pd.DataFrame([[8, 2], [1, 3]], index=["joy", "fear"], columns=["joy", "fear"])
    axes = draw_confusion(frame, shares).axes[0]
    assert texts(axes) == expected
    assert [label.get_text() for label in axes.get_yticklabels()] == ["joy", "fear"]
    assert axes.get_ylabel() == "true label" and axes.yaxis_inverted()


def test_labels_have_a_mark_a_contender():
    frame = pd.DataFrame(
        {
            "contender": ["a", "a", "b", "b", "c"],
            "label": ["joy", "fear", "joy", "fear", "joy"],
            "f1_mean": [0.8, 0.7, 0.6, 0.5, 0.1],
            "f1_low": [0.7, 0.6, np.nan, np.nan, 0.1],
            "f1_high": [0.9, 0.8, np.nan, np.nan, 0.1],
        }
    )
    figure = draw_labels(frame, ["a", "b"])
    marks = [line.get_xdata().tolist() for line in figure.axes[0].lines]
    assert marks == [[0.8, 0.7], [0.6, 0.5]]
    assert legend(figure) == ["a", "b"]
