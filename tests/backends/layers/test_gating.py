"""The gate against NumPy, and its contract as a layer."""

import keras
import numpy as np
import pytest

from emotion_keras.layers import GatingLayer


@pytest.fixture
def inputs():
    return np.random.default_rng(0).normal(size=(3, 5, 8)).astype("float32")


def make_gate(inputs, **options):
    """A gate with random weights, and these."""
    gate = GatingLayer(bias_initializer="random_normal", **options)
    gate.build(inputs.shape)
    return gate, *gate.get_weights()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


def test_against_numpy(inputs):
    gate, kernel, bias = make_gate(inputs)
    opened = sigmoid(inputs @ kernel + bias)
    np.testing.assert_allclose(to_numpy(gate.gate(inputs)), opened, atol=1e-6)
    np.testing.assert_allclose(to_numpy(gate(inputs)), opened * inputs, atol=1e-6)


def test_a_scalar_gate_against_numpy(inputs):
    gate, kernel, bias = make_gate(inputs, scalar=True)
    assert kernel.shape == (8, 1) and bias.shape == (1,)
    opened = sigmoid(inputs @ kernel + bias)
    np.testing.assert_allclose(to_numpy(gate.gate(inputs)), opened, atol=1e-6)
    np.testing.assert_allclose(to_numpy(gate(inputs)), opened * inputs, atol=1e-6)
    assert gate(keras.KerasTensor((None, None, 8))).shape == (None, None, 8)


def test_it_opens_half_way_at_first(inputs):
    gate = GatingLayer(kernel_initializer="zeros")
    np.testing.assert_allclose(to_numpy(gate(inputs)), inputs / 2, atol=1e-7)


def test_shapes(inputs):
    gate = GatingLayer()
    assert gate(inputs).shape == (3, 5, 8)
    assert gate(keras.KerasTensor((None, None, 8))).shape == (None, None, 8)
    assert [tuple(w.shape) for w in gate.weights] == [(8, 8), (8,)]


@pytest.mark.parametrize("scalar", [False, True])
def test_config_makes_the_same_layer(inputs, scalar):
    options = {"kernel_initializer": "he_normal", "name": "mine", "scalar": scalar}
    gate, kernel, bias = make_gate(inputs, **options)
    restored = keras.layers.deserialize(keras.layers.serialize(gate))
    assert isinstance(restored, GatingLayer)
    assert restored.get_config() == gate.get_config()
    assert restored.get_config()["kernel_initializer"]["class_name"] == "HeNormal"
    assert restored.name == "mine"
    restored.set_weights([kernel, bias])
    np.testing.assert_array_equal(to_numpy(restored(inputs)), to_numpy(gate(inputs)))


@pytest.mark.parametrize("scalar", [False, True])
def test_a_loss_pulls_the_gates_of_words_to_their_mean(inputs, scalar):
    options = {"scalar": scalar, "keep": 0.2, "keep_weight": 3.0, "special": (1, 1)}
    gate, kernel, bias = make_gate(inputs, **options)
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]], "int32")
    gated = gate(inputs, mask, training=True)
    opened = sigmoid(inputs @ kernel + bias)
    np.testing.assert_allclose(to_numpy(gated), opened * inputs, atol=1e-6)
    # The words are the second to the fourth token of the first row, and the second of the second.
    mean = (opened[0, 1:4].sum(axis=0) + opened[1, 1]).mean() / 4
    (loss,) = gate.losses
    assert float(to_numpy(loss)) == pytest.approx(3 * abs(mean - 0.2), abs=1e-6)
    assert restored_keep(gate) == (0.2, 3.0, [1, 1])


def restored_keep(gate):
    config = keras.layers.deserialize(keras.layers.serialize(gate)).get_config()
    return config["keep"], config["keep_weight"], config["special"]


def test_the_loss_moves_the_gates(inputs):
    start, mask = keras.Input((5, 8)), keras.Input((5,), dtype="int32")
    gate = GatingLayer(scalar=True, keep=0.1, keep_weight=1.0)
    model = keras.Model([start, mask], 0 * gate(start, mask))
    model.compile(keras.optimizers.Adam(0.05), "mse")
    data = [inputs, np.ones((3, 5), "int32")]
    before = to_numpy(gate.gate(inputs)).mean()
    for _ in range(60):
        model.train_on_batch(data, np.zeros_like(inputs))
    assert before > 0.3 and to_numpy(gate.gate(inputs)).mean() == pytest.approx(0.1, abs=0.05)


def test_save_and_load(inputs, tmp_path):
    start = keras.Input((None, 8))
    model = keras.Model(start, GatingLayer(bias_initializer="random_normal")(start))
    model.save(tmp_path / "gate.keras")
    loaded = keras.saving.load_model(tmp_path / "gate.keras")
    np.testing.assert_array_equal(to_numpy(loaded(inputs)), to_numpy(model(inputs)))


def test_the_mask_is_passed_on():
    token_ids = np.array([[4, 5, 0, 0], [6, 7, 8, 9]])
    embedding = keras.layers.Embedding(10, 8, mask_zero=True)
    gate = GatingLayer()
    gated = gate(embedding(token_ids))
    pooled = keras.layers.GlobalAveragePooling1D()(gated)
    values = to_numpy(gated)
    expected = np.stack([values[0, :2].mean(axis=0), values[1].mean(axis=0)])
    np.testing.assert_allclose(to_numpy(pooled), expected, atol=1e-6)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_close_to_float32(inputs, precision):
    gate, kernel, bias = make_gate(inputs)
    mixed, *_ = make_gate(inputs, dtype=precision)
    mixed.set_weights([kernel, bias])
    outputs = mixed(inputs)
    assert keras.backend.standardize_dtype(outputs.dtype) == precision.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(mixed.kernel.dtype) == "float32"
    # bfloat16 keeps 8 bits: two roundings of 2**-9 each on values of up to 3.
    np.testing.assert_allclose(to_numpy(outputs), to_numpy(gate(inputs)), atol=0.03)


def test_gradients_reach_both_weights(inputs):
    start = keras.Input((5, 8))
    gate = GatingLayer()
    model = keras.Model(start, gate(start))
    before = [to_numpy(w) for w in gate.weights]
    model.compile("sgd", "mse")
    model.train_on_batch(inputs, np.ones_like(inputs))
    # d/dW of mean((g(h) h - 1)^2) at the initial weights, by hand.
    opened = sigmoid(inputs @ before[0] + before[1])
    slope = 2 * (opened * inputs - 1) * inputs * opened * (1 - opened) / inputs.size
    kernel_gradient = np.einsum("bli,blj->ij", inputs, slope)
    np.testing.assert_allclose(
        [to_numpy(gate.bias)], [before[1] - 0.01 * slope.sum(axis=(0, 1))], atol=1e-6
    )
    np.testing.assert_allclose(to_numpy(gate.kernel), before[0] - 0.01 * kernel_gradient, atol=1e-6)
