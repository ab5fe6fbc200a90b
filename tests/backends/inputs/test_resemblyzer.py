"""The encoder of speakers: the original's numbers, and what is refused."""

import importlib.util
import types

import keras
import numpy as np
import pytest
import torch

from emotion_keras.errors import UserError
from emotion_keras.inputs import SpeechInput, encoders
from emotion_keras.inputs.speech_encoders import find_encoder

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("resemblyzer") is None, reason="resemblyzer is not installed"
)


def original(frames, num_layers):
    """What the first layers of the package's own network give, by PyTorch."""
    path = find_encoder("resemblyzer").weights()
    state = torch.load(path, weights_only=True, map_location="cpu")["model_state"]
    lstm = torch.nn.LSTM(40, 256, num_layers, batch_first=True)
    kept = [name for name, _ in lstm.named_parameters()]
    lstm.load_state_dict({name: state[f"lstm.{name}"] for name in kept})
    with torch.no_grad():
        return lstm(torch.from_numpy(frames))[0].numpy()


@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_its_vectors_are_means_of_the_originals_states(num_layers):
    speech = SpeechInput.learn(
        SpeechInput.samples, encoder="resemblyzer", encoder_layers=num_layers
    )
    tokens, mask = speech.encode(SpeechInput.samples).pad([0, 1], 16)
    embedded = speech.embed()
    model = keras.Model(embedded.inputs, embedded.vectors)
    found = model.predict({"frames": tokens, "padding_mask": mask}, verbose=0)
    states = original(tokens.reshape(2, 16 * 8, 40), num_layers)
    expected = states.reshape(2, 16, 8, 256).mean(axis=2)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-5)


def pretend_package(monkeypatch, folder):
    spec = types.SimpleNamespace(origin=str(folder / "__init__.py")) if folder else None
    monkeypatch.setattr(encoders.importlib.util, "find_spec", lambda name: spec)


def test_damaged_weights_are_refused(tmp_path, monkeypatch):
    (tmp_path / "pretrained.pt").write_bytes(b"not the published weights")
    pretend_package(monkeypatch, tmp_path)
    speech = SpeechInput.learn(SpeechInput.samples, encoder="resemblyzer")
    with pytest.raises(UserError, match=r"pretrained\.pt is damaged.*force-reinstall"):
        speech.embed()
    # Whoever loads trained weights needs no others.
    assert speech.embed(load_weights=False).vectors.shape == (None, None, 256)


def test_a_missing_package_is_named(monkeypatch):
    pretend_package(monkeypatch, None)
    speech = SpeechInput.learn(SpeechInput.samples, encoder="resemblyzer")
    with pytest.raises(UserError, match="missing. Install it: pip install .*resemblyzer==0.1.4"):
        speech.embed()


def test_an_encoder_that_is_none_is_named():
    with pytest.raises(UserError, match="Accepted: scratch, resemblyzer. .*encoder='minilm'"):
        SpeechInput.learn(SpeechInput.samples, encoder="minilm")


def test_nothing_learned_from_the_start_is_frozen():
    with pytest.raises(UserError, match="Only a pretrained encoder can be frozen"):
        SpeechInput.learn(SpeechInput.samples, freeze_encoder=True)
