"""The Transformer block with a bias, against keras-hub's and against NumPy."""

import keras
import keras_hub
import numpy as np
import pytest

from emotion_keras.layers import BiasedTransformerEncoder, RelativePositionBias

MASK = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]], "int32")
SIZES = {"intermediate_dim": 16, "num_heads": 2, "layer_norm_epsilon": 1e-5}


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(2, 5, 8)).astype("float32")


@pytest.fixture
def block(vectors):
    keras.utils.set_random_seed(0)
    layer = BiasedTransformerEncoder(**SIZES, activation="relu")
    layer(vectors, MASK, np.zeros((2, 5, 5), "float32"))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0, 0.5, part.shape) for part in layer.get_weights()])
    return layer


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_without_bias_it_is_the_block_of_keras_hub(block, vectors):
    other = keras_hub.layers.TransformerEncoder(**SIZES, activation="relu")
    other(vectors, padding_mask=MASK)
    other.set_weights(block.get_weights())
    expected = numbers(other(vectors, padding_mask=MASK))
    found = numbers(block(vectors, MASK, np.zeros((2, 5, 5), "float32")))
    real = MASK.astype(bool)
    np.testing.assert_allclose(found[real], expected[real], atol=1e-5)


def test_the_bias_is_added_to_the_scores_of_each_head(block, vectors):
    bias = np.random.default_rng(2).normal(size=(2, 5, 5)).astype("float32")
    q, qb, k, kb, v, vb, o, ob, g, b, g2, b2, inner, ib, outer, ub = block.get_weights()

    def normalize(x, gamma, beta):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5) * gamma + beta

    query = np.einsum("bld,dhe->bhle", vectors, q) + qb[:, None]
    key = np.einsum("bld,dhe->bhle", vectors, k) + kb[:, None]
    value = np.einsum("bld,dhe->bhle", vectors, v) + vb[:, None]
    scores = query @ key.swapaxes(2, 3) / np.sqrt(4) + bias
    weights = np.exp(scores) * MASK[:, None, None]
    weights /= weights.sum(-1, keepdims=True)
    attended = np.einsum("bhle,hed->bld", weights @ value, o) + ob
    attended = normalize(vectors + attended, g, b)
    expected = normalize(attended + np.maximum(attended @ inner + ib, 0) @ outer + ub, g2, b2)
    found = numbers(block(vectors, MASK, bias))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_padding_changes_nothing_and_nothing_drops_but_while_training(vectors):
    keras.utils.set_random_seed(0)
    block = BiasedTransformerEncoder(**SIZES, dropout=0.5)
    bias = np.ones((2, 5, 5), "float32")
    found = numbers(block(vectors, MASK, bias))
    np.testing.assert_array_equal(numbers(block(vectors, MASK, bias)), found)
    assert np.abs(numbers(block(vectors, MASK, bias, training=True)) - found).max() > 0.1
    other = np.where(MASK[:, :, None] == 1, vectors, 9.0).astype("float32")
    np.testing.assert_allclose(numbers(block(other, MASK, bias))[0, :4], found[0, :4], atol=1e-5)
    short = numbers(block(vectors[:1, :4], MASK[:1, :4], bias[:, :4, :4]))
    np.testing.assert_allclose(short, found[:1, :4], atol=1e-5)


def test_it_is_saved_with_its_options(tmp_path, vectors):
    inputs = [keras.Input((None, 8)), keras.Input((None,), dtype="int32")]
    bias = RelativePositionBias(num_heads=2)(inputs[0])
    block = BiasedTransformerEncoder(**SIZES, dropout=0.1, name="block")
    model = keras.Model(inputs, block(*inputs, bias))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    given = [vectors, MASK]
    np.testing.assert_allclose(numbers(again(given)), numbers(model(given)), atol=1e-6)
    config = again.get_layer("block").get_config()
    assert {name: config[name] for name in SIZES} == SIZES
    assert (config["dropout"], config["activation"]) == (0.1, "gelu")


def test_a_width_that_heads_cannot_share_is_refused(vectors):
    block = BiasedTransformerEncoder(intermediate_dim=16, num_heads=3)
    with pytest.raises(ValueError, match="multiple of `num_heads`.*num_heads=3"):
        block(vectors, MASK, np.zeros((3, 5, 5), "float32"))
