"""What runs reach at a value of a setting, against NumPy and SciPy."""

import numpy as np
import pytest
from scipy import stats

from emotion_keras import record
from emotion_keras.evaluation.predictions import write_predictions
from emotion_keras.evaluation.scores import SCORES
from emotion_keras.evaluation.sensitivity import (
    NOISE,
    read_noise,
    summarize_noise,
    summarize_runs,
)
from emotion_keras.targets import SingleLabel


@pytest.fixture
def runs(make_record, tmp_path):
    """Folders of three runs, of random scores."""
    rng = np.random.default_rng(0)
    directories = [tmp_path / f"run{i}" for i in range(3)]
    for directory in directories:
        directory.mkdir()
        run = make_record(run_id=directory.name, seed=int(directory.name[-1]))
        for scores in run["metrics"].values():
            scores.update({score: rng.random() for score in SCORES})
        record.write_run(directory, run)
    return directories


def expected(values):
    """Without predictions no interval is known, only how far seeds spread."""
    return {
        "mean": pytest.approx(np.mean(values)),
        "low": None,
        "high": None,
        "spread": pytest.approx(np.std(values, ddof=1)),
    }


def test_means_and_spreads_of_each_split(runs):
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
    assert found == {"mean": pytest.approx(value), "low": None, "high": None, "spread": None}


def test_intervals_are_over_the_texts_that_were_predicted(runs):
    rng = np.random.default_rng(0)
    right = {"val": rng.random(40) < 0.8, "test": rng.random(60) < 0.6}
    splits = {
        split: (map(str, range(len(of_split))), ["joy"] * len(of_split), shares(of_split))
        for split, of_split in right.items()
    }
    write_predictions(runs[0], SingleLabel(["joy", "fear"]), splits)
    run = record.read_run(runs[0])
    for split, of_split in right.items():
        run["metrics"][split].update(accuracy=of_split.mean(), num_examples=len(of_split))
    record.write_run(runs[0], run)
    found = summarize_runs(runs[:1])
    for split, of_split in right.items():
        low, high = stats.t.interval(
            0.95, len(of_split) - 1, of_split.mean(), stats.sem(of_split.astype(float))
        )
        ends = [found[split]["accuracy"][end] for end in ("low", "high")]
        assert ends == pytest.approx([low, high])


def shares(right):
    return np.where(right[:, None], [[0.9, 0.1]], [[0.2, 0.8]])


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
