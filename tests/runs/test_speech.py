"""Recordings of speech through every command."""

import csv
import importlib.util
import json
import multiprocessing
import re

import keras
import numpy as np
import pandas as pd
import pytest
import soundfile
from fastapi.testclient import TestClient

from emotion_keras import compare, predict, record
from emotion_keras import fit as fit_command
from emotion_keras.evaluation.faithfulness import read_faithfulness
from emotion_keras.evaluation.predictions import read_predictions
from emotion_keras.inference.predictor import Predictor
from emotion_keras.service.app import make_app
from emotion_keras.training.run import fit
from reports.render import render
from tests.fixtures.recordings import HERTZ, tone

SMALL = {
    "num_layers": 1,
    "num_heads": 2,
    "intermediate_dim": 16,
    "embedding_dim": 16,
    "frames_per_token": 4,
    "batch_size": 8,
    "epochs": 8,
    "learning_rate": 0.01,
    "precision": "float32",
    "mask_bands": 4,
    "mask_seconds": 0.05,
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


@pytest.fixture
def run(recordings, tmp_path, quick_measures):
    options = {"data": str(recordings), **SMALL, "runs_dir": str(tmp_path / "runs")}
    return fit(**options, notify=lambda message: None)


@pytest.mark.each_backend
def test_a_run_of_recordings_is_loaded_answers_and_explains(run, recordings, capsys, terminal):
    recorded = record.read_run(run)
    assert recorded["corpus"]["reading"]["modality"] == "speech"
    assert recorded["metrics"]["test"]["accuracy"] > 0.8  # A third by chance.
    predictor = Predictor.load(run)
    kept = pd.read_csv(run / record.TEXTS, dtype=str)
    rows = read_predictions(run, recorded)
    rows = rows[rows["split"] == "test"]
    assert kept["id"].tolist() == rows["id"].tolist()
    found = predictor.model.probabilities(kept["text"].tolist())
    np.testing.assert_allclose(found, rows.filter(like="probability:"), atol=1e-5)
    path = str(recordings / "high" / "3.wav")
    (answer,) = predictor([path], explain=True)
    classifier = predictor.model.network.get_layer("classifier")
    bias = keras.ops.convert_to_numpy(classifier.bias)
    label = predictor.labels.index(answer["label"])
    score = sum(word["contribution"] for word in answer["words"]) + bias[label] - bias.mean()
    assert answer["rest"] == pytest.approx(bias[label] - bias.mean(), abs=1e-4)
    assert answer["score"] == pytest.approx(score, abs=1e-4)
    logits = np.log(predictor.model.probabilities([path])[0])
    assert score == pytest.approx(logits[label] - logits.mean(), abs=1e-4)
    # 0.42 s are 43 frames of 10 ms, four a token.
    assert [word["word"] for word in answer["words"]] == [f"{0.04 * i:.2f} s" for i in range(11)]
    assert predict.main([str(run), "--explain", path]) == 0
    shown = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    # A block above or below for each of the eleven moments.
    assert "high" in shown and re.search(r"\+ [▁▂▃▄▅▆▇█ ]{11}", shown)
    assert "0.00 s to 0.40 s" in shown and "= moments" in shown and "recording" in shown
    assert "Without the 20 % of moments" in shown and "word" not in shown
    assert predict.main([str(run), "--explain-by", "gate", path]) == 0
    shown = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert re.search(r"0\.00 s [▁▂▃▄▅▆▇█]{11} 0\.40 s", shown)
    page = run / "page.html"
    assert predict.main([str(run), "--explain", path, "--output", str(page)]) == 0
    shown = page.read_text()
    assert "Recordings, explained by" in shown and "moments" in shown
    assert "word" not in re.sub(r"<style>.*?</style>", "", shown, flags=re.DOTALL)
    assert shown.count('title="0.04 s: contribution') == 1
    assert not np.isnan([row["mean_drop"] for row in read_faithfulness(run)]).any()


@pytest.fixture
def no_processes():
    """Ends the processes that a service has begun, which other tests would count as theirs."""
    yield
    for process in multiprocessing.active_children():
        process.kill()
        process.join()


def test_the_service_says_of_a_file_what_the_predictor_says_of_its_path(
    run, recordings, no_processes
):
    predictor = Predictor.load(run)
    path = recordings / "middle" / "5.wav"
    client = TestClient(make_app(predictor))
    answer = client.post(
        "/predict?explain=true", content=path.read_bytes(), headers={"Content-Type": "audio/wav"}
    )
    (found,), (expected,) = answer.json()["predictions"], predictor([str(path)], explain=True)
    assert (found["label"], found["flag"]) == (expected["label"], "")
    assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
    assert [one["word"] for one in found["words"]] == [one["word"] for one in expected["words"]]


def test_a_table_is_labelled_row_by_row_with_what_is_wrong_with_a_recording(
    run, recordings, tmp_path
):
    folder = tmp_path / "table"
    folder.mkdir()
    soundfile.write(folder / "a.wav", tone(HERTZ["low"], seed=99), 16000)
    soundfile.write(folder / "silent.wav", np.zeros(8000), 16000)
    (folder / "text.wav").write_text("no sound")
    names = ["a.wav", "silent.wav", "text.wav", "not there.wav", "", str(recordings / "low/1.wav")]
    (folder / "clips.csv").write_text("file_name\n" + "".join(f'"{name}"\n' for name in names))
    output = tmp_path / "out.csv"
    assert predict.main([str(run), f"--input={folder}/clips.csv", f"--output={output}"]) == 0
    with open(output, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file_name"] for row in rows] == names
    flags = ["", "silent", "unreadable", "missing", "missing", ""]
    assert [row["flag"] for row in rows] == flags
    assert [row["label"] for row in rows] == ["low", "", "", "", "", "low"]


@pytest.mark.parametrize("model", ["cnn", "lstm", "transformer"])
def test_other_models_learn_from_recordings(model, recordings, tmp_path, quick_measures):
    known = {"embedding_dim": 16, "epochs": 8, "learning_rate": 0.01, "batch_size": 8}
    options = {"data": str(recordings), "model": model, **known, "precision": "float32"}
    directory = fit(**options, runs_dir=str(tmp_path / "runs"), notify=lambda message: None)
    # A third by chance.
    assert record.read_run(directory)["metrics"]["test"]["accuracy"] > 0.6


def test_bert_says_that_recordings_have_no_encoder_for_it(recordings, tmp_path, capsys):
    arguments = [f"--data={recordings}", "--model=bert", f"--runs-dir={tmp_path}"]
    assert fit_command.main(arguments) == 2
    assert "only texts have" in capsys.readouterr().err


def test_a_table_of_paths_trains_as_its_folder_does(recordings, tmp_path, quick_measures):
    files = sorted(recordings.glob("*/*.wav"))
    rows = [f"{file.relative_to(recordings)},{file.parent.name}" for file in files]
    table = recordings / "clips.csv"
    table.write_text("\n".join(["clip,label", *rows]))
    options = {"model": "mfcc_logistic", "runs_dir": str(tmp_path / "runs")}
    directory = fit(data=str(table), audio_column="clip", **options, notify=lambda message: None)
    table.unlink()
    assert record.read_run(directory)["metrics"]["test"]["accuracy"] == 1.0
    assert Predictor.load(directory).predict([str(files[0])]) == [files[0].parent.name]


def test_the_content_of_recordings_is_part_of_the_identity(recordings, tmp_path, quick_measures):
    copy = tmp_path / "copy"
    for label, hertz in HERTZ.items():
        (copy / label).mkdir(parents=True)
        for i in range(10):
            soundfile.write(copy / label / f"{i}.wav", tone(hertz, seed=i), 16000)
    options = {"data": str(copy), "model": "majority", "runs_dir": str(tmp_path / "runs")}
    first = fit(**options, notify=lambda message: None)
    assert fit(**options, notify=lambda message: None) == first
    soundfile.write(copy / "low" / "0.wav", tone(100, seed=5), 16000)
    assert fit(**options, notify=lambda message: None) != first


def test_recordings_are_compared_and_reported(recordings, tmp_path, runs_here):
    settings = tmp_path / "settings.json"
    networks = {name: value for name, value in SMALL.items() if name != "precision"}
    settings.write_text(json.dumps({"networks": networks | {"epochs": 2}}))
    arguments = [f"--data={recordings}", "--models=majority,mfcc_svm,gated_transformer"]
    arguments += ["--seeds=2", f"--settings={settings}", "--precision=float32"]
    runs_dir = tmp_path / "runs"
    assert compare.main([*arguments, f"--runs-dir={runs_dir}"]) == 0
    assert len(runs_here) == 6
    out = tmp_path / "report"
    assert render(str(runs_dir), out=str(out), notify=lambda message: None) == 0
    assert ">middle<" in (out / "index.html").read_text()


@pytest.fixture
def frozen_run(recordings, tmp_path, quick_measures):
    if importlib.util.find_spec("resemblyzer") is None:
        pytest.skip("resemblyzer is not installed")
    small = {"encoder": "resemblyzer", "encoder_layers": 1, "num_layers": 0, "epochs": 4}
    options = {"data": str(recordings), **small, "learning_rate": 0.01, "precision": "float32"}
    return fit(**options, runs_dir=str(tmp_path / "runs"), notify=lambda message: None)


def test_a_pretrained_encoder_is_frozen_unless_asked_otherwise(frozen_run, capsys):
    recorded = record.read_run(frozen_run)
    assert recorded["inputs"]["freeze_encoder"] is True
    assert recorded["metrics"]["test"]["accuracy"] > 0.6  # A third by chance.
    again = ["--from-run", str(frozen_run), "--freeze-encoder=false", "--print-config"]
    with pytest.raises(SystemExit):
        fit_command.main(again)
    assert "freeze_encoder: false" in capsys.readouterr().out


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", ["run", "frozen_run"])
def test_an_export_says_what_keras_says(kind, recordings, request):
    run = request.getfixturevalue(kind)
    from emotion_keras.inference.export import export

    folder = export(run, notify=lambda message: None)
    exported, trained = Predictor.load(folder), Predictor.load(run)
    cells = [str(path) for path in sorted(recordings.glob("*/*.wav"))]
    np.testing.assert_allclose(
        exported.predict_proba(cells), trained.predict_proba(cells), atol=1e-4
    )
    assert exported.predict(cells) == trained.predict(cells)
