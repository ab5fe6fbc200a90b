import json
import shlex

import numpy as np
import pytest
import yaml

from reports import cards
from reports.records import read_records

pytestmark = pytest.mark.one_backend

AUDIT = {
    "words": {"p5": 6.0, "p50": 19.0, "p95": 48.0, "most": 178, "mean": 22.4},
    "repeats": {"texts": 42, "examples": 106},
    "two_labels": {"texts": 7, "examples": 17},
    "balance": {"labels": {label: {"num_in": 100} for label in ("joy", "fear", "anger")}},
    "steps": [
        {
            "step": "clean",
            "changed": 9,
            "num_in": 430,
            "num_out": 420,
            "removed": {"no answer": {"joy": 7, "fear": 3}},
        }
    ],
}


@pytest.fixture
def part(tmp_path, make_run):
    directory = make_run(tmp_path / "fit", "cnn@scratch")
    (directory / "audit.json").write_text(json.dumps(AUDIT))
    return read_records(tmp_path).parts[0]


def test_the_data_card_says_what_the_audit_found(part):
    card = cards.data_card(part.runs)
    facts = dict(card["facts"])
    assert facts["Corpus"] == "days" and facts["Licence"] == "CC0 (made for tests)"
    assert facts["Split"].startswith("300 to train, 30 to validate, 90 to test")
    assert facts["Words a text"] == (
        "median 19, mean 22.4, 5th to 95th percentile 6 to 48, longest 178"
    )
    assert facts["Exact repeats"] == "42 texts stand there 106 times"
    assert facts["Near-repeats across splits"] == "not recorded"
    path = part.runs[0].directory / "audit.json"
    near = {"texts": 12, "checked": 1484, "least": 0.8}
    path.write_text(json.dumps({**AUDIT, "near_repeats": near}))
    assert dict(cards.data_card(part.runs)["facts"])["Near-repeats across splits"] == (
        "12 of 1,484 test texts have 80 % or more of their words in common with a training text"
    )
    labels = card["labels"].shown.to_dict("records")
    assert labels[0] == {"Label": "joy", "Train": "100", "Validate": "10", "Test": "30"}
    (step,) = card["steps"].shown.to_dict("records")
    assert step["Removed"] == "10" and step["Why"] == "no answer: 10"


def test_without_an_audit_the_data_card_says_what_it_can(tmp_path, make_run):
    make_run(tmp_path / "fit", "cnn@scratch")
    card = cards.data_card(read_records(tmp_path).parts[0].runs)
    assert card["steps"] is None
    assert card["labels"].shown["Train"].tolist() == ["–"] * 3


def metadata(card):
    _, head, body = card.split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_model_card_has_the_metadata_of_hugging_face(part):
    found, body = metadata(cards.model_card(part.runs))
    assert found["library_name"] == "keras"
    assert found["pipeline_tag"] == "text-classification"
    assert found["license"] == "cc0-1.0" and found["datasets"] == ["days"]
    (model,) = found["model-index"]
    (result,) = model["results"]
    test = part.runs[0].test
    assert {m["type"]: m["value"] for m in result["metrics"]} == {
        "accuracy": test["accuracy"],
        "f1": test["macro_f1"],
        "roc_auc": test["auc"],
    }
    for heading in ("Purpose", "Metrics", "Limits", "Ethics", "Data and licence", "Made with"):
        assert f"## {heading}" in body
    assert f"| Accuracy | {100 * test['accuracy']:.1f} |" in body


def test_a_licence_that_is_not_known_is_told_as_it_is(part, change):
    directory = part.runs[0].directory
    corpus = {**part.runs[0].record["corpus"], "licence": 'mine: "all" rights', "name": "a: b #c"}
    change(directory, corpus=corpus)
    runs = read_records(directory.parent).parts[0].runs
    found, _ = metadata(cards.model_card(runs))
    assert found["license"] == "other" and found["license_name"] == 'mine: "all" rights'
    assert found["datasets"] == ["a: b #c"]


def test_the_best_run_is_so_on_validation(runs_dir):
    runs = [r for r in read_records(runs_dir / "comparison").parts[0].runs if "cnn" in r.name]
    best = cards.best_run(runs)
    accuracies = [run.record["metrics"]["val"]["accuracy"] for run in runs]
    assert best is runs[int(np.argmax(accuracies))]


def words_of(command):
    return shlex.split(command.replace("\\\n", " "))


def test_commands_repeat_what_was_asked(runs_dir):
    part = read_records(runs_dir).parts[0]
    found = {one["study"]: one for one in cards.commands(part)}
    assert list(found) == ["comparison", "data_ratio", "gate", "learning_rate", "noise", "search"]
    rates = words_of(found["learning_rate"]["command"])
    assert rates[:5] == [
        "KERAS_BACKEND=tensorflow",
        "python",
        "-m",
        "tuning.sensitivity",
        "learning_rate",
    ]
    assert "--rates=1e-05,0.0001,0.001" in rates and "--seeds=3" in rates
    assert "--data=days.csv" in rates and "--split-seed=0" in rates and "--clean=true" in rates
    assert "--study=learning_rate" in rates
    assert not any("None" in word for word in rates)
    # Models that were tried at other values are not tried at all by one command.
    noises = [words_of(one["command"]) for one in cards.commands(part) if one["study"] == "noise"]
    assert [words[5:8] for words in noises] == [
        ["--models=cnn@scratch", "--seeds=1", "--label-levels="],
        ["--models=gated_transformer@minilm", "--seeds=3", "--label-levels=0.2"],
    ]
    assert "--forms=none,features,scalar" in words_of(found["gate"]["command"])
    search = words_of(found["search"]["command"])
    assert "--max-trials=7" in search and "--oracle=random" in search
    assert json.loads(found["search"]["settings"])["batch_size"] == [16, 32, 64]


def test_a_comparison_is_repeated_with_the_settings_that_it_was_given(tmp_path, make_run):
    paths = [make_run(tmp_path / "comparison", "cnn@scratch", seed) for seed in range(2)]
    asked = {"seed": 0, "model": "cnn", "encoder": "scratch", "precision": "auto", "epochs": 3}
    runs = [{"run_id": path.name, "asked": asked} for path in paths]
    for name, values in (
        ("study.json", {"runs": runs}),
        (
            "comparison.json",
            {
                "run_ids": [path.name for path in paths],
                "asked_reference": "cnn@scratch",
                "reference": "cnn@scratch",
                "contenders": [],
            },
        ),
    ):
        path = tmp_path / "comparison" / name
        path.write_text(json.dumps({"schema_version": 1, **values}))
    (found,) = cards.commands(read_records(tmp_path).parts[0])
    words = words_of(found["command"])
    assert {"--models=cnn@scratch", "--seeds=2", "--reference=cnn@scratch"} <= set(words)
    assert {"--precision=auto", "--settings=settings.json"} <= set(words)
    assert json.loads(found["settings"]) == {"cnn@scratch": {"epochs": 3}}


def test_names_are_quoted_for_the_shell(tmp_path, make_run, change):
    directory = make_run(tmp_path / "fit; rm -rf x", "cnn@scratch")
    (found,) = cards.commands(read_records(tmp_path).parts[0])
    assert shlex.split(found["command"])[-1] == f"--from-run={directory}"


def test_cost_is_in_hours(tmp_path, make_run):
    make_run(tmp_path / "fit", "cnn@scratch", 0)
    make_run(tmp_path / "fit", "cnn@scratch", 1)
    part = read_records(tmp_path).parts[0]
    (row,) = cards.studies_table(part.studies).shown.to_dict("records")
    assert row["Hours of training"] == f"{121 / 3600:.2f}"


def test_environments_are_counted(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    rows = cards.environment_table(part.runs).frame.to_dict("records")
    assert [(row["backend"], row["runs"]) for row in rows] == [
        ("tensorflow", 18),
        ("scikit-learn", 3),
    ]
