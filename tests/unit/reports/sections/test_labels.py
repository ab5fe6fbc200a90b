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
    draw_tree,
    label_table,
    label_tree,
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


def test_confusion_has_true_labels_in_rows():
    frame = pd.DataFrame([[8, 2], [1, 3]], index=["joy", "fear"], columns=["joy", "fear"])
    axes = draw_confusion(frame).axes[0]
    assert texts(axes) == ["80", "20", "25", "75"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["joy", "fear"]
    assert axes.get_ylabel() == "true label" and axes.yaxis_inverted()


def test_f1_stands_by_model_and_label():
    frame = pd.DataFrame(
        {
            "contender": ["cnn@scratch", "cnn@scratch", "majority", "majority"],
            "label": ["joy", "fear", "joy", "fear"],
            "f1_mean": [0.8, 0.7, 0.25, np.nan],
        }
    )
    axes = draw_labels(frame).axes[0]
    assert texts(axes) == ["80", "70", "25"]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["CNN (from scratch)", "Majority"] and axes.yaxis_inverted()


CONFUSED = pd.DataFrame(
    [[80, 10, 8, 2], [20, 60, 10, 10], [4, 4, 42, 0], [3, 1, 1, 95]],
    index=["shame", "guilt", "anger", "joy"],
    columns=["shame", "guilt", "anger", "joy"],
)


def test_labels_join_by_how_often_they_are_taken_for_each_other():
    # Shares of shame and guilt: 10 and 20 %, mean 15; anger with shame 8 and 8, with guilt 10 and
    # 8: 8 and 9, mean 8.5; joy with shame 2 and 3, guilt 10 and 1, anger 0 and 1: 2.5, 5.5 and 0.5.
    joined = label_tree(CONFUSED)
    assert joined[:, 2] == pytest.approx([0.85, 0.915, 1 - np.mean([0.025, 0.055, 0.005])])
    assert set(joined[0, :2]) == {0, 1} and joined[:, 3].tolist() == [2, 3, 4]


def test_the_tree_names_every_label_and_goes_from_most_confused_to_least():
    (axes,) = draw_tree(CONFUSED).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert sorted(names) == sorted(CONFUSED.index)
    assert abs(names.index("shame") - names.index("guilt")) == 1
    joins = sorted(min(line.get_xdata()) for line in axes.lines)
    assert joins == pytest.approx([0.0283, 0.085, 0.15], abs=1e-4)
    left, right = axes.get_xlim()
    assert left > 0.15 > right == 0


def test_a_model_that_confuses_nothing_has_a_tree_as_well():
    frame = pd.DataFrame(np.diag([3, 3, 3]), index=list("abc"), columns=list("abc"))
    left, right = draw_tree(frame).axes[0].get_xlim()
    assert left > right == 0
