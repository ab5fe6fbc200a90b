import keras
import numpy as np
import pytest

from emotion_keras.layers import SpectrogramVariation

RNG = np.random.default_rng(0)
# Two frames a position: the last example has 1 of 12 positions.
MASK = (np.arange(12) < np.array([12, 12, 12, 12, 11, 10, 9, 8, 5, 3, 2, 1])[:, None]).astype(
    "int32"
)
FRAMES = RNG.normal(size=(12, 24, 10)).astype("float32") * np.repeat(MASK, 2, axis=1)[:, :, None]


def varied(layer, training=True, frames=FRAMES, mask=MASK):
    found = layer(keras.ops.array(frames), keras.ops.array(mask), training=training)
    return [keras.ops.convert_to_numpy(part) for part in found]


def draws(seed):
    """What the layer draws, which only Keras knows."""
    drawn = keras.random.uniform(
        (3, len(FRAMES), 1, 1), -1.0, 1.0, seed=keras.random.SeedGenerator(seed)
    )
    return keras.ops.convert_to_numpy(drawn)[:, :, 0, 0]


def test_nothing_changes_but_in_training():
    frames, mask = varied(SpectrogramVariation(0.2, 3, 1), training=False)
    np.testing.assert_array_equal(frames, FRAMES)
    np.testing.assert_array_equal(mask, MASK)


def test_a_gain_is_added_to_all_of_an_example():
    frames, mask = varied(SpectrogramVariation(0.0, 0.0, gain=2.0, seed=1))
    np.testing.assert_allclose(
        frames - FRAMES, np.broadcast_to(2 * draws(1)[2][:, None, None], FRAMES.shape), atol=1e-5
    )
    np.testing.assert_array_equal(mask, MASK)


def test_a_shift_interpolates_between_bands_and_repeats_the_outermost():
    frames, mask = varied(SpectrogramVariation(0.0, shift=3.0, gain=0.0, seed=2))
    for example, shift, found in zip(FRAMES, 3 * draws(2)[1], frames, strict=True):
        expected = [np.interp(np.arange(10) - shift, np.arange(10), frame) for frame in example]
        np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(mask, MASK)


def test_speed_interpolates_between_frames_and_what_is_real_ends_sooner_or_is_cut():
    frames, mask = varied(SpectrogramVariation(speed=0.4, shift=0.0, gain=0.0, seed=3))
    factors = 1 + 0.4 * draws(3)[0]
    assert factors.min() < 1 < factors.max()
    for example, real, factor, found, kept in zip(
        FRAMES, 2 * MASK.sum(axis=1), factors, frames, mask, strict=True
    ):
        sources = np.arange(24) * factor
        sources = sources[sources <= real - 1]
        expected = np.zeros((24, 10))
        for band in range(10):
            expected[: len(sources), band] = np.interp(
                sources, np.arange(real), example[:real, band]
            )
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert kept.sum() == -(-len(sources) // 2)
        np.testing.assert_array_equal(kept, np.arange(12) < kept.sum())


def test_each_call_draws_again():
    layer = SpectrogramVariation(0.2, 3, 1, seed=1)
    assert (varied(layer)[0] != varied(layer)[0]).any()


def test_its_config_makes_it_again():
    layer = SpectrogramVariation(0.2, 3, 1, seed=5, name="v")
    again = SpectrogramVariation.from_config(layer.get_config())
    np.testing.assert_array_equal(varied(again)[0], varied(layer)[0])


@pytest.mark.parametrize("wrong", [{"speed": 1.0}, {"shift": -1.0}, {"gain": -0.5}])
def test_ranges_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{[*wrong][0]}={[*wrong.values()][0]}"):
        SpectrogramVariation(**{"speed": 0.1, "shift": 1.0, "gain": 1.0, **wrong})


def test_it_trains_as_part_of_a_model():
    inputs, mask = keras.Input((None, 4)), keras.Input((None,), dtype="int32")
    vectors, varied_mask = SpectrogramVariation(0.2, 1, 1)(inputs, mask)
    vectors = keras.layers.Reshape((-1, 8))(vectors)
    vectors = keras.layers.GlobalAveragePooling1D()(vectors, mask=varied_mask)
    model = keras.Model([inputs, mask], keras.layers.Dense(1)(vectors))
    model.compile("sgd", "mse")
    data = [np.ones((8, 10, 4)), np.ones((8, 5), "int32")]
    history = model.fit(data, np.ones((8, 1)), verbose=0)
    assert np.isfinite(history.history["loss"]).all()
