"""The gate that closes within a model: what is closed has no say, and the parts add up."""

import keras
import numpy as np
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inference.explanation import explained_outputs, explaining_model, has_gate
from emotion_keras.inputs.embedded import embedded_features
from emotion_keras.inputs.text import TextInput
from emotion_keras.models import MODELS
from emotion_keras.targets import SingleLabel

TEXTS = ["We laughed at home, and laughing friends came.", "They hid!", "She shouted at home."] * 3
TARGET = SingleLabel("abc")


@pytest.fixture(scope="module")
def scratch():
    sizes = {"vocabulary_size": 70, "embedding_dim": 8, "sequence_length": 16}
    return TextInput.learn(TEXTS, encoder="scratch", **sizes)


@pytest.fixture(scope="module")
def pretrained(toy_bert):
    return TextInput.learn(TEXTS, encoder=str(toy_bert), sequence_length=16)


def build(text, **options):
    keras.utils.set_random_seed(3)
    settings = {"num_heads": 2, "intermediate_dim": 8, "num_layers": 1, "keep": 0.5, **options}
    model = MODELS["gated_transformer"](gate="hard_concrete", **settings).build(
        text.embed(), TARGET
    )
    # Half of the words of the texts are open, as after training.
    gate = model.get_layer("gate")
    gate.kernel.assign(10 * keras.ops.convert_to_numpy(gate.kernel))
    hidden = keras.Model(model.inputs, gate.input[0])
    inputs = batch(text)
    vectors = keras.ops.convert_to_numpy(hidden(inputs, training=False))
    mean, deviation = vectors.mean(-1, keepdims=True), vectors.std(-1, keepdims=True)
    kernel, bias, *_ = gate.get_weights()
    logits = ((vectors - mean) / deviation @ kernel)[..., 0] + bias
    gate.threshold.assign(np.median(logits[inputs["padding_mask"] > 0]))
    return model


def batch(text, texts=TEXTS[:3]):
    return text.encode(texts).inputs(range(len(texts)), 16)


def answers(model, inputs):
    """Probabilities, and the gates."""
    whole = keras.Model(model.input, [model.output, model.get_layer("gate").output[0]])
    return [keras.ops.convert_to_numpy(found) for found in whole(inputs, training=False)]


@pytest.mark.parametrize(
    ("encoder", "place"),
    [("scratch", "embeddings"), ("scratch", "first_reading"), ("pretrained", "first_reading")],
)
def test_closed_words_have_no_say(encoder, place, request):
    text = request.getfixturevalue(encoder)
    model, inputs = build(text, gate_after=place), batch(text)
    probabilities, gates = answers(model, inputs)
    mask = inputs["padding_mask"]
    assert (gates[:, 0] == 0).all()  # The special token before the text,
    assert all(row[length - 1] == 0 for row, length in zip(gates, mask.sum(1), strict=True))
    num_same = num_changed = 0
    for position in range(1, mask[0].sum() - 1):
        for token_id in sorted(set(inputs["token_ids"][mask > 0])):
            token_ids = inputs["token_ids"].copy()
            token_ids[0, position] = token_id
            others, new_gates = answers(model, {**inputs, "token_ids": token_ids})
            if gates[0, position] == 0 and (new_gates == gates).all():
                np.testing.assert_allclose(others[0], probabilities[0], atol=1e-6)
                num_same += 1
            elif gates[0, position]:
                num_changed += np.abs(others[0] - probabilities[0]).max() > 1e-5
    assert num_same and num_changed


@pytest.mark.parametrize("place", ["last", "embeddings", "first_reading"])
def test_contributions_add_up_and_are_0_where_it_is_closed(scratch, place):
    model = build(scratch, gate_after=place)
    assert has_gate(model)
    outputs = explained_outputs(
        explaining_model(model, TARGET), scratch.encode(TEXTS), sequence_length=16
    )
    biases = model.get_layer("classifier").get_weights()[1]
    for probabilities, gates, parts in zip(*outputs, strict=True):
        assert set(np.unique(gates)) <= {0, 1}
        assert (parts[gates == 0] == 0).all()
        scores = parts.sum(axis=0) + biases - biases.mean()
        np.testing.assert_allclose(np.exp(scores) / np.exp(scores).sum(), probabilities, rtol=1e-4)


def test_padding_changes_nothing(scratch):
    model = build(scratch, gate_after="embeddings")
    sequences = scratch.encode(TEXTS[1:3])
    assert sequences.lengths.max() == 8
    shortest, longest = (sequences.inputs(range(2), length) for length in (8, 16))
    for one, other in zip(answers(model, shortest), answers(model, longest), strict=True):
        np.testing.assert_allclose(other[:, : one.shape[1]], one, atol=1e-6)


def test_an_encoder_that_reads_twice_is_saved_and_loaded(pretrained, tmp_path):
    model = build(pretrained, gate_after="first_reading")
    inputs = batch(pretrained)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert loaded.count_params() == model.count_params()
    for one, other in zip(answers(model, inputs), answers(loaded, inputs), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gate": "linear_unit", "keep": 0.5}, "no share of words to keep"),
        ({"gate_after": "first_reading"}, "set gate to hard_concrete"),
        ({"gate": "hard_concrete", "gate_after": "blocks"}, "gate_after='blocks'"),
        ({"gate": "hard_concrete", "pooling": "max"}, "pooling='max'"),
        ({"gate": "hard_concrete", "gate_after": "first_reading"}, "leave out `--freeze-encoder`"),
    ],
)
def test_what_does_not_fit_together_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        MODELS["gated_transformer"](num_heads=2, **options).build(embedded_features(8), TARGET)


def test_several_modalities_are_read_once():
    embedded = embedded_features(8)._replace(read=None)
    weighted = embedded._replace(weights=keras.ops.cast(embedded.padding_mask, "float32"))
    options = {"gate": "hard_concrete", "gate_after": "first_reading", "num_heads": 2}
    assert MODELS["gated_transformer"](**options).build(embedded, TARGET)
    with pytest.raises(UserError, match="Examples of several modalities are read once"):
        MODELS["gated_transformer"](**options).build(weighted, TARGET)
