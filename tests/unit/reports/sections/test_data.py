import json

import pytest

from reports.records import read_records
from reports.sections.data import data_card

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
    card = data_card(part.runs)
    facts = dict(card["facts"])
    assert facts["Corpus"] == "days" and facts["Licence"] == "CC0 (made for tests)"
    assert facts["Split"].startswith("300 to train, 30 to validate, 90 to test")
    assert facts["Words a text"] == (
        "median 19, mean 22.4, 5th to 95th percentile 6 to 48, longest 178"
    )
    assert facts["Exact repeats"] == "42 texts occur 106 times in all"
    assert facts["Near-repeats across splits"] == "not recorded"
    path = part.runs[0].directory / "audit.json"
    near = {"texts": 12, "checked": 1484, "least": 0.8}
    path.write_text(json.dumps({**AUDIT, "near_repeats": near}))
    assert dict(data_card(part.runs)["facts"])["Near-repeats across splits"] == (
        "12 of 1,484 test texts have 80 % or more of their words in common with a training text"
    )
    labels = card["labels"].shown.to_dict("records")
    assert labels[0] == {"Label": "joy", "Train": "100", "Validate": "10", "Test": "30"}
    (step,) = card["steps"].shown.to_dict("records")
    assert step["Removed"] == "10" and step["Why"] == "no answer: 10"


def test_without_an_audit_the_data_card_says_what_it_can(tmp_path, make_run):
    make_run(tmp_path / "fit", "cnn@scratch")
    card = data_card(read_records(tmp_path).parts[0].runs)
    assert card["steps"] is None
    assert card["labels"].shown["Train"].tolist() == ["–"] * 3
