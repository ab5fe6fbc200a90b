"""The command that combines runs, and what is made of its run as of any other."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emotion_keras import record
from emotion_keras.combine import main
from emotion_keras.compare import main as compare
from emotion_keras.errors import UserError
from emotion_keras.evaluation.predictions import read_predictions
from emotion_keras.export import summarize
from emotion_keras.faithfulness import main as faithfulness
from emotion_keras.fit import main as fit_command
from emotion_keras.inference import export as export_module
from emotion_keras.inference.load import load_model
from emotion_keras.inference.outputs import explain_units
from emotion_keras.inference.predictor import Predictor
from emotion_keras.machine.cores import available_cores
from emotion_keras.predict import main as predict
from emotion_keras.studies.combination import combine
from emotion_keras.training import run as training_run
from reports.render import render
from tests.conftest import TOY

ROOT = Path(__file__).parents[2]
LABELS = ["anger", "fear", "joy"]
COLUMNS = [f"probability:{label}" for label in LABELS]
TEXTS = ["we laughed and it was sunny", "they shouted", "Alone.", "", "we hid " * 20]


@pytest.fixture(scope="module")
def members(gated_run, corpus_path):
    """Two networks of one kind, one of another, and a baseline."""
    of_data = {"data": str(corpus_path), "runs_dir": str(gated_run.parents[1])}
    return {
        "gated": gated_run,
        "again": training_run.fit(**TOY, **of_data, seed=1, notify=lambda message: None),
        "cnn": training_run.fit(
            **of_data,
            model="cnn",
            encoder="scratch",
            sequence_length=12,
            embedding_dim=8,
            epochs=1,
            precision="float32",
            notify=lambda message: None,
        ),
        "svm": training_run.fit(**of_data, model="tfidf_svm", notify=lambda message: None),
    }


@pytest.fixture
def combined(members, tmp_path):
    """Combines members by their names; returns the run's folder."""

    def make(*names, **options):
        runs = [members[name] for name in names]
        options = {"runs_dir": str(tmp_path / "runs")} | options
        return combine(runs, notify=lambda message: None, **options)

    return make


def geometric_mean(probabilities, weights):
    powers = np.prod([p**w for p, w in zip(probabilities, weights, strict=True)], axis=0)
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.each_backend
def test_it_answers_with_the_weighted_geometric_mean_of_its_members(combined, members):
    directory = combined("gated", "cnn", "svm")
    run = record.read_run(directory)
    weights = {one["run_id"]: one["weight"] for one in run["members"]}
    assert sum(weights.values()) == pytest.approx(1)
    names = {path.name: path for path in members.values() if path.name in weights}
    texts = [text for text in TEXTS if text]
    models = [load_model(path) for path in names.values()]
    expected = geometric_mean(
        [np.float64(model.probabilities(texts)) for model in models],
        [weights[name] for name in names],
    )
    found = load_model(directory)
    np.testing.assert_allclose(found.probabilities(texts), expected, atol=1e-6)
    # Read as a user's texts are, each member by its own tokens.
    read = found.read(texts)
    np.testing.assert_allclose(read.outputs.probabilities, expected, atol=1e-6)
    assert read.flags == ["", "", "", "truncated"]


def test_the_record_says_what_its_predictions_are(combined, members):
    directory = combined("gated", "svm")
    run = record.read_run(directory)
    weights = {one["run_id"]: one["weight"] for one in run["members"]}
    tables = [
        read_predictions(members[name], record.read_run(members[name])).set_index("id")
        for name in ("gated", "svm")
    ]
    expected = geometric_mean(
        [table[COLUMNS].to_numpy() for table in tables],
        [weights[members[name].name] for name in ("gated", "svm")],
    )
    found = read_predictions(directory, run).set_index("id")
    np.testing.assert_allclose(found[COLUMNS].to_numpy(), expected, atol=1e-6)
    for split in ("val", "test"):
        rows = found[found["split"] == split]
        right = rows[COLUMNS].to_numpy().argmax(1) == [LABELS.index(x) for x in rows["label"]]
        assert run["metrics"][split]["accuracy"] == pytest.approx(right.mean())
    costs = [record.read_run(members[name])["cost"] for name in ("gated", "svm")]
    for name in ("seconds", "milliseconds_for_1_text"):
        assert run["cost"][name] == pytest.approx(sum(cost[name] for cost in costs))
    assert (directory / record.TEXTS).read_bytes() == (members["gated"] / record.TEXTS).read_bytes()


def test_equal_weights_are_equal(combined):
    run = record.read_run(combined("gated", "cnn", "svm", weights="equal"))
    assert [one["weight"] for one in run["members"]] == [1 / 3] * 3


def test_the_same_command_again_makes_nothing(members, tmp_path, capsys):
    names = [str(members["gated"]), str(members["svm"])]
    options = ["--runs-dir", str(tmp_path / "runs")]
    assert main([*names, *options]) == 0
    first = capsys.readouterr().out
    assert main([*reversed(names), *options]) == 0
    again = capsys.readouterr().out
    assert "nothing is combined" in again and "nothing is combined" not in first
    assert first.splitlines()[-2:] == again.splitlines()[-2:]
    assert main([*names, *options, "--weights=equal"]) == 0
    assert "nothing is combined" not in capsys.readouterr().out
    assert len(record.find_runs(tmp_path / "runs")) == 2


def test_a_member_that_was_made_again_is_named(members, tmp_path):
    runs = [shutil.copytree(members[name], tmp_path / name) for name in ("gated", "svm")]
    said = []
    options = {"runs_dir": str(tmp_path / "runs"), "notify": said.append}
    directory = combine(runs, **options)
    path = runs[0] / record.RUN
    path.write_text(json.dumps(json.loads(path.read_text()) | {"best_epoch": 7}))
    assert combine(runs, **options) == directory
    assert f"The records of {runs[0]} are others" in said[-1]


def test_its_folder_is_all_that_it_needs(members, tmp_path):
    runs = [shutil.copytree(members[name], tmp_path / name) for name in ("gated", "svm")]
    directory = combine(runs, runs_dir=tmp_path / "runs", notify=lambda message: None)
    name = members["gated"].name
    kept = directory / record.MEMBERS / name / record.MODEL
    assert kept.samefile(runs[0] / record.MODEL)  # A second name of the same file.
    before = Predictor.load(directory)(TEXTS)
    for run in runs:
        shutil.rmtree(run)
    moved = shutil.move(directory, tmp_path / "elsewhere")
    assert Predictor.load(moved)(TEXTS) == before
    assert [one["flag"].partition(",")[0] for one in before][3:] == ["empty", "truncated"]


def test_runs_without_models_make_a_combination_without(members, tmp_path):
    runs = [shutil.copytree(members[name], tmp_path / name) for name in ("gated", "svm")]
    (runs[0] / record.MODEL).unlink()
    said = []
    directory = combine(runs, runs_dir=tmp_path / "runs", notify=said.append)
    assert "labels no new examples" in said[0]
    assert record.read_run(directory)["metrics"]["test"]["accuracy"] > 0
    with pytest.raises(UserError, match=r"kept without its model.*emotion_keras\.combine"):
        Predictor.load(directory)


def test_texts_are_labelled_as_arguments_and_as_a_file(combined, tmp_path, capsys):
    directory = combined("gated", "svm")
    pd.DataFrame({"text": TEXTS}).to_csv(tmp_path / "texts.csv", index=False)
    out = tmp_path / "labelled.csv"
    given = ["--input", str(tmp_path / "texts.csv"), "--output", str(out)]
    assert predict([str(directory), *given, "--long", "split"]) == 0
    found = pd.read_csv(out, keep_default_na=False)
    expected = Predictor.load(directory)(TEXTS, long="split")
    assert found["label"].tolist() == [one["label"] for one in expected]
    assert found["flag"].tolist() == [one["flag"] for one in expected]
    capsys.readouterr()
    assert predict([str(directory), TEXTS[0]]) == 0
    assert expected[0]["label"] in capsys.readouterr().out
    assert predict([str(directory), "--explain", TEXTS[0]]) == 2
    assert "cannot be explained" in capsys.readouterr().err


def test_the_best_run_may_be_a_combination(combined, tmp_path):
    directory = combined("gated", "svm")
    assert record.resolve_run("best", tmp_path / "runs") == directory


@pytest.mark.each_backend
def test_words_of_networks_that_read_alike_add_up_to_the_score(combined, members):
    directory = combined("gated", "again")
    weights = [one["weight"] for one in record.read_run(directory)["members"]]
    names = [one["run_id"] for one in record.read_run(directory)["members"]]
    paths = {path.name: path for path in members.values()}
    (found,) = load_model(directory).explain(TEXTS[:1])
    total = sum(word["contribution"] for word in found.words) + found.rest
    assert total == pytest.approx(found.score, abs=1e-5)
    # Each word adds the weighted mean of what it adds for the members, to the same label.
    models = [load_model(paths[name]) for name in names]
    label = load_model(directory).probabilities(TEXTS[:1]).argmax(axis=1)
    of_members = [
        explain_units(
            model.input,
            TEXTS[:1],
            model.outputs(model.input.encode(TEXTS[:1]), explain=True),
            model.target,
            label,
        )[0].words
        for model in models
    ]
    for position, word in enumerate(found.words):
        for name in ("gate", "contribution"):
            expected = sum(
                w * words[position][name] for w, words in zip(weights, of_members, strict=True)
            )
            assert word[name] == pytest.approx(expected, abs=1e-5)


def test_faithfulness_is_measured_by_occlusion(combined, capsys):
    assert faithfulness([str(combined("gated", "svm"))]) == 0
    shown = capsys.readouterr().out
    assert "occlusion" in shown and "contribution" not in shown


def export(directory, *options):
    command = [sys.executable, "-m", "emotion_keras.export", str(directory), *options]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )


@pytest.mark.each_backend
def test_an_export_says_what_the_run_says(combined, tmp_path):
    directory, out = combined("gated", "cnn"), tmp_path / "onnx"
    done = export(directory, "--out", str(out))
    assert done.returncode == 0, done.stderr
    expected, found = Predictor.load(directory)(TEXTS), Predictor.load(out)(TEXTS)
    for one, other in zip(found, expected, strict=True):
        assert (one["label"], one["flag"]) == (other["label"], other["flag"])
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-4)
    assert Predictor.load(out, parallel=True).num_parallel == len(available_cores())
    card = (out / "MODEL_CARD.md").read_text()
    assert "combination@cnn@scratch, gated_transformer@scratch" in card
    assert "python -m emotion_keras.combine" in card


@pytest.mark.tensorflow
def test_an_export_in_int8_says_what_that_costs(combined, tmp_path):
    directory, out = combined("gated", "again"), tmp_path / "int8"
    export_module.export(directory, out=str(out), quantize="int8", notify=lambda message: None)
    costs = json.loads((out / record.EXPORT).read_text())["accuracy_after_quantization"]
    assert costs["before"] == record.read_run(directory)["metrics"]["test"]["accuracy"]
    assert f"{100 * costs['after']:.2f} % in int8 (" in summarize(out)
    (answer,) = Predictor.load(out)(TEXTS[:1], explain=True)
    total = sum(word["contribution"] or 0 for word in answer["words"]) + answer["rest"]
    assert total == pytest.approx(answer["score"], abs=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        (("gated", "svm"), {}, "tfidf_svm-seed0-.* cannot be exported.*without it"),
        (("gated", "cnn"), {"format": "litert"}, "exported as ONNX alone"),
    ],
)
def test_what_cannot_be_exported_is_said(combined, names, options, said):
    directory = combined(*names)
    with pytest.raises(UserError, match=said):
        export_module.export(directory, notify=lambda message: None, **options)
    assert not list(directory.glob("onnx*")) and not list(directory.glob("litert*"))


def test_training_cannot_repeat_it_and_says_what_can(combined, capsys):
    directory = combined("gated", "svm")
    assert fit_command(["--from-run", str(directory)]) == 2
    said = capsys.readouterr().err
    assert "no training makes" in said and "python -m emotion_keras.combine" in said


def test_a_comparison_and_a_report_list_it(runs_here, corpus_path, tmp_path, capsys):
    study, options = tmp_path / "runs" / "comparison", ["--runs-dir", str(tmp_path / "runs")]
    command = ["--data", str(corpus_path), "--models", "tfidf_svm,tfidf_logistic", "--seeds", "2"]
    assert compare([*command, *options]) == 0
    for seed in ("0", "1"):
        runs = [str(path) for path in study.glob(f"tfidf_*-seed{seed}-*")]
        assert main([*runs, *options, "--study", "comparison"]) == 0
    assert compare([*command, *options]) == 0
    found = json.loads((study / "comparison.json").read_text())["contenders"]
    runs = {row["name"]: row["num_runs"] for row in found}
    name = "combination@tfidf_logistic, tfidf_svm"
    assert runs == {"tfidf_svm": 2, "tfidf_logistic": 2, name: 2}
    assert len(runs_here) == 4
    capsys.readouterr()
    assert render(tmp_path / "runs", out=str(tmp_path / "report")) == 0
    page = (tmp_path / "report" / "index.html").read_text()
    assert "TF-IDF + logistic regression with TF-IDF + SVM" in page
    assert "python -m emotion_keras.combine" in page
