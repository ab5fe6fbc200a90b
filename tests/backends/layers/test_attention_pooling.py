"""Gated attention against NumPy, and its contract as a layer."""

import keras
import numpy as np
import pytest

from emotion_keras.layers import AttentionPooling


@pytest.fixture
def inputs():
    return np.random.default_rng(0).normal(size=(3, 5, 8)).astype("float32")


@pytest.fixture
def pooling(inputs):
    layer = AttentionPooling(6, name="mine")
    layer.build(inputs.shape)
    return layer


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


def attention(layer, inputs):
    content, gate, score = layer.get_weights()
    hidden = np.tanh(inputs @ content) / (1 + np.exp(-(inputs @ gate)))
    exponentials = np.exp(hidden @ score[:, 0])
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def test_against_numpy(pooling, inputs):
    weights = attention(pooling, inputs)
    np.testing.assert_allclose(to_numpy(pooling.attention(inputs)), weights, atol=1e-6)
    expected = (weights[..., None] * inputs).sum(axis=1)
    np.testing.assert_allclose(to_numpy(pooling(inputs)), expected, atol=1e-6)


def test_padding_has_no_say(pooling, inputs):
    mask = np.array([[1, 1, 1, 0, 0]] * 3)
    expected = to_numpy(pooling(inputs[:, :3]))
    np.testing.assert_allclose(to_numpy(pooling(inputs, mask=mask)), expected, atol=1e-6)
    assert to_numpy(pooling.attention(inputs, mask))[:, 3:].max() == 0


def test_shapes(pooling):
    assert pooling(keras.KerasTensor((None, None, 8))).shape == (None, 8)
    assert [tuple(w.shape) for w in pooling.weights] == [(8, 6), (8, 6), (6, 1)]


def test_config_makes_the_same_layer(pooling, inputs):
    restored = keras.layers.deserialize(keras.layers.serialize(pooling))
    assert isinstance(restored, AttentionPooling)
    assert restored.get_config() == pooling.get_config()
    assert (restored.units, restored.name) == (6, "mine")
    restored.set_weights(pooling.get_weights())
    np.testing.assert_array_equal(to_numpy(restored(inputs)), to_numpy(pooling(inputs)))


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_close_to_float32(pooling, inputs, precision):
    mixed = AttentionPooling(6, dtype=precision)
    mixed.build(inputs.shape)
    mixed.set_weights(pooling.get_weights())
    mask = np.array([[1, 1, 1, 1, 0]] * 3)
    outputs = mixed(inputs, mask=mask)
    assert keras.backend.standardize_dtype(outputs.dtype) == precision.removeprefix("mixed_")
    np.testing.assert_allclose(to_numpy(outputs), to_numpy(pooling(inputs, mask=mask)), atol=0.03)


def test_gradients_reach_all_weights(pooling, inputs):
    start = keras.Input((None, 8))
    model = keras.Model(start, pooling(start))
    before = pooling.get_weights()
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.train_on_batch(inputs, np.ones((3, 8), "float32"))
    for old, new in zip(before, pooling.get_weights(), strict=True):
        assert np.abs(new - old).max() > 1e-5


def test_no_unit_is_refused():
    with pytest.raises(ValueError, match="units=0"):
        AttentionPooling(0)
