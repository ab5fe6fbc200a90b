"""Ways of explaining, against models whose answer is known."""

import keras
import numpy as np
import pytest
from sklearn.base import BaseEstimator

from emotion_keras.inference.baseline_model import BaselineModel
from emotion_keras.inference.gradients import integrated_gradients
from emotion_keras.inference.keras_model import KerasModel
from emotion_keras.inference.ways import compare_ways, ways_of
from emotion_keras.inputs.text import TextInput
from emotion_keras.machine import devices
from emotion_keras.models import MODELS
from emotion_keras.targets import SingleLabel

TEXTS = ["We laughed at home, and friends came.", "They hid!", "She shouted; he shouted back."]
TARGET = SingleLabel("abc")


class Counting(BaseEstimator):
    """The probability of the second label is 0.5, and 0.2 more for `hid`, 0.1 less for `They`."""

    classes_ = np.array([0, 1])

    def predict_proba(self, cells):
        joy = np.array([0.5 + 0.2 * ("hid" in cell) - 0.1 * ("They" in cell) for cell in cells])
        return np.stack([1 - joy, joy, 0 * joy], axis=1)[:, :2]


@pytest.fixture(scope="module")
def text():
    return TextInput.learn(
        TEXTS * 3, encoder="scratch", vocabulary_size=70, embedding_dim=8, sequence_length=16
    )


def build(text, name, **options):
    keras.utils.set_random_seed(3)
    return KerasModel(MODELS[name](**options).build(text.embed(), TARGET), text, TARGET)


def test_a_gradient_is_that_of_the_formula():
    values = np.array([[0.5, -1.0], [2.0, 0.0]], "float32")
    slope = devices.gradient(lambda x, y: keras.ops.sum(keras.ops.exp(x) + x * y))
    for other in (np.full((2, 2), 3.0, "float32"), values):
        np.testing.assert_allclose(slope(values, other), np.exp(values) + other, rtol=1e-5)


SMALL = {"num_heads": 2, "intermediate_dim": 8, "num_layers": 1}


def halves(model, sequences, i):
    """The vectors of a text, and a function from vectors to centred scores."""
    network = model.network
    values, mask = sequences.pad([i], sequences.lengths[i])
    vectors = network.get_layer("embeddings").output
    rest = keras.Model([vectors, network.input["padding_mask"]], network.output)
    mask = keras.ops.convert_to_tensor(mask)

    def score(part):
        part = keras.ops.convert_to_tensor(part.astype("float32"))
        logs = np.log(keras.ops.convert_to_numpy(rest([part, mask])).astype("float64"))[0]
        return logs - logs.mean()

    return keras.ops.convert_to_numpy(network.get_layer("embeddings")(values)), score


CLASS_IDS = np.array([0, 2, 1])


@pytest.mark.parametrize("name", ["cnn", "lstm"])
def test_integrated_gradients_add_up_to_what_the_vectors_make_of_the_score(text, name):
    model, sequences = build(text, name), text.encode(TEXTS)
    found = integrated_gradients(
        model.network, text, TARGET, sequences, CLASS_IDS, num_steps=20, batch_size=2
    )
    for i, attributions in enumerate(found):
        assert len(attributions) == sequences.lengths[i]
        vectors, score = halves(model, sequences, i)
        difference = (score(vectors) - score(0 * vectors))[CLASS_IDS[i]]
        assert attributions.sum() == pytest.approx(difference, abs=1e-3)


@pytest.mark.parametrize("name", ["transformer", "gated_transformer"])
def test_integrated_gradients_are_what_small_steps_show(text, name):
    model, sequences = build(text, name, **SMALL), text.encode(TEXTS)
    found = integrated_gradients(
        model.network, text, TARGET, sequences, CLASS_IDS, num_steps=2, batch_size=2
    )
    vectors, score = halves(model, sequences, 1)
    for token, attribution in enumerate(found[1]):
        own = np.zeros_like(vectors)
        own[:, token] = vectors[:, token]
        slopes = [
            (score(place * vectors + 1e-2 * own) - score(place * vectors - 1e-2 * own)) / 2e-2
            for place in (0.25, 0.75)
        ]
        assert attribution == pytest.approx(np.mean(slopes, axis=0)[CLASS_IDS[1]], abs=2e-3)


def test_integrated_gradients_of_a_sum_are_its_parts(text):
    # Without blocks and gate a score is linear in the vectors: nothing is left to the steps.
    model = build(text, "transformer", num_layers=0)
    weights = model.network.get_layer("classifier").get_weights()[0]
    (found, *_) = model.integrate_gradients(TEXTS)
    (values, _), length = text.encode(TEXTS).pad([0], 16), text.encode(TEXTS).lengths[0]
    vectors = keras.ops.convert_to_numpy(model.network.get_layer("embeddings")(values))[0, :length]
    label = model.probabilities(TEXTS)[0].argmax()
    added = vectors @ (weights[:, label] - weights.mean(axis=1)) / length
    (units,) = text.units(TEXTS[:1])
    parts = np.split(added, np.cumsum([number for _, number in units])[:-1])
    assert found == pytest.approx([part.sum() for part in parts[1:-1]], abs=1e-5)


def test_occlusion_is_what_the_probability_loses(text):
    model = BaselineModel(Counting(), TextInput, TARGET)
    assert list(ways_of(model)) == ["occlusion"]
    (found, other) = ways_of(model)["occlusion"](["They hid!", "We came"])
    # Without `They` 0.1 is gained, without `hid` 0.2 lost, of 0.6; nothing hangs on the others.
    assert found == pytest.approx([-0.1, 0.2, 0.0])
    assert other == pytest.approx([0.0, 0.0])


def test_the_ways_of_each_kind_of_model_are_measured(text):
    rows = compare_ways(BaselineModel(Counting(), TextInput, TARGET), ["They hid!", "one"])
    assert [row["order"] for row in rows[::6]] == ["occlusion", "random"]
    assert rows[0]["num_texts"] == 1 and rows[0]["mean_drop"] == pytest.approx(0.2)
    orders = {
        name: [row["order"] for row in compare_ways(build(text, name, **options), TEXTS)[::6]]
        for name, options in (("gated_transformer", SMALL), ("cnn", {}))
    }
    of_cnn = ["occlusion", "integrated_gradients", "random"]
    assert orders == {"gated_transformer": ["contribution", "gate", *of_cnn], "cnn": of_cnn}
    quick = compare_ways(build(text, "gated_transformer", **SMALL), TEXTS, ["gate"])
    assert [row["order"] for row in quick[::6]] == ["gate", "random"]
    assert quick[0]["milliseconds"] > 0 and quick[-1]["milliseconds"] is None


def test_what_has_no_units_is_not_measured(text):
    assert compare_ways(BaselineModel(Counting(), TextInput, TARGET), ["one", "!"]) == []
