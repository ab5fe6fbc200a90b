"""Every kind of study on recordings, by the commands that a user gives, and on the page."""

import json

import pytest

from emotion_keras import record
from emotion_keras.data import read_dataset
from emotion_keras.data.noise import perturb
from emotion_keras.data.options import DataOptions
from emotion_keras.evaluation.sensitivity import read_noise
from emotion_keras.inference.load import load_model
from emotion_keras.inputs import SpeechInput
from emotion_keras.inputs import recordings as recordings_module
from emotion_keras.studies import study
from emotion_keras.training.run import fit
from reports.render import render
from tests.runs.test_speech import SMALL
from tuning import paper, search, sensitivity

GATED = "gated_transformer@scratch"
NETWORKS = {name: value for name, value in SMALL.items() if name != "precision"} | {"epochs": 1}

pytestmark = pytest.mark.usefixtures("runs_here")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


@pytest.fixture
def common(recordings, tmp_path):
    """Arguments of every study."""
    (tmp_path / "settings.json").write_text(json.dumps({"networks": NETWORKS}))
    return [f"--data={recordings}", f"--runs-dir={tmp_path / 'runs'}", "--precision=float32"]


@pytest.fixture
def analyze(common, tmp_path):
    """Makes an analysis of one seed; returns what it found, and the page with it."""

    def run(analysis, *arguments):
        small = ["--seeds=1", f"--settings={tmp_path / 'settings.json'}"]
        assert sensitivity.main([analysis, *common, *small, *arguments]) == 0
        found = record.read_versioned(tmp_path / "runs" / analysis / "sensitivity.json")
        return found, page(tmp_path)

    return run


def page(tmp_path):
    out = tmp_path / "report"
    assert render(str(tmp_path / "runs"), out=str(out), notify=lambda message: None) == 0
    return (out / "index.html").read_text()


@pytest.mark.parametrize(
    ("analysis", "arguments", "values"),
    [
        ("learning_rate", ["--rates=0.01,0.001"], [0.01, 0.001]),
        ("data_ratio", ["--ratios=0.5,1"], [0.5, 1.0]),
        # The one block is the last.
        ("gate", ["--forms=none,features,after_blocks"], ["none", "features"]),
    ],
)
def test_settings_are_analysed(analyze, tmp_path, analysis, arguments, values):
    found, shown = analyze(analysis, *arguments)
    assert [(p["contender"], p["value"]) for p in found["points"]] == [(GATED, v) for v in values]
    runs = [record.read_run(path) for path in record.find_runs(tmp_path / "runs" / analysis)]
    assert {run["corpus"]["reading"]["modality"] for run in runs} == {"speech"}
    assert {run["training"]["patience"] for run in runs} == {20}  # That of recordings.
    assert f"tuning.sensitivity {analysis}" in shown


def test_models_are_tested_with_all_noises_of_recordings(analyze, recordings, tmp_path):
    models = f"--models={GATED},mfcc_logistic"
    found, shown = analyze("noise", models, "--levels=0.5", "--label-levels=")
    dataset = read_dataset(DataOptions.make(data=str(recordings)), {}, lambda message: None)
    for directory in record.find_runs(tmp_path / "runs" / "noise"):
        rows = read_noise(directory)
        assert [row["kind"] for row in rows] == list(SpeechInput.noises)
        predict = load_model(directory).probabilities
        for row in rows:
            cells = perturb(dataset.cells("test"), row["kind"], 0.5, modality=SpeechInput)
            expected = dataset.corpus.target.metrics(dataset.truth("test"), predict(cells))
            assert row["log_loss"] == pytest.approx(expected["log_loss"], abs=1e-5)
    losses = {row["log_loss"] for row in rows}
    assert len(losses) == len(rows)
    assert set(found["noise"]) == {GATED, "mfcc_logistic"}
    assert all(kind in shown for kind in SpeechInput.noises)


def test_a_setting_is_searched_for_and_trained_with(common, recordings, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "run_tasks", study.run_tasks)  # In this process.
    space = {**{name: [value] for name, value in NETWORKS.items()}, "mask_bands": [2, 4]}
    (tmp_path / "space.json").write_text(json.dumps(space))
    # The defaults, which are tried first, are large.
    defaults = {"encoder": "scratch", **NETWORKS}
    monkeypatch.setattr("emotion_keras.training.settings.defaults_for", lambda *_, **__: defaults)
    arguments = [*common, "--max-trials=2", "--oracle=grid"]
    assert search.main([*arguments, "--model=mfcc_logistic", "--study=logistic"]) == 0
    arguments.append(f"--space={tmp_path / 'space.json'}")
    assert search.main([*arguments, "--model=gated_transformer"]) == 0
    found = record.read_versioned(tmp_path / "runs" / "search" / "search.json")
    assert [trial["reason"] for trial in found["trials"]] == [None] * 3
    assert {trial["options"].get("mask_bands") for trial in found["trials"]} == {None, 2, 4}
    assert "tuning.search" in page(tmp_path)


def test_the_paper_is_made_of_recordings(common, tmp_path, monkeypatch, capsys):
    toy = paper.Budget(
        prefix="quick-",
        models=f"mfcc_svm,{GATED}",
        analysed=GATED,
        seeds=1,
        settings={GATED: NETWORKS},
        arguments={
            "learning_rate": {"rates": "0.01"},
            "data_ratio": {"ratios": "1"},
            "noise": {"kinds": "telephone", "levels": "0.5", "label_levels": ""},
            "gate": {"forms": "none"},
        },
    )
    monkeypatch.setitem(paper.BUDGETS, "quick", {"text": None, "speech": toy})
    assert paper.main(common) == 0
    assert "Step 5 of 5: gate" in capsys.readouterr().out


@pytest.mark.each_backend
def test_noise_in_training_is_another_in_each_epoch(recordings, tmp_path, monkeypatch):
    made = []
    add_noise = recordings_module.add_noise
    monkeypatch.setattr(
        recordings_module, "add_noise", lambda s, *of: made.append(of) or add_noise(s, *of)
    )
    options = {"data": str(recordings), "runs_dir": str(tmp_path / "runs"), **SMALL, "epochs": 3}
    plain = fit(**options, notify=lambda message: None)
    assert not made
    options["noise"] = "speed:0.3,white_noise:0.1"
    directory = fit(**options, notify=lambda message: None)
    run = record.read_run(directory)
    assert run["training"]["noise"] == options["noise"]
    seeds = {kind: {seed for k, _, seed in made if k == kind} for kind, *_ in made}
    # 21 recordings in three epochs; what fills up the last batch is one of them once more.
    assert {kind: len(of_kind) for kind, of_kind in seeds.items()} == {
        "speed": 3 * run["corpus"]["protocol"]["num_train"],
        "white_noise": 3 * run["corpus"]["protocol"]["num_train"],
    }
    losses = [record.read_rows(path / "history.csv")[0]["loss"] for path in (plain, directory)]
    assert losses[0] != losses[1]


def test_noise_of_texts_is_refused(common, recordings, tmp_path, capsys):
    assert sensitivity.main(["noise", *common, "--kinds=typos"]) == 2
    assert "Accepted: white_noise, babble" in capsys.readouterr().err
    with pytest.raises(Exception, match="Accepted: white_noise, .*labels. Received: 'typos'"):
        fit(data=str(recordings), noise="typos:0.1", runs_dir=str(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()
