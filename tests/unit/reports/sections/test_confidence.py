import numpy as np
import pandas as pd
import pytest

from emotion_keras.evaluation.predictions import probability_columns
from reports.records import read_records
from reports.sections.confidence import calibration_table, draw_confidences, draw_reliability


def test_temperature_makes_the_validation_split_likeliest(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    runs = [run for run in part.runs if run.contender == "cnn@scratch"]
    table, curves = calibration_table({"cnn@scratch": runs})
    (row,) = table.frame.to_dict("records")
    best = []
    for run in runs:
        rows = run.predictions[run.predictions["split"] == "val"]
        logits = np.log(rows[probability_columns(run.labels)].to_numpy())
        label_ids = rows["label"].map(run.labels.index).to_numpy()
        losses = {}
        for temperature in np.geomspace(0.1, 10, 400):
            scaled = np.exp(logits / temperature)
            scaled /= scaled.sum(1, keepdims=True)
            losses[temperature] = -np.log(scaled[np.arange(len(rows)), label_ids]).mean()
        best.append(min(losses, key=losses.get))
    assert row["temperature"] == pytest.approx(np.mean(best), rel=0.02)
    assert row["ece_mean"] == pytest.approx(np.mean([run.test["ece"] for run in runs]))
    before = curves[~curves["scaled"]]
    assert before["num_texts"].sum() == 3 * 90
    mean = np.average(before["accuracy"], weights=before["num_texts"])
    assert mean == pytest.approx(np.mean([run.test["accuracy"] for run in runs]))


def test_reliability_is_before_and_after_beside_the_diagonal():
    curves = pd.DataFrame(
        {
            "contender": ["a", "a", "a"],
            "scaled": [False, True, True],
            "confidence": [0.9, 0.7, 0.2],
            "accuracy": [0.6, 0.65, 1.0],
            "num_texts": [50, 50, 9],
        }
    )
    before, after = draw_reliability(curves, ["a"]).axes
    assert list(before.lines[0].get_xdata()) == list(before.lines[0].get_ydata()) == [0, 1]
    assert before.lines[1].get_xdata().tolist() == [0.9]
    assert after.lines[1].get_ydata().tolist() == [0.65]


def test_the_histogram_counts_right_and_wrong():
    frame = pd.DataFrame({"confidence": [0.52, 0.53, 0.97], "correct": [True, False, True]})
    axes = draw_confidences(frame).axes[0]
    heights = np.array([patch.get_height() for patch in axes.patches]).reshape(2, 20)
    assert heights.sum(axis=1).tolist() == [2, 1]
    assert heights[0, 10] == heights[1, 10] == heights[0, 19] == 1
    assert {patch.get_hatch() for patch in axes.patches} == {None, "////"}
