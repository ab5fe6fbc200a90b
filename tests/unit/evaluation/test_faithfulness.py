"""Against a model that counts words, so that every drop is known."""

import numpy as np
import pytest

from emotion_keras import record
from emotion_keras.evaluation import faithfulness
from emotion_keras.evaluation.faithfulness import (
    choose_texts,
    in_words,
    measure_faithfulness,
    read_faithfulness,
    verdicts,
)


def explain(words, gates, contributions=None):
    rows = zip(words, gates, contributions or gates, strict=True)
    return [{"word": w, "gate": gate, "contribution": share} for w, gate, share in rows]


def count_happy(texts):
    """Probability of joy: 0.5, and 0.1 for each `happy`."""
    joy = np.array([0.5 + 0.1 * text.split().count("happy") for text in texts])
    return np.stack([1 - joy, joy], axis=1)


def row_of(rows, order, share, measure="comprehensiveness"):
    (row,) = [
        row
        for row in rows
        if (row["order"], row["share_of_words"], row["measure"]) == (order, share, measure)
    ]
    return row


TEN = "a b c d e f g h happy happy".split()


def test_drops_by_hand():
    # The gate opens the two words that count, contributions are least there.
    gates = [0.1] * 8 + [0.9, 0.8]
    rows = measure_faithfulness(
        [explain(TEN, gates, [1.0] * 8 + [-1.0, -2.0])] * 3,
        count_happy,
        milliseconds={"gate": 7.0},
    )
    assert len(rows) == 3 * 3 * 2
    expected = {
        ("gate", 0.1): (0.1, 0.1),
        ("gate", 0.2): (0.2, 0.0),
        ("gate", 0.5): (0.2, 0.0),
        ("contribution", 0.1): (0.0, 0.2),
        ("contribution", 0.2): (0.0, 0.2),
        ("contribution", 0.5): (0.0, 0.2),
    }
    for (order, share), drops in expected.items():
        for measure, drop in zip(faithfulness.MEASURES, drops, strict=True):
            row = row_of(rows, order, share, measure)
            assert row["num_texts"] == 3
            # Three equal texts: no spread.
            ends = [row[name] for name in ("mean_drop", "mean_drop_low", "mean_drop_high")]
            assert ends == pytest.approx([drop] * 3)
            random = row_of(rows, "random", share, measure)
            assert row["beyond_random"] == pytest.approx(drop - random["mean_drop"])
            assert random["beyond_random"] is random["beyond_random_low"] is None
            assert row["milliseconds"] == {"gate": 7.0}.get(order)


def test_intervals_are_students_over_texts():
    # Without half of the words, the ones opened most, they fall by 0.1, 0.2 and 0.
    texts = [
        explain(["happy", "a"], [0.9, 0.1]),
        explain(["happy", "happy", "a", "b"], [0.9, 0.8, 0.1, 0.2]),
        explain(["a", "b"], [0.9, 0.1]),
    ]
    row = row_of(measure_faithfulness(texts, count_happy), "gate", 0.5)
    # Standard deviation 0.1, Student's t of 2 degrees of freedom at 97.5 % is 4.302653.
    half = 4.302653 * 0.1 / np.sqrt(3)
    assert row["mean_drop"] == pytest.approx(0.1)
    assert row["mean_drop_low"] == pytest.approx(0.1 - half, rel=1e-5)
    assert row["mean_drop_high"] == pytest.approx(0.1 + half, rel=1e-5)


def test_the_difference_is_paired():
    # Whichever word chance takes, it is the same text: gains are 0 or 0.1, as counted here.
    seen = []

    def predict(texts):
        seen.extend(texts)
        return count_happy(texts)

    texts = [explain(["happy", f"w{i}"], [0.9, 0.1]) for i in range(20)]
    rows = measure_faithfulness(texts, predict)
    row, random = row_of(rows, "gate", 0.5), row_of(rows, "random", 0.5)
    assert 0 < random["mean_drop"] < 0.1  # Chance took either in some texts.
    gains = np.full(20, 0.1)
    gains[: round(20 * random["mean_drop"] / 0.1)] = 0
    assert row["beyond_random"] == pytest.approx(gains.mean())
    half = 2.093024 * gains.std(ddof=1) / np.sqrt(20)
    assert row["beyond_random_low"] == pytest.approx(gains.mean() - half, rel=1e-5)
    # What is left of two words is one of them, and nothing is predicted twice.
    assert sorted(seen) == sorted(
        [f"happy w{i}" for i in range(20)] + [f"w{i}" for i in range(20)] + ["happy"]
    )


@pytest.mark.parametrize(
    "num_words, lengths",
    [
        (2, [1, 2]),
        (3, [1, 2, 3]),
        (14, [1, 3, 7, 11, 13, 14]),
        (30, [3, 6, 15, 24, 27, 30]),
    ],
)
def test_at_least_one_word_and_about_the_share(num_words, lengths):
    seen = set()

    def predict(texts):
        seen.update(len(text.split()) for text in texts)
        return count_happy(texts)

    words = [f"w{i}" for i in range(num_words)]
    measure_faithfulness([explain(words, np.arange(num_words) / 100)], predict)
    assert sorted(seen) == lengths


def test_a_gate_that_tells_no_words_apart_is_as_good_as_random():
    texts = [explain([*TEN, f"w{i}"], [0.5] * 11) for i in range(10)]
    for row in measure_faithfulness(texts, count_happy):
        if row["order"] != "random":
            assert row["beyond_random"] == row["beyond_random_low"] == 0
            assert verdicts([row]) == ["not resolved"]


def test_marks_are_never_chosen():
    seen = []

    def predict(texts):
        seen.extend(texts)
        return count_happy(texts)

    mark = {"word": "!", "gate": 1.0, "contribution": None}
    measure_faithfulness([[mark, *explain(["happy", "a"], [0.9, 0.1]), mark]], predict)
    # The whole, one word deleted, one word kept: marks stay, or go with what is not kept.
    assert sorted(seen) == sorted(["! happy a !", "! a !", "! happy !", "happy", "a"][: len(seen)])
    assert {"! happy a !", "! a !", "happy"} <= set(seen)


def test_ways_are_those_that_texts_have_numbers_of():
    texts = [[{"word": w, "occlusion": float(i)} for i, w in enumerate(TEN)]]
    rows = measure_faithfulness(texts, count_happy)
    assert list(dict.fromkeys(row["order"] for row in rows)) == ["occlusion", "random"]
    assert row_of(rows, "occlusion", 0.2)["mean_drop"] == pytest.approx(0.2)
    assert row_of(rows, "occlusion", 0.2, "sufficiency")["mean_drop"] == pytest.approx(0.0)


def test_texts_of_one_word_are_not_chosen():
    assert choose_texts([0, 1, 2, 1, 5]) == [2, 4]
    assert measure_faithfulness([], count_happy) == []
    (row, *_) = measure_faithfulness([explain(["happy", "a"], [0.9, 0.1])], count_happy)
    assert row["num_texts"] == 1
    assert row["mean_drop"] == pytest.approx(0.1) and row["mean_drop_low"] is None


def test_of_many_texts_there_is_a_sample_the_same_each_time(monkeypatch):
    monkeypatch.setattr(faithfulness, "MOST_TEXTS", 7)
    chosen = choose_texts([2] * 30)
    assert len(chosen) == len(set(chosen)) == 7 and chosen == sorted(chosen) != list(range(7))
    assert chosen == choose_texts([2] * 30)


def test_it_is_repeatable():
    rng = np.random.default_rng(0)
    texts = [explain(rng.permutation([*TEN, f"w{i}"]), rng.random(11).tolist()) for i in range(30)]
    assert measure_faithfulness(texts, count_happy) == measure_faithfulness(texts, count_happy)


def make_row(order, beyond=None, low=None, high=None, measure="comprehensiveness", drop=0.123):
    return {
        "order": order,
        "share_of_words": 0.2,
        "measure": measure,
        "num_texts": 9,
        "mean_drop": drop,
        "beyond_random": beyond,
        "beyond_random_low": low,
        "beyond_random_high": high,
    }


@pytest.mark.parametrize(
    "low, high, measure, expected",
    [
        (0.01, 0.02, "comprehensiveness", "better"),
        (-0.02, -0.01, "comprehensiveness", "worse"),
        (0.01, 0.02, "sufficiency", "worse"),
        (-0.02, -0.01, "sufficiency", "better"),
        (-0.01, 0.01, "sufficiency", "not resolved"),
        (None, None, "sufficiency", "not resolved"),
        (float("nan"), float("nan"), "comprehensiveness", "not resolved"),
    ],
)
def test_verdicts(low, high, measure, expected):
    mean = 0.0 if low is None else (low + high) / 2
    rows = [make_row("gate", mean, low, high, measure), make_row("random", measure=measure)]
    assert verdicts(rows) == [expected, ""]


def test_of_many_orders_one_is_resolved_after_the_correction_for_all():
    # Nine texts: Student's t of eight degrees of freedom is 2.306 at 97.5 %. The first mean is 2.6
    # standard errors from 0, whose p-value is 0.032: alone that is resolved, of three it is not.
    half = 0.01
    first = make_row("gate", 2.6 / 2.306 * half, 0.3 / 2.306 * half, 4.9 / 2.306 * half)
    others = [make_row("contribution", 0.0, -half, half)] * 2
    assert verdicts([first]) == ["better"]
    assert verdicts([first, *others]) == ["not resolved"] * 3


def test_sentences():
    rows = [
        make_row("gate", 0.0421, 0.029, 0.0551),
        make_row("contribution", -0.09, -0.14, -0.04, drop=-0.009),
        make_row("random", drop=0.081),
    ]
    assert in_words(rows) == {
        "gate": "Without the 20 % of words that the gate opens most the label's probability is "
        "12.3 points lower, without as many random words 8.1 points lower (difference +4.2, "
        "+2.9 to +5.5). So they matter more than others.",
        "contribution": "Without the 20 % of words that add most to the label's score the label's "
        "probability is 0.9 points higher, without as many random words 8.1 points lower "
        "(difference -9.0, -14.0 to -4.0). So they matter less than others.",
    }
    rows[0] = make_row("gate", 0.0421)
    assert (
        "(difference +4.2). That they matter more than others is not resolved."
        in (in_words(rows)["gate"])
    )
    assert list(in_words(rows[1:], "moments")) == ["contribution"]
    assert "20 % of moments" in in_words(rows[1:], "moments")["contribution"]
    assert in_words(rows[:2]) == in_words([]) == {}


def test_rows_are_read_as_they_were_written(tmp_path):
    assert read_faithfulness(tmp_path) == []
    rows = measure_faithfulness([explain(TEN, np.arange(10) / 7)] * 2, count_happy)
    record.write_rows(tmp_path / record.FAITHFULNESS, rows)
    assert read_faithfulness(tmp_path) == rows
    # As versions wrote it that did not measure what explaining takes.
    old = [{k: v for k, v in row.items() if k != "milliseconds"} for row in rows]
    record.write_rows(tmp_path / record.FAITHFULNESS, old)
    assert read_faithfulness(tmp_path) == old
    assert in_words(read_faithfulness(tmp_path)) == in_words(rows)
