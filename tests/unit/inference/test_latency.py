"""Times of answers, by a clock that only the model moves."""

import pytest

from emotion_keras.inference import latency
from emotion_keras.inference.latency import measure_latency


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still; a model that takes its time moves it by seconds."""

    class Clock:
        now = 0.0

        def perf_counter(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(latency, "time", clock)
    return clock


def test_times_are_medians_in_milliseconds_without_the_first_call(clock):
    seconds = {1: [9.0, *[0.001] * 9, *[0.004] * 11], 256: [9.0, 0.5, 0.02, 0.03]}

    def predict(texts):
        clock.now += seconds[len(texts)].pop(0)

    assert measure_latency(predict, ["a", "b c"]) == {
        "milliseconds_for_1_text": pytest.approx(4),
        "milliseconds_for_256_texts": pytest.approx(30),
    }
    assert seconds == {1: [], 256: []}


def test_the_one_text_is_of_median_length_and_texts_are_used_again():
    asked = []
    measure_latency(asked.append, ["aaaa", "a", "aa", "aaa", "aaaaa"])
    singles = [texts for texts in asked if len(texts) == 1]
    assert all(texts == ["aaa"] for texts in singles)
    assert {len(texts) for texts in asked} == {1, 256}
    assert asked[-1][:7] == ["aaaa", "a", "aa", "aaa", "aaaaa", "aaaa", "a"]
