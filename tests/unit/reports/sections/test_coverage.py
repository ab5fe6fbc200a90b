"""Accuracy against coverage, as the report shows it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emotion_keras.evaluation.predictions import probability_columns
from reports.records import read_records
from reports.sections.coverage import (
    coverage_curves,
    coverage_table,
    draw_coverage,
    threshold_table,
)

NAME = "cnn@scratch"


@pytest.fixture(scope="module")
def runs(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    return [run for run in part.runs if run.contender == NAME]


def split(run, name):
    """How sure each answer is at the run's temperature, and whether it is right."""
    rows = run.predictions[run.predictions["split"] == name]
    probabilities = rows[probability_columns(run.labels)].to_numpy() ** (1 / run.temperature)
    confidence = probabilities.max(axis=1) / probabilities.sum(axis=1)
    return confidence, (rows["label"] == rows["predicted"]).to_numpy()


def test_the_surest_are_those_of_highest_confidence(runs):
    (row,) = coverage_table({NAME: runs}).frame.to_dict("records")
    for share, number in ((1, 90), (0.6, 54)):
        found = []
        for run in runs:
            confidence, right = split(run, "test")
            found.append(right[np.argsort(-confidence)[:number]].mean())
        assert row[f"accuracy_at_{share:g}_mean"] == pytest.approx(np.mean(found))
        assert row[f"accuracy_at_{share:g}_spread"] == pytest.approx(np.std(found, ddof=1))


def surely(right):
    return (
        stats.binomtest(int(right.sum()), len(right), alternative="greater").proportion_ci(0.9).low
    )


def test_thresholds_are_chosen_on_validation_and_measured_on_test(runs):
    table = threshold_table(runs, NAME)
    for row in table.frame.to_dict("records"):
        found = []
        for run in runs:
            confidence, right = split(run, "val")
            reached = [c for c in confidence if surely(right[confidence >= c]) >= row["asked"]]
            if reached:
                # Thresholds have four digits, and answer what is as sure as they are.
                level = np.floor(min(reached) * 1e4) / 1e4
                of_test, right = split(run, "test")
                found.append((level, (of_test >= level).mean(), right[of_test >= level].mean()))
        assert row["refused"] == len(runs) - len(found)
        if found:
            columns = ["min_confidence", "answered", "accuracy_mean"]
            assert [row[name] for name in columns] == pytest.approx(np.mean(found, axis=0))
    # Of 30 validation texts 22 that are all right make 90 %, and no number of them 95 %.
    assert table.frame["refused"].iloc[-1] == len(runs)
    assert table.shown["Accuracy"].iloc[-1] == "–"


def test_a_curve_is_a_line_with_its_band(runs):
    curves = coverage_curves({NAME: runs})
    axes = draw_coverage(curves).axes[0]
    (line,) = axes.lines
    assert line.get_xdata().tolist() == [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    assert line.get_ydata().tolist() == curves["accuracy"].tolist()
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert {curves["low"].min(), curves["high"].max()} <= set(band)


def test_runs_without_validation_predictions_are_left_out(tmp_path, make_run):
    directory = make_run(tmp_path / "fit", NAME)
    path = directory / "predictions.csv"
    rows = pd.read_csv(path)
    rows[rows["split"] == "test"].to_csv(path, index=False)
    (run,) = read_records(tmp_path).parts[0].runs
    assert run.judged is None
