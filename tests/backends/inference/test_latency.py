import time

import pytest

from emotion_keras.inference.latency import measure_latency


def test_times_are_those_of_the_function():
    def predict(texts):
        time.sleep(0.002 if len(texts) == 1 else 0.02)

    found = measure_latency(predict, ["a", "b c"])
    assert found["milliseconds_for_1_text"] == pytest.approx(2, rel=0.9)
    assert found["milliseconds_for_1_text"] >= 2
    assert found["milliseconds_for_256_texts"] >= 20


def test_the_one_text_is_of_median_length_and_texts_are_used_again():
    asked = []
    measure_latency(asked.append, ["aaaa", "a", "aa", "aaa", "aaaaa"])
    singles = [texts for texts in asked if len(texts) == 1]
    assert all(texts == ["aaa"] for texts in singles)
    assert {len(texts) for texts in asked} == {1, 256}
    assert asked[-1][:7] == ["aaaa", "a", "aa", "aaa", "aaaaa", "aaaa", "a"]


def test_the_first_call_is_not_timed():
    calls = []

    def predict(texts):
        if len(texts) not in calls:
            time.sleep(0.2)
        calls.append(len(texts))

    found = measure_latency(predict, ["a"])
    assert max(found.values()) < 100
