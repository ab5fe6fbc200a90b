"""Images through every command."""

import csv
import io
import json
import multiprocessing
import re
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from emotion_keras import compare, predict, record
from emotion_keras.evaluation.faithfulness import read_faithfulness
from emotion_keras.evaluation.predictions import read_predictions
from emotion_keras.inference.predictor import Predictor
from emotion_keras.service.app import make_app
from emotion_keras.training.run import fit
from reports.render import render
from tests.fixtures.images import DIRECTIONS, bars

NETWORK = {
    "image_size": 32,
    "embedding_dim": 16,
    "batch_size": 8,
    "epochs": 8,
    "learning_rate": 0.01,
    "precision": "float32",
    "rotation": 0,
    "flip": False,
}
SMALL = {**NETWORK, "num_layers": 1, "num_heads": 2, "intermediate_dim": 16}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


def quiet(message):
    """Says nothing."""


@pytest.fixture
def run(images, tmp_path, quick_measures):
    return fit(data=str(images), **SMALL, runs_dir=str(tmp_path / "runs"), notify=quiet)


@pytest.mark.each_backend
def test_a_run_of_images_is_loaded_answers_and_explains(run, images, capsys, terminal):
    recorded = record.read_run(run)
    assert recorded["corpus"]["reading"]["modality"] == "image"
    assert recorded["metrics"]["test"]["accuracy"] > 0.6  # A third by chance.
    predictor = Predictor.load(run)
    kept = pd.read_csv(run / record.TEXTS, dtype=str)
    rows = read_predictions(run, recorded)
    rows = rows[rows["split"] == "test"]
    found = predictor.model.probabilities(kept["text"].tolist())
    np.testing.assert_allclose(found, rows.filter(like="probability:"), atol=1e-5)
    path = str(images / "slanted" / "3.png")
    (answer,) = predictor([path], explain=True)
    classifier = predictor.model.network.get_layer("classifier")
    bias = keras.ops.convert_to_numpy(classifier.bias)
    label = predictor.labels.index(answer["label"])
    score = sum(word["contribution"] for word in answer["words"]) + bias[label] - bias.mean()
    logits = np.log(predictor.model.probabilities([path])[0])
    assert score == pytest.approx(logits[label] - logits.mean(), abs=1e-4)
    # 32 pixels are four patches of 8.
    names = [f"row {row}, column {column}" for row in range(1, 5) for column in range(1, 5)]
    assert [word["word"] for word in answer["words"]] == names
    assert predict.main([str(run), "--explain", path]) == 0
    shown = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert answer["label"] in shown
    assert len(re.findall(r"(?m)^ *([+-][▁▂▃▄▅▆▇█]|· ){4}(?![+-])", shown)) == 4
    assert not np.isnan([row["mean_drop"] for row in read_faithfulness(run)]).any()


@pytest.mark.parametrize("model", ["cnn", "lstm", "transformer"])
def test_other_models_learn_from_images(model, images, tmp_path, quick_measures):
    options = {"data": str(images), "model": model, **NETWORK}
    directory = fit(**options, runs_dir=str(tmp_path / "runs"), notify=quiet)
    history = pd.read_csv(directory / record.HISTORY)
    assert history["loss"].min() < 0.8 * history["loss"][0]


@pytest.mark.parametrize("model", ["majority", "pixels_logistic", "hog_logistic", "hog_svm"])
def test_baselines_learn_from_images(model, images, tmp_path, quick_measures):
    directory = fit(data=str(images), model=model, runs_dir=str(tmp_path / "runs"), notify=quiet)
    accuracy = record.read_run(directory)["metrics"]["test"]["accuracy"]
    assert accuracy == (1.0 if model.startswith("hog") else pytest.approx(1 / 3, abs=1 / 3))
    path = str(images / "down" / "2.png")
    (answer,) = Predictor.load(directory)([path])
    assert answer["flag"] == "" and sum(answer["probabilities"].values()) == pytest.approx(1)
    if model.startswith("hog"):
        assert answer["label"] == "down"


def test_a_table_is_labelled_row_by_row_with_what_is_wrong_with_an_image(run, images, tmp_path):
    folder = tmp_path / "table"
    folder.mkdir()
    Image.fromarray(bars(DIRECTIONS["down"], seed=99)).save(folder / "a.png")
    Image.fromarray(np.full((40, 40), 9, "uint8")).save(folder / "grey.png")
    (folder / "text.png").write_text("no image")
    (folder / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    names = ["a.png", "grey.png", "text.png", "drawing.svg", "not there.png", ""]
    (folder / "faces.csv").write_text("file_name\n" + "".join(f'"{name}"\n' for name in names))
    output = tmp_path / "out.csv"
    assert predict.main([str(run), f"--input={folder}/faces.csv", f"--output={output}"]) == 0
    with open(output, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file_name"] for row in rows] == names
    flags = ["", "constant", "unreadable", "unreadable", "missing", "missing"]
    assert [row["flag"] for row in rows] == flags
    assert rows[0]["label"] in DIRECTIONS and [row["label"] for row in rows[1:]] == [""] * 5


def test_a_parquet_file_of_bytes_trains_and_is_labelled_as_its_folder(
    images, tmp_path, quick_measures
):
    files = sorted(images.glob("*/*.png"))
    cells = [{"bytes": file.read_bytes(), "path": file.name} for file in files]
    labels = [file.parent.name for file in files]
    table = tmp_path / "faces.parquet"
    pd.DataFrame({"picture": cells, "emotion": labels}).to_parquet(table)
    options = {"model": "pixels_logistic", "runs_dir": str(tmp_path / "runs"), "notify": quiet}
    first = fit(data=str(table), image_column="picture", **options)
    second = fit(data=str(images), **options)
    runs = [record.read_run(directory) for directory in (first, second)]
    assert runs[0]["metrics"] == runs[1]["metrics"]
    output = tmp_path / "labelled.parquet"
    arguments = [str(first), f"--input={table}", "--image-column=picture", f"--output={output}"]
    assert predict.main(arguments) == 0
    labelled = pd.read_parquet(output)
    assert labelled["picture"].tolist() == cells
    assert labelled["label"].tolist() == Predictor.load(second).predict(map(str, files))


def test_images_are_compared_and_reported(images, tmp_path, runs_here):
    settings = tmp_path / "settings.json"
    networks = {name: value for name, value in NETWORK.items() if name != "precision"}
    settings.write_text(json.dumps({"networks": networks | {"epochs": 2}}))
    arguments = [f"--data={images}", "--models=majority,pixels_logistic,gated_transformer"]
    arguments += ["--seeds=2", f"--settings={settings}", "--precision=float32"]
    runs_dir = tmp_path / "runs"
    assert compare.main([*arguments, f"--runs-dir={runs_dir}"]) == 0
    assert len(runs_here) == 6
    out = tmp_path / "report"
    assert render(str(runs_dir), out=str(out), notify=quiet) == 0
    assert ">slanted<" in (out / "index.html").read_text()


@pytest.fixture
def no_processes():
    """Ends the processes that a service has begun, which other tests would count as theirs."""
    yield
    for process in multiprocessing.active_children():
        process.kill()
        process.join()


def test_the_service_says_of_a_file_what_the_predictor_says_of_its_path(run, images, no_processes):
    predictor = Predictor.load(run)
    path = images / "across" / "5.png"
    client = TestClient(make_app(predictor))
    answer = client.post(
        "/predict?explain=true", content=path.read_bytes(), headers={"Content-Type": "image/png"}
    )
    (found,), (expected,) = answer.json()["predictions"], predictor([str(path)], explain=True)
    assert (found["label"], found["flag"]) == (expected["label"], "")
    assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
    assert [one["word"] for one in found["words"]] == [one["word"] for one in expected["words"]]


@pytest.mark.tensorflow
def test_an_export_says_what_keras_says_and_needs_no_keras(run, images):
    from emotion_keras.inference.export import export

    folder = export(run, quantize="int8", notify=quiet)
    exported, trained = Predictor.load(folder), Predictor.load(run)
    cells = [str(path) for path in sorted(images.glob("*/*.png"))]
    np.testing.assert_allclose(
        exported.predict_proba(cells), trained.predict_proba(cells), atol=0.05
    )
    described = json.loads((folder / record.EXPORT).read_text())
    assert described["greatest_difference"] < 1e-4
    code = (
        "import sys; from emotion_keras import Predictor; "
        f"print(Predictor.load({str(folder)!r})({cells[0]!r})['label']); "
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'keras', 'tensorflow', 'torch', 'jax', 'scipy', 'pandas', 'soundfile', 'skimage'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    label, imported = done.stdout.splitlines()
    assert label == exported.predict([cells[0]])[0] and imported == "[]"


def test_a_photograph_of_any_kind_is_answered(run, tmp_path):
    colour = Image.fromarray(np.dstack([bars((1, 0), 300), bars((0, 1), 300), bars((1, 1), 300)]))
    written = io.BytesIO()
    colour.save(written, "JPEG")
    (tmp_path / "photo").write_bytes(written.getvalue())
    (answer,) = Predictor.load(run)([str(tmp_path / "photo")])
    assert answer["label"] in DIRECTIONS
