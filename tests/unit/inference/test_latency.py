"""Times of answers, by a clock that only the model moves."""

import pytest

from emotion_keras.inference import latency
from emotion_keras.inference.latency import measure_latency


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still; a model that takes its time moves it by seconds.

    Its own process works as long as the clock moves; `others` keep so many cores busy.
    """

    class Clock:
        now, slept, others = 0.0, 0.0, 0.0

        def perf_counter(self):
            return self.now

        def process_time(self):
            return self.now - self.slept

        def sleep(self, seconds):
            self.slept += seconds
            self.now += seconds

        def busy_seconds(self):
            return None if self.others is None else self.process_time() + self.others * self.now

    clock = Clock()
    monkeypatch.setattr(latency, "time", clock)
    monkeypatch.setattr(latency, "busy_seconds", clock.busy_seconds)
    return clock


def test_times_are_medians_in_milliseconds_without_the_first_call(clock):
    seconds = {1: [9.0, *[0.001] * 9, *[0.004] * 11], 256: [9.0, 0.5, 0.02, 0.03]}

    def predict(texts):
        clock.now += seconds[len(texts)].pop(0)

    assert measure_latency(predict, ["a", "b c"]) == {
        "milliseconds_for_1_text": pytest.approx(4),
        "milliseconds_for_256_texts": pytest.approx(30),
        "measured_alone": True,
    }
    assert seconds == {1: [], 256: []}


@pytest.mark.parametrize(
    "others, alone", [(0.0, True), (0.05, True), (0.2, False), (1.5, False), (None, None)]
)
@pytest.mark.parametrize("seconds", [0.0001, 0.2])
def test_it_says_whether_other_processes_worked_meanwhile(clock, others, alone, seconds):
    def predict(texts):
        clock.now += seconds

    clock.others = others
    assert measure_latency(predict, ["a"])["measured_alone"] is alone
    # The system counts in hundredths of a second; a quick model is watched for longer.
    assert others is None or clock.now >= 1


def test_the_one_text_is_of_median_length_and_texts_are_used_again():
    asked = []
    measure_latency(asked.append, ["aaaa", "a", "aa", "aaa", "aaaaa"])
    singles = [texts for texts in asked if len(texts) == 1]
    assert all(texts == ["aaa"] for texts in singles)
    assert {len(texts) for texts in asked} == {1, 256}
    assert asked[-1][:7] == ["aaaa", "a", "aa", "aaa", "aaaaa", "aaaa", "a"]
