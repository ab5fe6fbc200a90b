"""A model saved on one backend gives the same probabilities on another.

In a circle: with the tests on each backend, all have written and all have read.
"""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from emotion_keras.inputs.text import TextInput
from emotion_keras.models import MODELS
from emotion_keras.targets import SingleLabel

TEXTS = ["We laughed at home.", "They hid in the dark while the storm shouted!", "Café"]

TARGET = SingleLabel("abc")

LOAD = """
import sys
import keras, keras_hub, numpy as np
import emotion_keras.layers

for folder in sys.argv[1:]:
    model = keras.saving.load_model(f"{folder}/model.keras", compile=False)
    inputs = dict(np.load(f"{folder}/inputs.npz"))
    np.save(f"{folder}/{keras.backend.backend()}.npy", model.predict(inputs, verbose=0))
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory, minilm, minilm_embedded):
    """Folders of saved models with their inputs, and the probabilities on this backend."""
    scratch = TextInput.learn(TEXTS * 3, encoder="scratch", embedding_dim=8, token_dropout=0.1)
    sizes = {"num_heads": 2, "intermediate_dim": 8}
    keras.utils.set_random_seed(0)
    starts = {"minilm": (minilm, minilm_embedded, 0), "scratch": (scratch, scratch.embed(), 2)}
    expected = {}
    for name, (text, embedded, num_layers) in starts.items():
        model = MODELS["gated_transformer"](num_layers=num_layers, **sizes).build(embedded, TARGET)
        token_ids, mask = text.encode(TEXTS).pad([0, 1, 2], 24)
        inputs = {"token_ids": token_ids, "padding_mask": mask}
        folder = tmp_path_factory.mktemp(name)
        model.save(folder / "model.keras")
        np.savez(folder / "inputs.npz", **inputs)
        expected[folder] = model.predict(inputs, verbose=0)
    return expected


NEXT = {"tensorflow": "jax", "jax": "torch", "torch": "tensorflow"}


def test_another_backend_gives_the_same_probabilities(saved):
    backend = NEXT[keras.backend.backend()]
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"the package {backend} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *map(str, saved)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for folder, expected in saved.items():
        np.testing.assert_allclose(np.load(folder / f"{backend}.npy"), expected, atol=1e-5)
