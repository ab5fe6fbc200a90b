"""The learning rate at each step, by hand."""

import keras
import numpy as np
import pytest

from emotion_keras.training.schedule import WarmupDecay, restart


def rates(schedule, num_steps):
    return [float(schedule(step)) for step in range(num_steps)]


@pytest.mark.parametrize(
    "decay, expected",
    [
        # Two steps of warm-up, then eight of decay.
        ("linear", [1, 2, 2, 1.75, 1.5, 1.25, 1, 0.75, 0.5, 0.25]),
        (
            "cosine",
            [1, 2, 2, 1.9238795, 1.7071068, 1.3826834, 1, 0.6173166, 0.2928932, 0.0761205],
        ),
        ("constant", [1, 2, 2, 2, 2, 2, 2, 2, 2, 2]),
    ],
)
def test_by_hand(decay, expected):
    schedule = WarmupDecay(2.0, num_steps=10, warmup=0.2, decay=decay)
    np.testing.assert_allclose(rates(schedule, 10), expected, rtol=1e-5, atol=1e-6)


def test_without_warmup_it_starts_at_the_top():
    assert rates(WarmupDecay(1.0, num_steps=4, warmup=0.0), 4) == [1, 0.75, 0.5, 0.25]


def test_all_warmup_rises_to_the_end():
    assert rates(WarmupDecay(1.0, num_steps=4, warmup=1.0), 4) == [0.25, 0.5, 0.75, 1]


def test_beyond_the_end_it_stays_at_zero():
    assert rates(WarmupDecay(1.0, num_steps=4, warmup=0.0), 7)[4:] == [0, 0, 0]


def test_config_makes_the_same_schedule():
    schedule = WarmupDecay(0.3, num_steps=9, warmup=0.3, decay="cosine")
    restored = keras.optimizers.schedules.deserialize(
        keras.optimizers.schedules.serialize(schedule)
    )
    assert rates(restored, 9) == rates(schedule, 9)


def test_unknown_decay_is_refused():
    with pytest.raises(ValueError, match="must be one of.*Received: decay='step'"):
        WarmupDecay(1.0, num_steps=4, decay="step")


def test_the_optimizer_follows_it():
    variable = keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(WarmupDecay(1.0, num_steps=4, warmup=0.5))
    seen = []
    for _ in range(4):
        before = keras.ops.convert_to_numpy(variable)[0]
        optimizer.apply([keras.ops.ones((1,))], [variable])
        seen.append(before - keras.ops.convert_to_numpy(variable)[0])
    np.testing.assert_allclose(seen, [0.5, 1, 1, 0.5], rtol=1e-6)


def test_an_optimizer_takes_another_rate_and_begins_again():
    schedule = WarmupDecay(0.1, num_steps=4, warmup=0.5)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=0.1, global_clipnorm=1.0)
    schedule.follow(optimizer)
    ours, theirs = keras.Variable([1.0, -2.0]), keras.Variable([1.0, -2.0])
    for start in (0.1, 0.3):
        restart(optimizer, start)
        # The same steps by an optimizer whose rate is set by hand before each.
        plain = keras.optimizers.AdamW(weight_decay=0.1, global_clipnorm=1.0)
        for share in (0.5, 1, 1, 0.5):
            assert float(optimizer.learning_rate) == pytest.approx(start * share)
            plain.learning_rate = start * share
            for each, variable in ((optimizer, ours), (plain, theirs)):
                each.apply([3 * variable], [variable])
            np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (ours, theirs)), rtol=1e-6)
    assert schedule.get_config()["learning_rate"] == pytest.approx(0.3)
