"""Each check with runs that it warns about, and with runs that are as they should be."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.findings import gather
from reports.records import read_records
from reports.sections import checks
from tests.fixtures.records import ISEAR


@pytest.fixture
def found(tmp_path):
    """The findings of the runs that a test has made in `tmp_path`."""
    return lambda: gather(records := read_records(tmp_path), records.parts[0])


def write_history(directory, train, val):
    pd.DataFrame(
        {
            "epoch": range(1, len(val) + 1),
            "loss": 1.0,
            "accuracy": train,
            "val_loss": 1.0,
            "val_accuracy": val,
        }
    ).to_csv(directory / "history.csv", index=False)


@pytest.mark.parametrize("train, warns", [(0.99, True), (0.75, False)])
def test_learning_by_heart(tmp_path, make_run, found, train, warns):
    for seed in range(2):
        directory = make_run(tmp_path / "fit", "cnn@scratch", seed)
        write_history(directory, [0.5, train], [0.5, 0.6])
    check = checks.learns_by_heart(found())
    assert bool(check.warnings) is warns
    if warns:
        assert "CNN (from scratch) ends with 99.0 % right on the training" in check.warnings[0]
        assert "60.0 % on the validation split" in check.warnings[0]


@pytest.mark.parametrize(
    "val, warns",
    [([0.3, 0.5, 0.7], True), ([0.3, 0.7, 0.7], False), ([0.3, 0.7, 0.71], False)],
)
def test_stopping_early(tmp_path, make_run, found, val, warns):
    directory = make_run(tmp_path / "fit", "cnn@scratch")
    write_history(directory, [0.5] * len(val), val)
    assert bool(checks.stops_early(found()).warnings) is warns


def test_without_a_history_neither_is_known(tmp_path, make_run, found):
    (make_run(tmp_path / "fit", "cnn@scratch") / "history.csv").unlink()
    assert checks.learns_by_heart(found()) is checks.stops_early(found()) is None


@pytest.mark.parametrize("skill, warns", [(0.3, True), (0.9, False)])
def test_a_baseline_that_is_ahead(tmp_path, make_run, found, skill, warns):
    for seed in range(2):
        make_run(tmp_path / "fit", "tfidf_svm", seed, 0.9, backend="scikit-learn")
        make_run(tmp_path / "fit", "cnn@scratch", seed, skill)
    check = checks.is_beaten_by_baseline(found())
    assert check.warnings == ["TF-IDF + SVM is ahead of CNN (from scratch)."] * warns


@pytest.mark.parametrize(
    "value, tried, is_edge",
    [
        (0.4, [0.1, 0.2, 0.4], True),
        (0.1, [0.1, 0.2, 0.4], True),
        (0.2, [0.1, 0.2, 0.4], False),
        (0, [0, 1, 2], False),  # Nothing lies below.
        (2, [1, 2], False),  # Of two one is always an end.
        ("features", ["features", "none", "scalar"], False),
        (True, [True, False], False),
    ],
)
def test_an_edge_is_the_least_or_the_greatest_number(value, tried, is_edge):
    assert checks._is_at_edge(value, tried) is is_edge


def test_a_search_that_ends_at_the_edge(runs_dir):
    records = read_records(runs_dir)
    findings = gather(records, records.parts[0])
    (search,) = [
        study.files["search.json"]
        for study in findings.part.studies
        if study.files.get("search.json")
    ]
    best = max(
        (trial for trial in search["trials"] if trial["score"] is not None),
        key=lambda trial: trial["score"],
    )
    at_edge = [
        name
        for name, value in best["options"].items()
        if value in (min(search["space"][name]), max(search["space"][name]))
    ]
    said = " ".join(checks.is_at_the_edge(findings).warnings)
    for name in search["space"]:
        assert (f"{name}=" in said) is (name in at_edge)


@pytest.mark.parametrize(
    "audit, warnings",
    [
        (
            {"near_repeats": {"texts": 12, "checked": 1484, "least": 0.8}},
            ["12 of 1,484 test texts"],
        ),
        ({"near_repeats": {"texts": 7, "checked": 1484, "least": 0.8}}, []),
        ({"leaks": {"val": 0, "test": 3}}, ["3 texts of the split test"]),
        ({"leaks": {"val": 0, "test": 0}}, []),
    ],
)
def test_leaks(tmp_path, make_run, found, audit, warnings):
    directory = make_run(tmp_path / "fit", "cnn@scratch")
    (directory / "audit.json").write_text(json.dumps(audit))
    check = checks.leaks(found())
    assert len(check.warnings) == len(warnings)
    for said, expected in zip(check.warnings, warnings, strict=True):
        assert said.startswith(expected)


def test_a_label_that_is_never_given(tmp_path, make_run, change, found):
    directory = make_run(tmp_path / "fit", "cnn@scratch", labels=["joy", "fear"])
    assert checks.predicts_every_label(found()).warnings == []
    metrics = json.loads((directory / "run.json").read_text())["metrics"]
    metrics["test"]["confusion_matrix"] = [[45, 0], [45, 0]]
    change(directory, metrics=metrics)
    said = checks.predicts_every_label(found()).warnings
    assert said == ["CNN (from scratch) never answers fear."]


def test_too_few_texts_and_seeds(tmp_path, make_run, found):
    make_run(tmp_path / "fit", "cnn@scratch", 0, 0.6, **ISEAR)
    findings = found()
    said = checks.is_resolving(findings).warnings
    accuracy = findings.compared["cnn@scratch"][0].test["accuracy"]
    half = stats.t.ppf(0.975, 89) * np.sqrt(accuracy * (1 - accuracy) / 89)
    assert f"within ±{100 * half:.1f} points" in said[0] and "with one seed" in said[1]
