"""The words most telling of each label, against a calculation by hand."""

import math

import numpy as np
import pytest

from emotion_keras.data.telling_words import find_telling_words, log_odds


def test_log_odds_are_those_of_a_calculation_by_hand():
    # Twelve and eight words; with all twenty before them each side has 32 and 28.
    found = log_odds(np.array([6, 4, 2]), np.array([1, 4, 3]), np.array([7, 8, 5]))
    # 13 of 32 against 8 of 28: ln(13/19) - ln(8/20) = 0.5368; error sqrt(1/13 + 1/8) = 0.4494.
    expected = (math.log(13 / 19) - math.log(8 / 20)) / math.sqrt(1 / 13 + 1 / 8)
    assert found[0] == pytest.approx(expected) == pytest.approx(1.19459, abs=1e-5)
    # 12 of 32 against 12 of 28: below 0, as the word stands less often there.
    expected = (math.log(12 / 20) - math.log(12 / 16)) / math.sqrt(1 / 12 + 1 / 12)
    assert found[1] == pytest.approx(expected) == pytest.approx(-0.546588, abs=1e-6)


def test_the_same_words_elsewhere_more_often_say_less():
    prior = np.array([20, 200])
    rare, frequent = log_odds(np.array([10, 100]), np.array([10, 100]), prior)
    assert rare == pytest.approx(0) == frequent
    # Twice as often, of a rare and of a frequent word.
    rare, frequent = log_odds(np.array([10, 100, 890]), np.array([5, 50, 945]), [15, 150, 1835])[:2]
    assert 0 < rare < frequent


def words_of(found, label):
    return [row["word"] for row in found if row["label"] == label]


def test_words_are_ranked_by_label_with_how_often_they_stand():
    texts = ["We laughed, we SANG.", "They laughed"] * 4 + ["we hid", "they hid"] * 4
    is_label = np.repeat(np.eye(2), 8, axis=0)
    found = find_telling_words(texts, is_label, ["joy", "fear"], range(16))
    assert words_of(found, "joy") == ["laughed", "we"]  # «sang» stands in four texts.
    # 8 times of 24 words of joy (we laughed we sang, they laughed: 6 words, four times), never of
    # 16 of fear; 40 in all.
    expected = (math.log(16 / 48) - math.log(8 / 48)) / math.sqrt(1 / 16 + 1 / 8)
    (row,) = [row for row in found if row["word"] == "laughed"]
    assert row["z"] == pytest.approx(expected, abs=1e-3)
    assert (row["count"], row["count_rest"]) == (8, 0)
    assert words_of(found, "fear")[0] == "hid"
    assert all(row["z"] > 0 for row in found)


def test_what_one_person_says_alone_is_left_out():
    texts = ["Zanzibar sun", "sun"] * 6 + ["rain"] * 12
    is_label = np.repeat(np.eye(2), 12, axis=0)
    alone = find_telling_words(texts, is_label, ["joy", "fear"], [0, 1] * 6 + [2] * 6 + [3] * 6)
    assert words_of(alone, "joy") == ["sun"] and words_of(alone, "fear") == ["rain"]
    two = find_telling_words(texts, is_label, ["joy", "fear"], [0, 1, 2, 1] * 3 + [3] * 12)
    assert set(words_of(two, "joy")) == {"sun", "zanzibar"} and words_of(two, "fear") == []


def test_at_most_twenty_words_a_label():
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    texts = [" ".join(words)] * 6 + ["rain"] * 6
    found = find_telling_words(texts, np.repeat(np.eye(2), 6, axis=0), ["joy", "fear"], range(12))
    assert words_of(found, "joy") == words[:20] and words_of(found, "fear") == ["rain"]


def test_texts_without_words_have_none():
    assert find_telling_words(["!", "?"], np.eye(2), ["joy", "fear"], range(2)) == []
