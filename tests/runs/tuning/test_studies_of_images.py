"""Studies on images, by the commands that a user gives, and on the page."""

import json

import pytest

from emotion_keras import record
from emotion_keras.data import read_dataset
from emotion_keras.data.noise import perturb
from emotion_keras.data.options import DataOptions
from emotion_keras.evaluation.sensitivity import read_noise
from emotion_keras.inference.load import load_model
from emotion_keras.inputs import ImageInput
from emotion_keras.studies import comparison, study
from reports.render import render
from tests.runs.test_images import SMALL
from tuning import paper, search, sensitivity
from tuning.spaces import space_of

GATED = "gated_transformer@scratch"
NETWORKS = {name: value for name, value in SMALL.items() if name != "precision"} | {"epochs": 1}

pytestmark = pytest.mark.usefixtures("runs_here")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


@pytest.fixture
def common(images, tmp_path):
    """Arguments of every study."""
    (tmp_path / "settings.json").write_text(json.dumps({"networks": NETWORKS}))
    return [f"--data={images}", f"--runs-dir={tmp_path / 'runs'}", "--precision=float32"]


def page(tmp_path):
    out = tmp_path / "report"
    assert render(str(tmp_path / "runs"), out=str(out), notify=lambda message: None) == 0
    return (out / "index.html").read_text()


def test_models_are_tested_with_all_noises_of_images(common, images, tmp_path):
    arguments = [f"--models={GATED},hog_logistic", "--levels=0.5", "--label-levels=", "--seeds=1"]
    arguments.append(f"--settings={tmp_path / 'settings.json'}")
    assert sensitivity.main(["noise", *common, *arguments]) == 0
    dataset = read_dataset(DataOptions.make(data=str(images)), {}, lambda message: None)
    for directory in record.find_runs(tmp_path / "runs" / "noise"):
        rows = read_noise(directory)
        assert [row["kind"] for row in rows] == list(ImageInput.noises)
        predict = load_model(directory).probabilities
        for row in rows:
            cells = perturb(dataset.cells("test"), row["kind"], 0.5, modality=ImageInput)
            expected = dataset.corpus.target.metrics(dataset.truth("test"), predict(cells))
            assert row["log_loss"] == pytest.approx(expected["log_loss"], abs=1e-5)
    shown = page(tmp_path)
    assert all(kind in shown for kind in ImageInput.noises)


def test_a_setting_is_searched_for_and_trained_with(common, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "run_tasks", study.run_tasks)  # In this process.
    space = {**{name: [value] for name, value in NETWORKS.items()}, "erasing": [0.0, 0.5]}
    (tmp_path / "space.json").write_text(json.dumps(space))
    # The defaults, which are tried first, are large.
    defaults = {"encoder": "scratch", **NETWORKS}
    monkeypatch.setattr("emotion_keras.training.settings.defaults_for", lambda *_, **__: defaults)
    arguments = [*common, "--max-trials=2", "--oracle=grid", f"--space={tmp_path / 'space.json'}"]
    assert search.main([*arguments, "--model=gated_transformer"]) == 0
    found = record.read_versioned(tmp_path / "runs" / "search" / "search.json")
    assert {trial["options"].get("erasing") for trial in found["trials"]} == {None, 0.0, 0.5}


def test_every_model_of_images_has_a_space_of_its_own_options():
    for name in comparison.CONTENDERS_BY_MODALITY["image"]:
        space = space_of(name, "image")
        assert (space is None) == (name == "majority")
        assert "token_dropout" not in (space or {})
    assert {"shift", "rotation", "image_size"} <= space_of(GATED, "image").keys()


def test_the_paper_is_made_of_images(common, tmp_path, monkeypatch, capsys):
    toy = paper.BUDGETS["quick"]["image"]._replace(
        models=f"hog_svm,{GATED}",
        seeds=1,
        settings={GATED: NETWORKS},
        arguments={
            "learning_rate": {"rates": "0.01"},
            "data_ratio": {"ratios": "1"},
            "noise": {"kinds": "blur", "levels": "0.5", "label_levels": ""},
            "gate": {"forms": "none"},
        },
    )
    monkeypatch.setitem(paper.BUDGETS, "quick", {"text": None, "image": toy})
    assert paper.main(common) == 0
    assert "Step 5 of 5: gate" in capsys.readouterr().out
