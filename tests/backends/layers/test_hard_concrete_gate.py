"""The gate that closes, against NumPy, and its contract as a layer."""

import keras
import numpy as np
import pytest

from emotion_keras.layers import HardConcreteGate

MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]], "int32")
# Without the first and the last real token of each row.
WORDS = np.array([[0, 1, 1, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)


@pytest.fixture
def inputs():
    return np.random.default_rng(0).normal(size=(3, 5, 8)).astype("float32")


def make_gate(**options):
    gate = HardConcreteGate(bias_initializer="random_normal", special=(1, 1), **options)
    gate.build((None, None, 8))
    return gate


def to_numpy(tensors):
    return [keras.ops.convert_to_numpy(tensor) for tensor in tensors]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logits_of(gate, inputs):
    kernel, bias, *_ = gate.get_weights()
    mean, deviation = inputs.mean(-1, keepdims=True), inputs.std(-1, keepdims=True)
    return ((inputs - mean) / deviation @ kernel)[..., 0] + bias


def test_after_training_gates_are_open_or_closed(inputs):
    gate = make_gate(seed=1)
    gate.bias.assign([0.0])
    # So that half of the four words are as likely open as not, or likelier.
    middle = np.median(logits_of(gate, inputs)[WORDS])
    gate.bias.assign([2 / 3 * np.log(0.1 / 1.1) - middle])
    gates, shares, opened = to_numpy(gate(inputs, MASK))
    chances = sigmoid(logits_of(gate, inputs) - 2 / 3 * np.log(0.1 / 1.1))
    is_open = (chances >= 0.5) & WORDS
    assert is_open[WORDS].any() and not is_open[WORDS].all()
    np.testing.assert_array_equal(gates, is_open)
    np.testing.assert_allclose(shares, is_open / np.maximum(is_open.sum(1, keepdims=True), 1))
    # Special tokens stay in the mask, closed words do not.
    np.testing.assert_array_equal(opened, MASK * ~(WORDS & ~is_open))


def test_while_training_gates_are_drawn_as_the_paper_says(inputs):
    gate = make_gate(seed=1)
    logits = logits_of(gate, inputs)
    drawn = np.stack([to_numpy(gate(inputs, MASK, training=True))[0] for _ in range(2000)])
    assert (drawn[:, ~WORDS] == 0).all() and drawn.min() == 0 and drawn.max() == 1
    # Louizos et al. 2018, equation 12; 2,000 draws are within 4 standard errors.
    chances = sigmoid(logits - 2 / 3 * np.log(0.1 / 1.1))[WORDS]
    np.testing.assert_allclose((drawn > 0).mean(axis=0)[WORDS], chances, atol=0.045)
    # The mean by integration over u.
    u = (np.arange(100_000) + 0.5) / 100_000
    for logit, mean in zip(logits[WORDS], drawn.mean(axis=0)[WORDS], strict=True):
        stretched = 1.2 * sigmoid((np.log(u / (1 - u)) + logit) * 1.5) - 0.1
        assert mean == pytest.approx(np.clip(stretched, 0, 1).mean(), abs=0.04)


def test_a_share_of_the_words_is_kept():
    generator = np.random.default_rng(2)
    inputs = generator.normal(size=(64, 20, 8)).astype("float32")
    mask = (np.arange(20) < generator.integers(5, 21, size=(64, 1))).astype("int32")
    first, last = np.cumsum(mask, axis=1), mask.sum(axis=1, keepdims=True)
    words = (mask > 0) & (first > 1) & (first < last)
    for keep in (0.5, 0.1):
        gate = make_gate(keep=keep, seed=3)
        drawn = [to_numpy(gate(inputs, mask, training=True))[0][words] for _ in range(80)]
        assert np.mean(np.stack(drawn) > 0) == pytest.approx(keep, abs=0.02)
        gates, *_ = to_numpy(gate(inputs, mask))
        assert set(np.unique(gates)) == {0, 1}
        assert gates[words].mean() == pytest.approx(keep, abs=1.5 / words.sum())
        # Those of the largest logits.
        logits = logits_of(gate, inputs)[words]
        assert logits[gates[words] == 1].min() > logits[gates[words] == 0].max()


def test_it_closes_as_far_as_training_is(inputs):
    gate = make_gate(keep=0.2, seed=3)
    mask = np.ones_like(MASK)
    for closing, share in ((1, 0.2), (0.5, 0.6), (0.25, 0.8)):
        gate.closing.assign(closing)
        drawn = [to_numpy(gate(inputs, mask, training=True))[0][:, 1:4] for _ in range(500)]
        # 4,500 draws are within 4 standard errors.
        assert np.mean(np.stack(drawn) > 0) == pytest.approx(share, abs=0.03)
        # Afterwards the share is what it is to be in the end: 2 of 9, as 0.2 is rounded up.
        gates, *_ = to_numpy(gate(inputs, mask))
        assert gates.sum() == pytest.approx(2, abs=1)


def test_weights_of_tokens_are_heeded(inputs):
    gate = make_gate(keep=0.5)
    weights = np.array([[0.1, 0.2, 0.3, 0.2, 0.2]] * 3, "float32")
    gate.threshold.assign(-100.0)
    gates, shares, _ = to_numpy(gate(inputs, np.ones_like(MASK), weights))
    np.testing.assert_array_equal(gates, [[0, 1, 1, 1, 0]] * 3)
    np.testing.assert_allclose(shares, [[0, 2 / 7, 3 / 7, 2 / 7, 0]] * 3, rtol=1e-5)
    gate.threshold.assign(100.0)
    gates, shares, opened = to_numpy(gate(inputs, np.ones_like(MASK), weights))
    assert not gates.any() and not shares.any()
    np.testing.assert_array_equal(opened, [[1, 0, 0, 0, 1]] * 3)


def test_shapes(inputs):
    gate = HardConcreteGate()
    found = gate(keras.KerasTensor((None, None, 8)), keras.KerasTensor((None, None), "int32"))
    assert [one.shape for one in found] == [(None, None)] * 3
    assert found[2].dtype == "int32"
    assert [tuple(w.shape) for w in gate.weights] == [(8, 1), (1,)]


@pytest.mark.parametrize(
    "options", [{"keep": 0}, {"keep": 1.1}, {"beta": 0}, {"gamma": 0.1}, {"zeta": 1}]
)
def test_wrong_arguments_are_refused(options):
    with pytest.raises(ValueError, match="Received: "):
        HardConcreteGate(**options)


def test_config_makes_the_same_layer():
    gate = make_gate(keep=0.3, beta=0.5, gamma=-0.2, zeta=1.2, seed=4, name="mine")
    restored = keras.layers.deserialize(keras.layers.serialize(gate))
    assert isinstance(restored, HardConcreteGate)
    assert restored.get_config() == gate.get_config()
    assert restored.get_config()["special"] == [1, 1]


def make_model(**options):
    start, mask = keras.Input((None, 8)), keras.Input((None,), dtype="int32")
    gate = HardConcreteGate(seed=5, name="gate", **options)
    _, shares, _ = gate(start, mask)
    return keras.Model([start, mask], keras.layers.Dot(1)([start, shares]))


def test_save_and_load_after_training(inputs, tmp_path):
    model = make_model(keep=0.4)
    model.compile("sgd", "mse")
    before = [np.array(w) for w in model.get_layer("gate").get_weights()]
    model.train_on_batch([inputs, MASK], np.ones((3, 8)))
    kernel, bias, threshold, _ = model.get_layer("gate").get_weights()
    assert np.abs(kernel - before[0]).max() > 0 and threshold != 0
    model.save(tmp_path / "gate.keras")
    loaded = keras.saving.load_model(tmp_path / "gate.keras")
    for first, second in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(
        *(keras.ops.convert_to_numpy(one([inputs, MASK])) for one in (model, loaded))
    )


def test_draws_follow_from_the_seeds_state(inputs):
    model = make_model()
    (state,) = [v for v in model.non_trainable_variables if v.name == "seed_generator_state"]
    found = []
    for seed in (1, 1, 2):
        state.assign(np.array([seed, 0], "uint32"))
        found.append(keras.ops.convert_to_numpy(model([inputs, MASK], training=True)))
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0] - found[2]).max() > 0


def test_logits_that_rise_together_change_nothing(inputs):
    """The bias moves all logits: what it is trained to is what it was, to rounding."""
    model = make_model(keep=0.4)
    model.compile(keras.optimizers.SGD(1.0), "mse")
    gate = model.get_layer("gate")
    kernel, bias, *_ = [np.array(w) for w in gate.get_weights()]
    for _ in range(5):
        model.train_on_batch([inputs, MASK * 0 + 1], np.ones((3, 8)))
    assert np.abs(gate.get_weights()[0] - kernel).max() > 1e-3
    np.testing.assert_allclose(gate.get_weights()[1], bias, atol=1e-5)
