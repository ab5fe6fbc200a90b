"""Near-repeats across splits, beside a count by sets of words, pair by pair."""

import re

import numpy as np
import pytest

from emotion_keras.data.near_repeats import count_near_repeats


def words(text):
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 1}


@pytest.mark.parametrize("least", [0.5, 0.8, 1.0])
def test_it_counts_what_sets_of_words_say(least, monkeypatch):
    monkeypatch.setattr("emotion_keras.data.near_repeats._AT_ONCE", 7)
    rng = np.random.default_rng(0)
    vocabulary = "the dog died and my friend left me at home in fear of storms 3 A".split()

    def texts(number):
        return [" ".join(rng.choice(vocabulary, rng.integers(3, 9))) for _ in range(number)]

    train, test = texts(40), texts(50)
    expected = 0
    for text in test:
        pairs = [(words(text), words(other)) for other in train]
        expected += any(a | b and len(a & b) >= least * len(a | b) for a, b in pairs)
    assert 0 < expected < 50
    found = count_near_repeats(train, test, least)
    assert found == {"texts": expected, "checked": 50, "least": least}


def test_words_that_no_training_text_has_count():
    # Four of the five words of both: 0.8; with one more of its own the second has 4 of 6.
    train = ["my dog died yesterday"]
    assert count_near_repeats(train, ["my dog died yesterday alone"])["texts"] == 1
    assert count_near_repeats(train, ["my dog died yesterday alone here"])["texts"] == 0


def test_texts_without_words_repeat_nothing():
    assert count_near_repeats(["1 2"], ["1 2", ""]) == {"texts": 0, "checked": 2, "least": 0.8}
    assert count_near_repeats(["a dog"], ["", "!"])["texts"] == 0


def test_of_many_texts_the_first_are_looked_at(monkeypatch):
    monkeypatch.setattr("emotion_keras.data.near_repeats._MOST_TEST", 2)
    monkeypatch.setattr("emotion_keras.data.near_repeats._MOST_TRAIN", 1)
    train, test = ["dog left", "cat came"], ["cat came", "dog left", "dog left"]
    assert count_near_repeats(train, test) == {"texts": 1, "checked": 2, "least": 0.8}
