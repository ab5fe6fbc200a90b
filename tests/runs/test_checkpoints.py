"""Runs over encoders whose special tokens are not BERT's: trained, loaded, explained, exported."""

import keras
import numpy as np
import pytest

from emotion_keras import record
from emotion_keras.inference.export import export
from emotion_keras.inference.load import load_model
from emotion_keras.inference.predictor import Predictor
from tests.runs.test_export import run

TEXTS = ["we laughed and hid, at home", "", "they shouted " * 20, "</s> storm", "cafe"]


@pytest.mark.each_backend
@pytest.mark.parametrize("encoder", ["toy_mpnet", "toy_e5"])
def test_a_run_is_loaded_and_explained(fit, encoder, request):
    folder = request.getfixturevalue(encoder)
    cut = encoder == "toy_e5"
    directory = fit(encoder=str(folder), num_layers=0, token_dropout=0.2, cut_vocabulary=cut)
    assert record.read_run(directory)["inputs"]["cut_vocabulary"] == cut
    predictor = Predictor.load(directory)
    rows = record.read_rows(directory / record.PREDICTIONS)
    kept = {row["id"]: row for row in rows if row["split"] == "test"}
    texts = list(record.read_rows(directory / record.TEXTS))
    found = predictor.model.probabilities([row["text"] for row in texts])
    for row, probabilities in zip(texts, found, strict=True):
        for label, value in zip(predictor.labels, probabilities, strict=True):
            expected = float(kept[row["id"]][f"probability:{label}"])
            assert value == pytest.approx(expected, abs=1e-5)
    assert predictor("</s>")["flag"] == "empty"
    answer = predictor("we laughed, and hid", explain=True)
    assert [row["word"] for row in answer["words"]] == ["we", "laughed", ",", "and", "hid"]
    total = sum(row["contribution"] or 0.0 for row in answer["words"]) + answer["rest"]
    assert total == pytest.approx(answer["score"], abs=1e-4)


@pytest.mark.tensorflow
@pytest.mark.parametrize("encoder", ["toy_mpnet", "toy_e5"])
@pytest.mark.parametrize("quantize", ["none", "int8"])
def test_an_export_says_the_same_without_keras(fit, encoder, quantize, request, tmp_path):
    folder = request.getfixturevalue(encoder)
    directory = fit(encoder=str(folder), num_layers=0, cut_vocabulary=encoder == "toy_e5")
    out = tmp_path / "exported"
    if keras.backend.backend() == "tensorflow":
        export(str(directory), out=str(out), quantize=quantize, notify=lambda message: None)
    else:
        done = run(
            "-m", "emotion_keras.export", directory, f"--out={out}", f"--quantize={quantize}",
            KERAS_BACKEND="tensorflow",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    texts = [row["text"] for row in record.read_rows(directory / record.TEXTS)] + TEXTS
    expected = load_model(directory).probabilities(texts)
    exported = Predictor.load(out)
    found = exported.model.probabilities(texts)
    np.testing.assert_allclose(found, expected, atol=1e-4 if quantize == "none" else 0.1)
    sure = np.sort(expected, axis=1)[:, -1] - np.sort(expected, axis=1)[:, -2] > 0.05
    same = found.argmax(axis=1) == expected.argmax(axis=1)
    assert same.all() if quantize == "none" else same[sure].all()
    answer = exported("we laughed, and hid", explain=True)
    assert [row["word"] for row in answer["words"]] == ["we", "laughed", ",", "and", "hid"]
