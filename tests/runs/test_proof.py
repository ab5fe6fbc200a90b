"""A modality and a kind of label that nobody knows of: each goes through every command.

They are defined in `tests/toys.py` and `tests/toy_labels.py`, and registered here.
"""

import json
import math

import keras
import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from emotion_keras import compare, predict, record
from emotion_keras.evaluation.predictions import read_predictions
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inputs import INPUTS
from emotion_keras.service.app import make_app
from emotion_keras.targets import TARGETS
from emotion_keras.training.run import fit
from reports.render import render
from tests.toy_labels import OrderedLabels
from tests.toys import NumbersInput

SMALL = {
    "num_layers": 1,
    "num_heads": 2,
    "intermediate_dim": 8,
    "batch_size": 16,
    "epochs": 2,
    "learning_rate": 0.01,
    "precision": "float32",
}
RATINGS = ["1", "2", "10"]


@pytest.fixture
def toy(request, monkeypatch, tmp_path, quick_measures):
    """Registers a toy; returns the options of a run of it and a few of its examples."""
    rng = np.random.default_rng(0)
    if request.param == "modality":
        monkeypatch.setitem(INPUTS, "numbers", NumbersInput)
        # The sum's sign is the label.
        rows = [np.round(rng.normal((-1) ** i, 0.5, 2 + i % 5), 2) for i in range(90)]
        table = {"numbers": [" ".join(map(str, row)) for row in rows]}
        table["label"] = ["up" if i % 2 == 0 else "down" for i in range(90)]
        options = {"modality": "numbers", "embedding_dim": 8}
    else:
        monkeypatch.setitem(TARGETS, "ordered", OrderedLabels)
        words = ["bad", "fair", "grand"]
        table = {
            "text": [f"a {words[i % 3]} day {'and night ' * (i % 4)}number {i}" for i in range(90)]
        }
        table["label"] = [RATINGS[i % 3] for i in range(90)]
        options = {"target": "ordered", "encoder": "scratch", "embedding_dim": 8}
        options |= {"vocabulary_size": 100, "sequence_length": 16}
    path = tmp_path / "toys.csv"
    pd.DataFrame(table).to_csv(path, index=False)
    (cells, *_) = table.values()
    return {"data": str(path), **options}, cells[:6]


both = pytest.mark.parametrize("toy", ["modality", "label"], indirect=True)


@pytest.mark.each_backend
@both
def test_it_is_trained_labelled_and_explained(toy, tmp_path, capsys):
    options, cells = toy
    runs_dir = str(tmp_path / "runs")
    directory = fit(**options, **SMALL, runs_dir=runs_dir, notify=lambda message: None)
    run = record.read_run(directory)
    predictor = Predictor.load(directory)
    # What is loaded says what the record holds.
    rows = read_predictions(directory, run)
    rows = rows[rows["split"] == "test"]
    kept = pd.read_csv(directory / record.TEXTS, dtype=str)
    assert kept["id"].tolist() == rows["id"].tolist()
    found = predictor.model.probabilities(kept["text"].tolist())
    np.testing.assert_allclose(found, rows.filter(like="probability:"), atol=1e-5)
    assert predictor.predict(kept["text"].tolist()) == predictor.model.target.decide(
        predictor.model.target.scale(found, run["temperature"])
    )
    # The contributions of an example's units and the rest add up to the score of its label.
    (answer,) = predictor(cells[:1], explain=True)
    label = predictor.labels.index(answer["label"])
    score = sum(word["contribution"] or 0 for word in answer["words"]) + answer["rest"]
    assert score == pytest.approx(answer["score"])
    logits = np.log(
        predictor.model.probabilities(
            predictor.model.modality.prepare(cells[:1], run["corpus"]["preparation"])
        )[0]
    )
    assert score == pytest.approx(logits[label] - logits.mean(), abs=1e-4)
    assert predict.main([str(directory), "--explain", *cells[:2]]) == 0
    shown = capsys.readouterr().out
    assert all(label in shown for label in predictor.predict(cells[:2]))


def test_labels_in_an_order_have_their_order_their_median_and_their_measure(
    monkeypatch, tmp_path, quick_measures
):
    monkeypatch.setitem(TARGETS, "ordered", OrderedLabels)
    target = OrderedLabels(OrderedLabels.find_labels(["10", "2", "", "1"]))
    assert target.labels == ("1", "2", "10")
    probabilities = np.array([[0.4, 0.25, 0.35], [0.1, 0.1, 0.8]])
    # The first row's highest probability is that of 1, its median is 2.
    assert target.decide(probabilities) == ["2", "10"]
    found = target.metrics(target.encode(["10", "10"]), probabilities)
    assert (found["accuracy"], found["mean_gap"]) == (0.5, 0.5)
    loss = float(
        np.mean(
            keras.ops.convert_to_numpy(target.loss(0.0)(target.encode(["10"]), probabilities[:1]))
        )
    )
    assert math.isclose(loss, 0.4**2 + 0.65**2, rel_tol=1e-6)


@pytest.mark.tensorflow
@both
def test_it_is_exported_and_served(toy, tmp_path):
    from emotion_keras.inference.export import export

    options, cells = toy
    directory = fit(**options, **SMALL, runs_dir=str(tmp_path / "runs"), notify=lambda m: None)
    folder = export(directory, notify=lambda message: None)
    exported, trained = Predictor.load(folder), Predictor.load(directory)
    assert exported.labels == trained.labels
    np.testing.assert_allclose(
        exported.predict_proba(cells), trained.predict_proba(cells), atol=1e-4
    )
    client = TestClient(make_app(exported))
    asked = {exported.plural: cells, "explain": True}
    answer = client.post("/predict", json=asked)
    assert answer.status_code == 200
    answers = answer.json()["predictions"]
    assert [one["label"] for one in answers] == exported.predict(cells)
    assert all(one["words"] for one in answers)


@both
def test_it_is_compared_and_reported(toy, runs_here, tmp_path):
    options, _ = toy
    settings = tmp_path / "settings.json"
    of_networks = {
        k: v
        for k, v in {**options, **SMALL}.items()
        if k not in ("data", "modality", "target", "encoder", "precision")
    }
    settings.write_text(json.dumps({"networks": of_networks}))
    models = "majority,transformer,gated_transformer"
    if options.get("encoder"):
        models = models.replace("er,", "er@scratch,") + "@scratch"
    arguments = [f"--models={models}", "--seeds=2", f"--settings={settings}", "--precision=float32"]
    arguments += [
        f"--{name}={options[name]}" for name in ("data", "modality", "target") if name in options
    ]
    runs_dir = tmp_path / "runs"
    assert compare.main([*arguments, f"--runs-dir={runs_dir}"]) == 0
    assert len(runs_here) == 6
    out = tmp_path / "report"
    assert render(str(runs_dir), out=str(out), notify=lambda message: None) == 0
    page = (out / "index.html").read_text()
    labels = record.read_run(next(runs_dir.glob("comparison/gated*")))["corpus"]["labels"]
    assert all(f">{label}<" in page for label in labels)
    assert "gated_transformer" in page
