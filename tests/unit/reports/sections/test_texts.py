import numpy as np
import pandas as pd
import pytest

from emotion_keras.evaluation.predictions import probability_columns
from reports.records import read_records
from reports.sections.texts import (
    NUM_ERRORS,
    NUM_EXAMPLES,
    NUM_GATED,
    NUM_PAIRS,
    draw_gate_words,
    errors_table,
    faithfulness_table,
    gate_view,
    gate_words_table,
    mean_predictions,
    pair_examples,
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
    table = errors_table(mean_predictions(ours), read_texts(records, ours))
    expected = wrong.sort_values(ascending=False)[:NUM_ERRORS]
    assert table.frame["id"].tolist() == expected.index.tolist()
    assert table.frame["confidence"].tolist() == pytest.approx(expected.tolist())
    assert f"label {len(wrong)} of 90 test texts wrongly" in table.caption
    file = pd.read_csv(ours[0].directory / "texts.csv", dtype=str, keep_default_na=False)
    of_id = dict(zip(file["id"], file["text"], strict=True))
    assert table.shown["What it says"].tolist() == [of_id[name] for name in expected.index]


def test_without_texts_errors_have_no_such_column(ours):
    table = errors_table(mean_predictions(ours), {})
    assert "What it says" not in table.shown.columns


def test_pairs_are_counts_off_the_diagonal(ours):
    rows = pd.concat(run.predictions[run.predictions["split"] == "test"] for run in ours)
    wrong = rows[rows["label"] != rows["predicted"]]
    counts = wrong.value_counts(["label", "predicted"]).to_dict()
    frame = pairs_table(ours, "ours").frame
    assert frame["count"].tolist() == sorted(counts.values(), reverse=True)[:NUM_PAIRS]
    for row in frame.to_dict("records"):
        assert counts[row["label"], row["predicted"]] == row["count"]
        assert row["share"] == row["count"] / (rows["label"] == row["label"]).sum()


def test_examples_are_of_their_pair(records):
    # Of a model that is wrong about many texts.
    runs = [run for run in records.parts[0].runs if run.contender == "cnn@scratch"]
    predictions = mean_predictions(runs)
    pairs = pairs_table(runs, "cnn@scratch").frame
    assert pair_examples(pairs, predictions, {}) == []
    found = pair_examples(pairs, predictions, {name: name for name in predictions["id"]})
    assert found
    by_id = predictions.set_index("id")
    for example in found:
        assert 1 <= len(example["texts"]) <= NUM_EXAMPLES
        for name in example["texts"]:
            assert by_id.loc[name, "label"] == example["label"]
            assert by_id.loc[name, "predicted"] == example["predicted"]


def test_the_gates_view_is_of_right_and_wrong_texts(records, ours):
    view = gate_view(records, ours[0])
    gates = pd.read_csv(ours[0].directory / "gates.csv", dtype={"id": str}, keep_default_na=False)
    assert [view["low"], view["high"]] == pytest.approx(np.quantile(gates["gate"], [0.05, 0.95]))
    assert [text["right"] for text in view["texts"]].count(True) == NUM_GATED
    for text in view["texts"]:
        own = gates[gates["id"] == text["id"]].sort_values("position")
        assert [word["word"] for word in text["words"]] == own["word"].tolist()
        assert [word["gate"] for word in text["words"]] == own["gate"].tolist()
        assert (text["label"] == text["predicted"]) is text["right"]
        for word in text["words"]:
            shade = (word["gate"] - view["low"]) / (view["high"] - view["low"])
            assert word["shade"] == pytest.approx(min(max(shade, 0), 1))


def test_words_are_those_opened_and_closed_most(records, ours):
    frame = gate_words_table(records, ours[0]).frame
    assert frame["word"].tolist() == ["gift", "<b>bold</b>", "null", "=sum", "$x$", "the"]
    assert frame["side"].tolist() == ["opened most"] * 3 + ["closed most"] * 3


def test_faithfulness_is_that_of_the_file(records, ours):
    table = faithfulness_table(records, ours[0])
    file = pd.read_csv(ours[0].directory / "faithfulness.csv")
    pd.testing.assert_frame_equal(table.frame, file, check_dtype=False)
    for shown, row in zip(table.shown.to_dict("records"), file.to_dict("records"), strict=True):
        # Gains of -0.4 and 5.2 points, three points to either side; what is kept counts reversed.
        expected = {"gate": "not resolved", "contribution": "better", "random": ""}[row["order"]]
        assert shown["Against random"] == expected
        assert shown["Measure"] == row["measure"]
        assert shown["Of the words, %"] == str(round(100 * row["share_of_words"]))
        assert shown["Drop, points"] == f"{100 * row['mean_drop']:.1f}".replace("-", "−")
        if row["order"] == "random":
            assert shown["Beyond random"] == shown["Its 95 % interval"] == "–"
        else:
            ends = [f"{100 * row[f'beyond_random{end}']:+.1f}" for end in ("", "_low", "_high")]
            mean, low, high = (end.replace("-", "−") for end in ends)
            assert shown["Beyond random"] == mean
            assert shown["Its 95 % interval"] == f"{low} to {high}"
    assert "Means of 90 test texts" in table.caption


def test_what_is_not_there_is_none(records):
    (run,) = [r for r in records.parts[0].runs if r.name == "transformer-minilm-seed0"]
    assert gate_view(records, run) is None
    assert gate_words_table(records, run) is None
    assert faithfulness_table(records, run) is None
    assert read_texts(records, [run]) == {}
    assert records.broken == []


def legend(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_words_stand_as_they_are():
    frame = pd.DataFrame(
        {"word": ["$x$", "<b>"], "gate": [0.9, 0.1], "side": ["opened most", "closed most"]}
    )
    figure = draw_gate_words(frame)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["$x$", "<b>"]
    assert legend(figure) == ["opened most", "closed most"]
