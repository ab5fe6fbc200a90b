"""The model of a finished run predicts what its record says."""

import csv

import numpy as np
import pytest

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.inference.load import load_model


def rows_with_texts(directory, path):
    rows = record.read_rows(directory / record.PREDICTIONS)
    with open(path, newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return rows, [texts[int(row["id"]) - 1] for row in rows]


on_each_backend = pytest.mark.each_backend


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, marks=on_each_backend),
        {"model": "cnn"},
        {"model": "tfidf_svm"},
        pytest.param({"encoder": "toy_bert"}, marks=on_each_backend),
        pytest.param(
            {"encoder": "toy_bert", "freeze_encoder": True, "num_layers": 0}, marks=on_each_backend
        ),
        {"encoder": "toy_distilbert"},
    ],
    ids=lambda options: " ".join(map(str, options.values())) or "default",
)
def test_it_predicts_what_the_record_holds(fit, toy, corpus_path, request, options):
    if "encoder" in options:
        options = options | {"encoder": str(request.getfixturevalue(options["encoder"]))}
    if "model" in options:
        of_blocks = {"num_layers", "num_heads", "intermediate_dim"}
        of_networks = set(toy) - {"data", "runs_dir", "precision"}
        for name in of_networks if options["model"].startswith("tfidf") else of_blocks:
            toy.pop(name)
    directory = fit(**options) if options else request.getfixturevalue("gated_run")
    rows, texts = rows_with_texts(directory, corpus_path)
    labels = record.read_run(directory)["corpus"]["labels"]
    expected = [[float(row[f"probability:{label}"]) for label in labels] for row in rows]
    predict = load_model(directory).probabilities
    np.testing.assert_allclose(predict(texts), expected, atol=1e-5)
    np.testing.assert_allclose(predict(texts[3:4]), expected[3:4], atol=1e-5)


def test_a_run_without_its_model_is_told(fit, tmp_path):
    directory = fit()
    (directory / record.MODEL).unlink()
    with pytest.raises(UserError, match=r"there is no model\.keras.*--from-run"):
        load_model(directory)
    with pytest.raises(UserError, match="no finished run"):
        load_model(tmp_path)
