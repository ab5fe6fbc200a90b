import keras
import numpy as np
import pytest

from emotion_keras.layers import SpectrogramMasking

SHAPE = (6, 50, 20)


def masked(layer, shape=SHAPE):
    return keras.ops.convert_to_numpy(layer(keras.ops.ones(shape), training=True))


def longest_run(is_zero):
    """The longest stretch of true values."""
    lengths = np.diff(np.flatnonzero(np.concatenate([[True], ~is_zero, [True]]))) - 1
    return lengths.max()


def test_nothing_is_masked_but_in_training():
    inputs = keras.random.normal(SHAPE, seed=0)
    found = SpectrogramMasking(frames=10, bands=5)(inputs, training=False)
    np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (found, inputs)))


def test_masks_are_whole_stretches_of_time_and_bands():
    found = masked(SpectrogramMasking(frames=10, bands=5, num_masks=1, seed=1))
    assert set(np.unique(found)) == {0, 1}
    for example in found:
        no_time, no_band = (example == 0).all(axis=1), (example == 0).all(axis=0)
        np.testing.assert_array_equal(example == 0, no_time[:, None] | no_band[None, :])
        assert longest_run(no_time) == no_time.sum() <= 10
        assert longest_run(no_band) == no_band.sum() <= 5


def test_each_example_has_masks_of_its_own_and_each_call_others():
    layer = SpectrogramMasking(frames=10, bands=5, seed=1)
    first, second = masked(layer), masked(layer)
    assert len({example.tobytes() for example in first}) > 1 and (first != second).any()


def test_widths_are_drawn_evenly():
    found = masked(SpectrogramMasking(frames=10, bands=0, num_masks=1, seed=2), (4000, 50, 1))
    widths = (found[:, :, 0] == 0).sum(axis=1)
    shares = np.bincount(widths, minlength=11) / len(widths)
    np.testing.assert_allclose(shares, 1 / 11, atol=0.02)


def test_a_mask_is_never_longer_than_the_input():
    assert masked(SpectrogramMasking(frames=50, bands=0, seed=0), (3, 4, 2)).shape == (3, 4, 2)


def test_its_config_makes_it_again():
    layer = SpectrogramMasking(frames=3, bands=2, num_masks=1, seed=5, name="m")
    again = SpectrogramMasking.from_config(layer.get_config())
    np.testing.assert_array_equal(masked(again), masked(layer))


def test_negative_sizes_are_refused():
    with pytest.raises(ValueError, match="bands=-1"):
        SpectrogramMasking(frames=3, bands=-1)


def test_it_trains_as_part_of_a_model():
    inputs = keras.Input((None, 4))
    vectors = SpectrogramMasking(frames=3, bands=2)(inputs)
    vectors = keras.layers.GlobalAveragePooling1D()(vectors)
    model = keras.Model(inputs, keras.layers.Dense(1)(vectors))
    model.compile("sgd", "mse")
    history = model.fit(np.ones((8, 10, 4)), np.ones((8, 1)), verbose=0)
    assert np.isfinite(history.history["loss"]).all()
