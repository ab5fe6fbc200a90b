"""Vectors of numbers through every command."""

import csv
import json
import re

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from emotion_keras import compare, predict, record
from emotion_keras import fit as fit_command
from emotion_keras.inference.predictor import Predictor
from emotion_keras.service.app import make_app
from emotion_keras.training.run import fit
from reports.render import render
from tests.fixtures.vectors import MEANS

SMALL = {
    "num_layers": 1,
    "num_heads": 2,
    "intermediate_dim": 16,
    "embedding_dim": 16,
    "batch_size": 8,
    "epochs": 8,
    "learning_rate": 0.01,
}


@pytest.fixture
def run(vectors, tmp_path, quick_measures):
    options = {"data": str(vectors), "feature_columns": "AU*", "group_column": "person", **SMALL}
    runs_dir = str(tmp_path / "runs")
    return fit(**options, precision="float32", runs_dir=runs_dir, notify=lambda message: None)


@pytest.mark.each_backend
def test_a_run_of_vectors_learns_is_loaded_and_answers(run):
    recorded = record.read_run(run)
    assert recorded["corpus"]["reading"]["modality"] == "features"
    assert recorded["metrics"]["test"]["accuracy"] > 0.8  # A third by chance.
    predictor = Predictor.load(run)
    means = np.array([*MEANS.values()], float)
    assert predictor.predict(means) == predictor.predict([*map(json.dumps, means.tolist())])
    assert predictor.predict(means) == [*MEANS]
    assert predictor.predict([None, [0, 0, 5, 1]]) == ["", "calm"]
    # With these the service tries whether the model works.
    assert [answer["label"] in MEANS for answer in predictor(predictor.samples)] == [True, True]


def test_the_command_line_labels_vectors_and_tables(run, vectors, tmp_path, capsys):
    assert predict.main([str(run), "[2, 0, 5, 1]"]) == 0
    assert "glad" in capsys.readouterr().out
    for wrong in ("gladly", "[1, 2]"):
        assert predict.main([str(run), wrong]) == 2
        assert re.search("list of numbers|vectors of 4 numbers", capsys.readouterr().err)
    table = pd.read_csv(vectors).drop(columns="label")
    table.loc[3, "AU2"] = None
    table.to_csv(tmp_path / "new.csv", index=False)
    arguments = [str(run), f"--input={tmp_path}/new.csv", "--feature-columns=AU*"]
    assert predict.main([*arguments, f"--output={tmp_path}/out.csv"]) == 0
    with open(tmp_path / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60 and rows[3]["flag"] == "empty" and rows[3]["label"] == ""
    expected = pd.read_csv(vectors)["label"]
    assert np.mean([row["label"] == e for row, e in zip(rows, expected, strict=True)]) > 0.8


def test_the_service_takes_vectors(run):
    client = TestClient(make_app(Predictor.load(run)))
    answer = client.post("/predict", json={"vector": "[0, 2, 5, 1]"}).json()
    assert answer["predictions"][0]["label"] == "sad"
    refused = client.post("/predict", json={"vectors": ["[0, 2, 5, 1]", "sad"]})
    assert refused.status_code == 422 and "position 1: no list of numbers" in refused.text


def test_wrong_columns_are_named(vectors, tmp_path, capsys):
    arguments = [f"--data={vectors}", f"--runs-dir={tmp_path}/runs", "--model=majority"]
    assert fit_command.main([*arguments, "--feature-columns=XY*"]) == 2
    assert "has no column 'XY*'" in capsys.readouterr().err
    assert fit_command.main([*arguments, "--feature-columns=AU1,label"]) == 2
    assert "same column" in capsys.readouterr().err
    table = pd.read_csv(vectors).astype({"AU2": object})
    table.loc[5, "AU2"] = "much"
    table.to_csv(tmp_path / "damaged.csv", index=False)
    arguments[0] = f"--data={tmp_path}/damaged.csv"
    assert fit_command.main([*arguments, "--feature-columns=AU*"]) == 2
    assert "row 6, columns 'AU1' to 'AU4'" in capsys.readouterr().err


def test_vectors_are_compared_and_reported(vectors, tmp_path, quick_measures):
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"networks": {"embedding_dim": 16, "epochs": 2}}))
    models = "majority,features_logistic,features_svm,cnn,gated_transformer"
    arguments = [f"--data={vectors}", "--feature-columns=AU*", f"--models={models}", "--seeds=2"]
    arguments += [f"--settings={settings}", f"--runs-dir={tmp_path}/runs", "--precision=float32"]
    assert compare.main(arguments) == 0
    out = tmp_path / "report"
    assert render(str(tmp_path / "runs"), out=str(out), notify=lambda message: None) == 0
    assert "Features + SVM" in (out / "index.html").read_text()


# A single vector attends to itself alone.
@pytest.mark.filterwarnings("ignore:.*softmax over axis:UserWarning")
@pytest.mark.tensorflow
def test_an_export_says_what_keras_says(run):
    from emotion_keras.inference.export import export

    exported, trained = Predictor.load(export(run, notify=print)), Predictor.load(run)
    cells = np.random.default_rng(0).normal(1, 2, size=(20, 4))
    np.testing.assert_allclose(
        exported.predict_proba(cells), trained.predict_proba(cells), atol=1e-4
    )
