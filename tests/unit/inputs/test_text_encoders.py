"""The registry of encoders: what a name stands for, and what is known without loading anything."""

import subprocess
import sys

import pytest

from emotion_keras.inputs.text_encoders import ENCODERS, find_encoder


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Makes a file of word vectors and the folder of a preset, named as they stand here."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vectors.txt").write_text("we 0 1\n")
    (tmp_path / "preset").mkdir()
    (tmp_path / "preset" / "config.json").write_text("{}")
    for name in ENCODERS:  # What has a name is not taken for a file of that name.
        (tmp_path / name).write_text("we 0 1\n")


@pytest.mark.parametrize(
    "name, kind, can_be_frozen, has_checksum",
    [
        ("scratch", "scratch", False, False),
        ("embeddings", "embeddings", False, False),
        ("glove", "embeddings", False, False),
        ("vectors.txt", "embeddings", False, True),
        ("minilm", "pretrained", True, False),
        ("mpnet", "pretrained", True, False),
        ("e5", "pretrained", True, False),
        ("hf://owner/name", "pretrained", True, False),
        ("preset", "pretrained", True, True),
        ("bert_tiny_en_uncased", "pretrained", True, False),
        ("", "pretrained", True, False),
        ("x" * 5000, "pretrained", True, False),
    ],
)
def test_what_is_known_of_an_encoder(named, name, kind, can_be_frozen, has_checksum):
    encoder = find_encoder(name)
    assert (encoder.name, encoder.kind) == (name, kind)
    assert encoder.can_be_frozen == can_be_frozen
    assert encoder.has_pooled_output == (can_be_frozen and name != "e5")
    assert (encoder.sha256() is not None) == has_checksum


def test_the_registry_is_quick_to_ask():
    heavy = ("keras", "keras_hub", "pandas", "sklearn", "scipy", "tokenizers", "tensorflow")
    code = (
        "import sys; from emotion_keras.inputs.text_encoders import find_encoder; "
        "find_encoder('minilm').sha256(); find_encoder('x').kind; "
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
