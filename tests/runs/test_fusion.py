"""Examples of several modalities through every command."""

import csv
import importlib.util
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from emotion_keras import compare, predict, record
from emotion_keras import fit as fit_command
from emotion_keras.data import load_corpus
from emotion_keras.data.options import DataOptions
from emotion_keras.errors import UserError
from emotion_keras.evaluation.card_words import ethics, limits, purpose
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inference.ways import compare_ways
from emotion_keras.inputs import find_modality
from emotion_keras.service.app import make_app
from emotion_keras.studies.contenders import full_names
from emotion_keras.training.run import fit
from emotion_keras.training.settings import Settings
from reports.render import render
from tests.fixtures.fused import LABELS
from tuning import sensitivity
from tuning.analyses import Gate
from tuning.analyses.base import Plan
from tuning.paper import budget_of
from tuning.spaces import space_of

SMALL = {
    "encoder": "scratch+scratch",
    "num_layers": 1,
    "num_heads": 2,
    "intermediate_dim": 16,
    "embedding_dim": 16,
    "batch_size": 8,
    "epochs": 12,
    "learning_rate": 0.01,
    "modality_dropout": 0.3,
    "precision": "float32",
}
SOUND = {"audio_column": "audio", "feature_columns": "AU*", "group_column": "person"}


@pytest.fixture
def make(fused, tmp_path, quick_measures):
    def make(**options):
        given = {"data": str(fused), "runs_dir": str(tmp_path / "runs"), **SMALL, **options}
        return fit(**given, notify=lambda message: None)

    return make


@pytest.fixture
def sound_run(make):
    return make(**SOUND)


def cell(fused, label, *without):
    """An example of a label, as Python gives it."""
    table = pd.read_csv(fused)
    row = table[table["label"] == label].iloc[0]
    found = {
        "speech": str(fused.parent / row["audio"]),
        "features": [float(row["AU1"]), float(row["AU2"])],
    }
    return {name: value for name, value in found.items() if name not in without}


@pytest.mark.each_backend
def test_a_fused_model_learns_what_no_modality_says_alone(sound_run, fused):
    recorded = record.read_run(sound_run)
    assert recorded["corpus"]["reading"]["modality"] == "speech+features"
    assert recorded["metrics"]["test"]["accuracy"] > 0.8  # Half by one modality alone.
    predictor = Predictor.load(sound_run)
    assert predictor.predict([cell(fused, label) for label in LABELS]) == [*LABELS]
    # What is there still says which of two pairs of labels it is.
    answers = predictor([cell(fused, label, "speech") for label in LABELS])
    assert [answer["flag"] for answer in answers] == ["speech empty"] * 4
    assert {answer["label"] for answer in answers[:2]} <= {"joy", "calm"}
    assert {answer["label"] for answer in answers[2:]} <= {"anger", "grief"}
    nothing, neither = predictor([{}, None])
    assert (nothing["flag"], neither["flag"]) == ("empty", "empty")


@pytest.mark.each_backend
def test_contributions_of_all_modalities_add_up_to_the_score(sound_run, fused):
    predictor = Predictor.load(sound_run)
    cells = [cell(fused, "joy"), cell(fused, "grief", "features"), cell(fused, "calm", "speech")]
    answers = predictor(cells, explain=True)
    bias = predictor.model.network.get_layer("classifier").get_weights()[1]
    for answer, alone in zip(answers, (None, "speech", "features"), strict=True):
        assert answer["label"] in LABELS
        names = {word["word"].partition(": ")[0] for word in answer["words"]}
        assert names == ({alone} if alone else {"speech", "features"})
        assert np.isclose(
            answer["score"], answer["rest"] + sum(w["contribution"] for w in answer["words"])
        )
        # Nothing but the label's constant is left: no token is forgotten or counted twice.
        constant = (bias - bias.mean())[predictor.labels.index(answer["label"])]
        assert answer["rest"] == pytest.approx(constant, abs=1e-4)


@pytest.mark.each_backend
@pytest.mark.parametrize("num_layers", [0, 1])
def test_every_way_of_explaining_takes_several_modalities(make, fused, num_layers):
    model = Predictor.load(make(**SOUND, num_layers=num_layers, epochs=1)).model
    cells = [model.modality.read(cell(fused, label)) for label in LABELS] * 3
    found = {row["order"] for row in compare_ways(model, cells)}
    assert found == {"contribution", "gate", "occlusion", "integrated_gradients", "random"}


def test_a_modality_that_is_left_out_is_not_the_mean_of_it(sound_run, fused):
    model = Predictor.load(sound_run).model
    one = model.modality.read(cell(fused, "joy"))
    (units,) = model.units([one])
    of_speech = [k for k, unit in enumerate(units) if unit.startswith("speech")]
    without = model.modality.part(one, units, of_speech)
    alone = model.modality.read(cell(fused, "joy", "features"))
    np.testing.assert_allclose(*map(model.probabilities, ([without], [alone])), atol=1e-6)


@pytest.mark.each_backend
def test_text_and_sound_go_together_and_the_encoder_is_frozen_for_sound(make, fused):
    if importlib.util.find_spec("resemblyzer") is None:
        pytest.skip("resemblyzer is not installed")
    directory = make(
        text_column="text",
        audio_column="audio",
        group_column="person",
        encoder="scratch+resemblyzer",
        num_layers=0,
    )
    inputs = record.read_run(directory)["inputs"]
    assert inputs["speech_freeze_encoder"] and not inputs["text_freeze_encoder"]
    assert list(directory.glob("vectors*")) == []
    # The whole model answers as the one over vectors that were computed before has validated.
    predictions = pd.read_csv(directory / "predictions.csv").query("split == 'val'")
    table = pd.read_csv(fused)
    rows = table.iloc[predictions["id"].astype(int) - 1]
    cells = [
        {"text": text, "speech": str(fused.parent / path)}
        for text, path in zip(rows["text"], rows["audio"], strict=True)
    ]
    history = pd.read_csv(directory / "history.csv")
    best = history.loc[history["val_macro_f1"].idxmax(), "val_accuracy"]
    found = np.array(Predictor.load(directory).predict(cells)) == rows["label"].to_numpy()
    assert found.mean() == pytest.approx(best, abs=1e-6)


def test_the_command_line_takes_what_there_is_of_an_example(sound_run, fused, capsys, terminal):
    joy = cell(fused, "joy")
    numbers = json.dumps(joy["features"])
    arguments = [str(sound_run), f"--audio={joy['speech']}", f"--features={numbers}"]
    assert predict.main([*arguments, "--explain"]) == 0
    shown = capsys.readouterr().out
    assert "joy" in shown and re.search(r"speech [+−]\d", shown) and "= speech" in shown
    assert predict.main([str(sound_run), json.dumps(joy), json.dumps({"features": [1, 1]})]) == 0
    assert "speech empty" in capsys.readouterr().out
    assert predict.main([str(sound_run), "--text=we sang"]) == 2
    assert "use `--audio`, `--features`. Received: `--text`" in capsys.readouterr().err
    for wrong in ("we sang", '{"text": "we sang"}', "[1, 2]"):
        assert predict.main([str(sound_run), wrong]) == 2
        assert "no JSON object of speech and features" in capsys.readouterr().err


def test_a_table_with_holes_is_labelled_row_by_row(sound_run, fused, tmp_path):
    table = pd.read_csv(fused).drop(columns=["label"])
    table["audio"] = [str(fused.parent / path) for path in table["audio"]]
    table.loc[1, "audio"] = None
    table.loc[2, "AU2"] = None
    table.loc[3, ["audio", "AU1"]] = None
    table.loc[4, "audio"] = "nowhere.wav"
    table.to_csv(tmp_path / "new.csv", index=False)
    arguments = [f"--input={tmp_path}/new.csv", "--audio-column=audio", "--feature-columns=AU*"]
    assert predict.main([str(sound_run), *arguments, f"--output={tmp_path}/out.csv"]) == 0
    with open(tmp_path / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    flags = ["", "speech empty", "features empty", "empty", "speech missing"]
    assert [row["flag"] for row in rows[:5]] == flags and len(rows) == 80
    assert [bool(row["label"]) for row in rows[:5]] == [True, True, True, False, True]


def test_what_each_modality_adds_is_kept_and_is_the_sum_of_its_parts(sound_run):
    kept = record.read_rows(sound_run / "modalities.csv")
    gates = pd.read_csv(sound_run / "gates.csv", dtype={"id": str})
    gates["modality"] = gates["word"].str.partition(": ")[0]
    sums = gates.groupby(["id", "modality"])["contribution"].sum()
    assert len(kept) == record.read_run(sound_run)["metrics"]["test"]["num_examples"]
    for row in kept:
        for name in ("speech", "features"):
            assert float(row[f"added:{name}"]) == pytest.approx(sums[row["id"], name], abs=1e-5)
            assert row[f"without:{name}"] in LABELS


def test_noise_of_one_modality_leaves_the_others(make):
    directory = make(**SOUND, noise="jitter:0.5,white_noise:0.2", epochs=1)
    assert record.read_run(directory)["training"]["noise"] == "jitter:0.5,white_noise:0.2"


def test_several_modalities_are_compared_and_reported(fused, tmp_path, quick_measures):
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"networks": {"embedding_dim": 16, "epochs": 2}}))
    arguments = [f"--data={fused}", "--audio-column=audio", "--feature-columns=AU*"]
    arguments += ["--seeds=1", f"--settings={settings}", f"--runs-dir={tmp_path}/runs"]
    assert compare.main([*arguments, "--precision=float32"]) == 0
    comparison = json.loads((tmp_path / "runs" / "comparison" / "comparison.json").read_text())
    assert {one["name"] for one in comparison["contenders"]} == {
        "majority",
        "fusion_logistic",
        "fusion_svm",
        "late_logistic",
        *(f"{model}@scratch+scratch" for model in ("cnn", "lstm", "transformer")),
        "gated_transformer@scratch+scratch",
    }
    out = tmp_path / "report"
    assert render(str(tmp_path / "runs"), out=str(out), notify=lambda message: None) == 0
    page = (out / "index.html").read_text()
    assert "gated_transformer@scratch+scratch" in page and 'id="modalities"' in page
    assert (out / "figures" / "modality_shares.png").exists()
    shown = pd.read_csv(out / "tables" / "modalities.csv").set_index("contender")
    (directory,) = (tmp_path / "runs" / "comparison").glob("fusion_logistic-*")
    rows = pd.read_csv(directory / "modalities.csv", dtype={"id": str}).merge(
        pd.read_csv(directory / "predictions.csv", dtype={"id": str}).query("split == 'test'"),
        on="id",
        suffixes=("", "_there"),
    )
    assert (rows["predicted"] == rows["predicted_there"]).all()
    assert shown.loc["fusion_logistic", "without_speech"] == pytest.approx(
        (rows["without:speech"] == rows["label"]).mean()
    )


# A single vector attends to itself alone.
@pytest.mark.filterwarnings("ignore:.*softmax over axis:UserWarning")
@pytest.mark.tensorflow
def test_an_export_says_what_keras_says_whatever_is_missing(sound_run, fused):
    from emotion_keras.inference.export import export

    exported, trained = Predictor.load(export(sound_run, notify=print)), Predictor.load(sound_run)
    cells = [
        cell(fused, label, *without)
        for label in LABELS
        for without in ((), ("speech",), ("features",))
    ]
    np.testing.assert_allclose(
        exported.predict_proba(cells), trained.predict_proba(cells), atol=1e-4
    )
    ours, theirs = (one(cells, explain=True) for one in (exported, trained))
    for found, expected in zip(ours, theirs, strict=True):
        assert found["flag"] == expected["flag"]
        np.testing.assert_allclose(
            [word["contribution"] for word in found["words"]],
            [word["contribution"] for word in expected["words"]],
            atol=1e-4,
        )


@pytest.mark.parametrize("model", ["fusion_logistic", "fusion_svm", "late_logistic"])
def test_models_without_a_network_fuse_too(fused, tmp_path, quick_measures, model):
    options = {"data": str(fused), **SOUND, "text_column": "text", "runs_dir": str(tmp_path)}
    directory = fit(**options, model=model, notify=lambda message: None)
    recorded = record.read_run(directory)
    assert recorded["corpus"]["reading"]["modality"] == "text+speech+features"
    # By chance a quarter. They learn from 900 numbers each, of which the vector has two.
    assert recorded["metrics"]["test"]["accuracy"] > 0.5
    predictor = Predictor.load(directory)
    joy = {"text": "we laughed and sang", **cell(fused, "joy")}
    answers = predictor([joy, {"text": "we laughed and sang"}, {}])
    assert [answer["flag"] for answer in answers] == ["", "speech empty, features empty", "empty"]
    assert answers[0]["label"] == "joy" and answers[1]["label"] in LABELS


def test_the_gates_study_and_the_search_leave_out_what_is_not_possible(fused, capsys):
    data = DataOptions.make(data=str(fused), **SOUND)
    plan = Plan(data, {}, {}, print)
    name = "gated_transformer@scratch+scratch"
    planned = sensitivity.plan_analysis(
        "gate", [name], own=Gate(), seeds=1, precision="auto", plan=plan
    )
    assert "first_pooling" not in {value for _, value in planned}
    assert "first_pooling left out" in capsys.readouterr().out
    space = space_of(name, "speech+features")
    assert space["pooling"] == ["average", "max", "attention"]
    assert space["modality_dropout"] == [0.0, 0.2, 0.4] and "token_dropout" not in space


@pytest.mark.parametrize("name", ["quick", "full"])
def test_the_papers_plan_names_models_of_several_modalities(name):
    budget = budget_of(name, "speech+features")
    assert full_names(budget.models, "speech+features") == budget.models.split(",")
    assert "gated_transformer@scratch+scratch" in budget.models.split(",")
    assert budget.analysed == "gated_transformer@scratch+scratch"
    for model, settings in budget.settings.items():
        options = {"model": model.partition("@")[0], "modality": "speech+features"}
        Settings.make(**options, encoder="scratch+scratch", **settings)


@pytest.fixture
def client(sound_run):
    return TestClient(make_app(Predictor.load(sound_run)))


def test_the_service_takes_a_form_with_what_there_is(client, sound_run, fused):
    joy = cell(fused, "joy")
    sound, numbers = Path(joy["speech"]).read_bytes(), json.dumps(joy["features"])
    address = "/predict?explain=true"
    answer = client.post(address, files={"speech": sound}, data={"features": numbers}).json()
    (found,) = answer["predictions"]
    expected = Predictor.load(sound_run)([joy])[0]
    assert found["label"] == expected["label"] == "joy" and found["flag"] == ""
    assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-4)
    assert {word["word"].partition(": ")[0] for word in found["words"]} == {"speech", "features"}
    for files, data, flag in (
        ({"speech": sound}, {}, "features empty"),
        ({}, {"features": numbers}, "speech empty"),
        ({"speech": b""}, {"features": numbers}, "speech empty"),
        ({"speech": b"no sound"}, {"features": numbers}, "speech unreadable"),
    ):
        # A form without a file is one of several parts all the same.
        parts = {**files, **{name: (None, text) for name, text in data.items()}}
        (found,) = client.post("/predict", files=parts).json()["predictions"]
        assert (found["flag"], bool(found["label"])) == (flag, True)


@pytest.mark.parametrize(
    ("parts", "status", "message"),
    [
        ({"text": (None, "we sang")}, 422, "each of these fields once at most: speech, features"),
        ({"speech": (None, "clip.wav")}, 422, "speech is a file"),
        ({"features": ("numbers.json", b"[1, 2]")}, 422, "features is no file"),
        ({"features": (None, "glad")}, 422, "no list of numbers"),
        ({"features": (None, "[1]")}, 422, "vectors of 2 numbers"),
        ({"features": (None, "[" + "1, " * 9000 + "1]")}, 413, "At most 10,000 characters"),
    ],
)
def test_the_service_refuses_other_forms(client, parts, status, message):
    answer = client.post("/predict", files=parts)
    assert answer.status_code == status and message in answer.json()["detail"]


def test_the_service_says_what_it_takes(client):
    health = client.get("/health").json()
    assert health["modality"] == "recording and vector" and health["max_seconds"] == 60
    answer = client.post("/predict", json={"text": "we sang"})
    assert answer.status_code == 415 and "multipart/form-data" in answer.json()["detail"]
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/predict", content=b"--y", headers=broken).status_code == 400
    page = client.get("/").text
    assert 'type="file" id="speech"' in page and '<textarea id="features"' in page


def test_a_model_has_examples_that_fit_it(sound_run):
    predictor = Predictor.load(sound_run)
    assert [answer["label"] in LABELS for answer in predictor(predictor.samples)] == [True, True]


BAD = [
    ({"modality": "speech+smell"}, "Unknown modality. Accepted: text, speech, image, features"),
    ({"modality": "speech+speech"}, "Unknown modality"),
    ({**SOUND, "encoder": "scratch"}, "are 2 names with [+] between them, as in scratch[+]scratch"),
    ({**SOUND, "encoder": "scratch+glove"}, "encoder is one of scratch. Received: encoder=glove"),
    ({**SOUND, "pooling": "first"}, "choose average, max or attention"),
    ({**SOUND, "feature_columns": "AU*,audio"}, "several modalities: audio"),
    ({**SOUND, "freeze_encoder": True}, "Unknown option.*freeze_encoder"),
    ({**SOUND, "feature_table": "x.csv"}, "`--feature-table` is for a folder"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_what_is_wrong_is_said(make, options, message):
    with pytest.raises(UserError, match=message):
        make(**options)


def test_a_column_of_another_modality_is_refused(fused, tmp_path, capsys):
    arguments = [f"--data={fused}", "--modality=speech", "--audio-column=audio"]
    arguments += ["--feature-columns=AU*", "--model=majority", f"--runs-dir={tmp_path}/runs"]
    assert fit_command.main(arguments) == 2
    assert "with `--audio-column`. Received: feature_columns='AU*'" in capsys.readouterr().err


@pytest.fixture
def folder(fused, tmp_path):
    """A folder of recordings with a folder for each label, and a table of vectors beside them."""
    table = pd.read_csv(fused)
    for path, label in zip(table["audio"], table["label"], strict=True):
        (tmp_path / "clips" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "clips" / label / path).write_bytes((fused.parent / path).read_bytes())
    vectors = table[["AU1", "AU2"]].assign(name=[p.replace(".wav", ".mp4") for p in table["audio"]])
    vectors.to_csv(tmp_path / "vectors.csv", index=False)
    return tmp_path


def test_a_folders_files_have_vectors_in_a_table_beside_them(make, folder, fused):
    options = {"data": str(folder / "clips"), "feature_table": str(folder / "vectors.csv")}
    directory = make(**options, feature_columns="AU*", epochs=1)
    recorded = record.read_run(directory)
    assert recorded["corpus"]["reading"]["modality"] == "speech+features"
    kept = {row["id"]: json.loads(row["text"]) for row in record.read_rows(directory / "texts.csv")}
    table = pd.read_csv(fused).set_index("audio")
    for name, example in kept.items():
        expected = table.loc[name.partition("/")[2], ["AU1", "AU2"]].tolist()
        assert json.loads(example["features"]) == expected
    # The table is part of what the run was made of, and where it lies is not.
    moved = folder / "elsewhere.csv"
    moved.write_text((folder / "vectors.csv").read_text())
    options["feature_table"] = str(moved)
    assert make(**options, feature_columns="AU*", epochs=1) == directory
    moved.write_text(moved.read_text().replace(",-", ",-1"))
    assert make(**options, feature_columns="AU*", epochs=1) != directory


def test_vectors_beside_a_folder_are_learned_from_alone(folder, fused):
    options = {"data": str(folder / "clips"), "feature_table": str(folder / "vectors.csv")}
    corpus = load_corpus(**options, feature_columns="AU*", modality="features")
    table = pd.read_csv(fused).set_index("audio")
    for example in corpus.examples.itertuples():
        expected = table.loc[example.id.partition("/")[2]]
        assert json.loads(example.features) == [expected["AU1"], expected["AU2"]]
        assert example.label == expected["label"]
    together = load_corpus(**options, feature_columns="AU*")
    assert together.examples["id"].tolist() == corpus.examples["id"].tolist()


def test_wrong_tables_beside_a_folder_are_refused(folder, capsys):
    rows = (folder / "vectors.csv").read_text().splitlines()
    (folder / "twice.csv").write_text("\n".join([*rows, rows[1]]))
    (folder / "others.csv").write_text("AU1,AU2,name\n1,2,other.wav\n")
    (folder / "nameless.csv").write_text("AU1,AU2,who\n1,2,0.wav\n")
    for file, message in {
        "twice": "names '0.mp4' twice",
        "others": "names none of the folder's files. It names 'other'",
        "nameless": "which column holds the file?",
        "missing": "No such file",
    }.items():
        arguments = [f"--data={folder}/clips", f"--feature-table={folder}/{file}.csv"]
        arguments += ["--feature-columns=AU*", "--model=majority", f"--runs-dir={folder}/runs"]
        assert fit_command.main(arguments) == 2
        assert message in capsys.readouterr().err


def test_the_class_and_its_options_reach_other_processes():
    modality = find_modality("speech+features")
    assert pickle.loads(pickle.dumps(modality)) is modality
    options = modality.options_class(encoder="scratch+scratch", embedding_dim=7)
    assert pickle.loads(pickle.dumps(options)) == options


def test_the_card_speaks_of_all_modalities(sound_run):
    run = record.read_run(sound_run)
    assert "recordings of speech with measurements of people" in purpose(run)
    said = ethics(run)
    assert len(said) == len(set(said)) and len([one for one in said if "2024/1689" in one]) == 1
    assert any("off a voice" in one for one in said) and any("off numbers" in one for one in said)
    assert any("an example without emotion" in one for one in limits(run))
