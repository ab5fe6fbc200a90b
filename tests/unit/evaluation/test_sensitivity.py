"""What runs reach at a value of a setting, against NumPy and SciPy."""

import numpy as np
import pytest
from scipy import stats

from emotion_keras import record
from emotion_keras.evaluation.sensitivity import (
    NOISE,
    SCORES,
    read_noise,
    summarize_noise,
    summarize_runs,
)


@pytest.fixture
def runs(make_record, tmp_path):
    """Folders of three runs, of random scores."""
    rng = np.random.default_rng(0)
    directories = [tmp_path / f"run{i}" for i in range(3)]
    for directory in directories:
        directory.mkdir()
        run = make_record(run_id=directory.name)
        for scores in run["metrics"].values():
            scores.update({score: rng.random() for score in SCORES})
        record.write_run(directory, run)
    return directories


def expected(values):
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return pytest.approx({"mean": np.mean(values), "low": low, "high": high})


def test_means_and_intervals_of_each_split(runs):
    found = summarize_runs(runs)
    assert found["run_ids"] == ["run0", "run1", "run2"]
    for split in ("val", "test"):
        assert set(found[split]) == set(SCORES)
        for score in SCORES:
            values = [record.read_run(path)["metrics"][split][score] for path in runs]
            assert found[split][score] == expected(values)


def test_a_score_that_a_run_lacks_is_left_out(runs):
    run = record.read_run(runs[1])
    run["metrics"]["test"]["auc"] = None
    record.write_run(runs[1], run)
    found = summarize_runs(runs)
    assert "auc" not in found["test"] and "auc" in found["val"]


def test_one_run_has_no_interval(runs):
    found = summarize_runs(runs[:1])["test"]["accuracy"]
    value = record.read_run(runs[0])["metrics"]["test"]["accuracy"]
    assert found == {"mean": value, "low": None, "high": None}


def test_noise_is_summarized_by_kind_and_level_with_the_texts_as_they_are(runs):
    rng = np.random.default_rng(1)
    noises = [("typos", 0.2), ("typos", 0.1), ("lose_case", 1.0)]
    for number, directory in enumerate(runs):
        rows = [
            {"kind": kind, "level": level, **{score: rng.random() for score in SCORES}}
            for kind, level in noises[: 3 - number % 2]
        ]
        if number == 2:
            rows[0]["auc"] = None
        record.write_rows(directory / NOISE, rows)
        assert read_noise(directory) == rows
    found = summarize_noise(runs)
    assert [(point["kind"], point["level"], point["num_runs"]) for point in found] == [
        ("typos", 0.0, 3),
        ("typos", 0.1, 3),
        ("typos", 0.2, 3),
        ("lose_case", 0.0, 2),
        ("lose_case", 1.0, 2),
    ]
    as_they_are = [record.read_run(path)["metrics"]["test"]["accuracy"] for path in runs]
    assert found[0]["test"]["accuracy"] == expected(as_they_are)
    assert found[3]["test"]["accuracy"] == expected([as_they_are[0], as_they_are[2]])
    assert found[1]["test"]["auc"] == expected([read_noise(path)[1]["auc"] for path in runs])
    assert "auc" not in found[2]["test"]


def test_a_run_without_noise_has_no_rows(tmp_path):
    assert read_noise(tmp_path) == []
    assert summarize_noise([]) == []
