import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from scipy import stats

from reports.findings import points
from reports.records import read_records
from reports.scores import draw_curve, draw_scores, runs_of_noise, summarize


def student(values):
    """Mean and Student's 95 % interval by scipy's own function."""
    values = np.asarray(values)
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    return values.mean(), low, high


def test_summary_is_mean_and_students_interval():
    frame = pd.DataFrame(
        {
            "contender": ["a", "a", "a", "b"],
            "accuracy": [0.7, 0.72, 0.77, 0.5],
            "macro_f1": [0.6, 0.61, 0.62, 0.4],
            "auc": [0.9, np.nan, 0.9, 0.8],
        }
    )
    a, b = summarize(frame, ["contender"]).to_dict("records")
    for metric in ("accuracy", "macro_f1"):
        found = [a[f"{metric}_{end}"] for end in ("mean", "low", "high")]
        assert found == pytest.approx(student(frame[metric][:3]))
    # One run without AUC, and a single run without interval.
    assert np.isnan(a["auc_mean"])
    assert b["accuracy_mean"] == 0.5 and np.isnan(b["accuracy_low"])
    assert a["runs"] == 3 and b["runs"] == 1


def test_noise_starts_from_the_texts_as_they_are(runs_dir):
    records = read_records(runs_dir)
    part = records.parts[0]
    frame = runs_of_noise(records, points(part, "noise"))
    assert len(frame) == 3 * 2 * 3
    for run in points(part, "noise")["gated_transformer@minilm", 0.0]:
        own = frame[(frame["run"] == run.name) & (frame["level"] == 0)]
        assert own["kind"].tolist() == ["typos", "lose_case"]
        assert own["accuracy"].tolist() == [run.test["accuracy"]] * 2
    assert (
        frame["level"].tolist()
        == [0.0] * 3 + [0.1] * 3 + [0.4] * 3 + [0.0] * 3 + [0.1] * 3 + [0.4] * 3
    )


def legend(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_scores_show_every_run_mean_interval_and_paper(scored):
    summary = summarize(scored, ["contender"])
    paper, kinds = pd.Series([0.8, np.nan]), pd.Series(["from scratch", "pretrained"])
    figure = draw_scores(scored, summary, "accuracy", paper=paper, kinds=kinds)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a@scratch", "b@minilm"]
    for dots, name in zip(axes.collections, summary["contender"], strict=True):
        expected = scored.loc[scored["contender"] == name, "accuracy"]
        assert dots.get_offsets()[:, 0].tolist() == pytest.approx(expected.tolist())
    lines = [line.get_xdata() for line in axes.lines]
    for row in summary.to_dict("records"):
        ends = [row["accuracy_low"], row["accuracy_high"]]
        assert any(len(line) == 2 and np.allclose(line, ends) for line in lines)
        assert any(len(line) == 1 and np.isclose(line[0], row["accuracy_mean"]) for line in lines)
    papers = [line for line in axes.lines if line.get_label() == "the paper"]
    assert [line.get_xdata()[0] for line in papers] == [0.8]
    assert legend(figure) == ["pretrained", "from scratch", "the paper"]
    assert axes.get_xlabel() == "Accuracy on the test split, %"


def test_a_single_run_has_no_interval(scored):
    one = scored.iloc[[0]]
    figure = draw_scores(one, summarize(one, ["contender"]), "auc")
    assert [len(line.get_xdata()) for line in figure.axes[0].lines] == [1]


def test_a_curve_shows_runs_means_and_bands_on_a_logarithmic_axis(scored):
    summary = summarize(scored, ["contender", "value"])
    figure = draw_curve(scored, summary, "macro_f1", "value", "Learning rate", True)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1e-4", "1e-3"]
    assert axes.get_ylabel() == "Macro F1, %" and axes.get_xlabel() == "Learning rate"
    assert legend(figure) == ["a@scratch", "b@minilm"]
    for line, name in zip(axes.lines, ("a@scratch", "b@minilm"), strict=True):
        own = scored[scored["contender"] == name].groupby("value")["macro_f1"]
        assert line.get_xdata() == pytest.approx([1e-4, 1e-3])
        assert line.get_ydata() == pytest.approx(own.mean().to_numpy())
    bands = [c for c in axes.collections if len(c.get_paths()) == 1 and len(c.get_offsets()) <= 1]
    low = summary.loc[summary["contender"] == "a@scratch", "macro_f1_low"].min()
    assert bands[0].get_paths()[0].vertices[:, 1].min() == pytest.approx(low)
    colours = {to_hex(line.get_color()) for line in axes.lines}
    assert len(colours) == len({line.get_marker() for line in axes.lines}) == 2


def test_axes_end_where_scores_do(scored):
    # Student's interval of two runs that differ much is wider than all that there is.
    two = scored.iloc[:4].assign(seed=[0, 1, 0, 1], value=[1.0, 1.0, 2.0, 2.0])
    two["accuracy"] = [0.1, 0.9, 0.2, 0.8]
    summary = summarize(two, ["contender", "value"])
    low, high = draw_curve(two, summary, "accuracy", "value", "x").axes[0].get_ylim()
    assert (low, high) == (-0.01, 1.01)
    low, high = draw_scores(two, summary, "accuracy").axes[0].get_xlim()
    assert (low, high) == (-0.01, 1.01)
