import base64
import json

import pandas as pd
import pytest

from emotion_keras.evaluation.predictions import probability_columns
from emotion_keras.inputs import SpeechInput, TextInput
from reports.records import read_records
from reports.sections.texts import (
    NUM_ERRORS,
    NUM_PAIRS,
    errors_table,
    explorer,
    mean_predictions,
    pairs_table,
    read_texts,
)


@pytest.fixture(scope="module")
def records(runs_dir):
    return read_records(runs_dir / "comparison")


@pytest.fixture
def ours(records):
    runs = records.parts[0].runs
    return [run for run in runs if run.contender == "gated_transformer@minilm"]


@pytest.fixture
def by_hand(ours):
    """Mean probabilities by text of the test split, added up run by run."""
    total, labels = 0, None
    for run in ours:
        rows = run.predictions[run.predictions["split"] == "test"].set_index("id")
        total, labels = total + rows[probability_columns(run.labels)], rows["label"]
    return (total / len(ours)).set_axis(ours[0].labels, axis=1).assign(label=labels)


def test_predictions_are_the_mean_of_the_runs_probabilities(ours, by_hand):
    found = mean_predictions(ours).set_index("id")
    means = by_hand[ours[0].labels]
    assert found["confidence"].to_dict() == pytest.approx(means.max(axis=1).to_dict())
    assert found["predicted"].to_dict() == means.idxmax(axis=1).to_dict()
    assert found["label"].to_dict() == by_hand["label"].to_dict()


def test_errors_are_the_most_confident_wrong_ones(records, ours, by_hand):
    means = by_hand[ours[0].labels]
    wrong = means[means.idxmax(axis=1) != by_hand["label"]].max(axis=1)
    table = errors_table(mean_predictions(ours), read_texts(records, ours), TextInput)
    expected = wrong.sort_values(ascending=False)[:NUM_ERRORS]
    assert table.frame["id"].tolist() == expected.index.tolist()
    assert table.frame["confidence"].tolist() == pytest.approx(expected.tolist())
    assert f"label {len(wrong)} of 90 test texts wrongly" in table.caption
    file = pd.read_csv(ours[0].directory / "texts.csv", dtype=str, keep_default_na=False)
    of_id = dict(zip(file["id"], file["text"], strict=True))
    assert table.shown["What it says"].tolist() == [of_id[name] for name in expected.index]


def test_without_texts_errors_have_no_such_column(ours):
    table = errors_table(mean_predictions(ours), {}, SpeechInput)
    assert "What it says" not in table.shown.columns
    assert "of 90 test recordings wrongly" in table.caption


def test_pairs_are_counts_off_the_diagonal(ours):
    rows = pd.concat(run.predictions[run.predictions["split"] == "test"] for run in ours)
    wrong = rows[rows["label"] != rows["predicted"]]
    counts = wrong.value_counts(["label", "predicted"]).to_dict()
    frame = pairs_table(ours, "ours").frame
    assert frame["count"].tolist() == sorted(counts.values(), reverse=True)[:NUM_PAIRS]
    for row in frame.to_dict("records"):
        assert counts[row["label"], row["predicted"]] == row["count"]
        assert row["share"] == row["count"] / (rows["label"] == row["label"]).sum()


def read_bytes(text):
    return list(base64.b64decode(text))


def test_the_explorer_holds_what_every_model_says(records, ours, by_hand):
    others = [run for run in records.parts[0].runs if run.contender == "cnn@scratch"]
    predictions = {
        "gated_transformer@minilm": mean_predictions(ours),
        "cnn@scratch": mean_predictions(others),
    }
    labels = ours[0].labels
    texts = {name: f"</script><b>{name}\u202e" for name in by_hand.index}
    found = explorer(predictions, ours[0].target, texts)
    assert not set("<>&\u202e") & set(found["json"])
    content = json.loads(found["json"])
    assert content["models"] == ["Gated Transformer (MiniLM)", "CNN (from scratch)"]
    assert content["ids"] == by_hand.index.tolist() and found["kept"] == found["total"] == 90
    assert content["texts"] == [texts[name] for name in content["ids"]]
    assert [labels[n] for n in read_bytes(content["truth"])] == by_hand["label"].tolist()
    means = by_hand[labels]
    assert [labels[n] for n in read_bytes(content["said"][0])] == means.idxmax(axis=1).tolist()
    shares = [number / 255 for number in read_bytes(content["confidence"][0])]
    assert shares == pytest.approx(means.max(axis=1).tolist(), abs=0.5 / 255 + 1e-9)
    assert len(read_bytes(content["said"][1])) == 90


def test_a_small_explorer_keeps_the_errors_first(ours, by_hand, monkeypatch):
    means = by_hand[ours[0].labels]
    wrong = set(means.index[means.idxmax(axis=1) != by_hand["label"]])
    texts = {name: "x" * 1000 for name in by_hand.index}
    monkeypatch.setattr("reports.sections.texts.MOST_CHARACTERS", 1040 * (len(wrong) + 5))
    found = explorer({"ours": mean_predictions(ours)}, ours[0].target, texts)
    kept = set(json.loads(found["json"])["ids"])
    assert wrong < kept and found["kept"] == len(kept) == len(wrong) + 5 and found["total"] == 90
    # Then come right answers, the least sure ones.
    right = means.drop(index=list(wrong)).max(axis=1).sort_values()
    assert kept - wrong == set(right.index[:5])


def test_without_texts_there_are_none(records):
    (run,) = [r for r in records.parts[0].runs if r.name == "transformer-minilm-seed0"]
    assert read_texts(records, [run]) == {}
    assert records.broken == []
