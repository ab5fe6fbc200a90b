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


def student(values):
    """Mean and Student's 95 % interval by scipy's own function."""
    values = np.asarray(values)
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    return values.mean(), low, high


def test_labels_have_their_f1_with_interval(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    runs = [run for run in part.runs if run.contender == "cnn@scratch"]
    table, frame = label_table({"cnn@scratch": runs})
    for label in ISEAR["labels"]:
        mean, low, high = student([run.test["per_label"][label]["f1"] for run in runs])
        (row,) = frame[frame["label"] == label].to_dict("records")
        assert [row["f1_mean"], row["f1_low"], row["f1_high"]] == pytest.approx([mean, low, high])
        assert table.shown[label].tolist() == [f"{100 * mean:.1f} ±{100 * (high - mean):.1f}"]


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
