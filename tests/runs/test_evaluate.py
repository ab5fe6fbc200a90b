"""The command that evaluates models on other corpora: every kind of model, and what it keeps."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from emotion_keras import record
from emotion_keras.compare import main as compare
from emotion_keras.errors import UserError
from emotion_keras.evaluate import main
from emotion_keras.evaluation.predictions import read_answers, read_attributes, read_groups
from emotion_keras.evaluation.transfers import read_transfers
from emotion_keras.inference.load import load_model
from emotion_keras.studies import evaluation
from emotion_keras.studies.combination import combine
from emotion_keras.studies.evaluation import evaluate
from emotion_keras.training import run as training_run

ROOT = Path(__file__).parents[2]
LABELS = ["anger", "fear", "joy"]


def quiet(message):
    pass


@pytest.fixture(scope="module")
def svm(corpus_path, tmp_path_factory):
    """Folder of a finished run of a baseline; for reading alone."""
    options = {"data": str(corpus_path), "runs_dir": str(tmp_path_factory.mktemp("runs"))}
    return training_run.fit(model="tfidf_svm", **options, notify=quiet)


@pytest.fixture
def other(tmp_path):
    """A corpus of 60 texts by 12 people: two labels that models know, and two more."""
    words = {"Joy": "laughed sunny", "fear": "dark alone", "fury": "shouted broke", "calm": "tea"}
    rows = [
        {
            "text": f"{words[label if n % 10 else 'fear']} at number {n}",
            "mood": label,
            "who": str(n % 12),
            "sex": "fm"[n % 2],
        }
        for n, label in enumerate(list(words) * 15)
    ]
    path = tmp_path / "moods.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture
def run(svm, tmp_path):
    """A copy of the baseline's run, to write to."""
    return Path(shutil.copytree(svm, tmp_path / "runs" / "study" / svm.name))


def options_of(path):
    return {"data": str(path), "label_column": "mood", "group_column": "who"}


def expected(directory, path, labels=("Joy", "fear")):
    """Texts with a label that both know, and what the loaded model says of them."""
    table = pd.read_csv(path)
    table = table[table["mood"].isin(labels)]
    return table, load_model(directory).probabilities(table["text"].tolist())


def check(folder, directory, path, tolerance=1e-6):
    """Makes sure that an evaluation is of what the model of a run says."""
    table, probabilities = expected(directory, path)
    found = record.read_evaluation(folder)
    rows = read_answers(folder, found)
    columns = [f"probability:{label}" for label in LABELS]
    np.testing.assert_allclose(rows[columns].to_numpy(), probabilities, atol=tolerance)
    assert rows["label"].tolist() == table["mood"].tolist()
    right = [LABELS[i] for i in probabilities.argmax(1)] == table["mood"].str.lower()
    assert found["scores"]["open"]["accuracy"]["mean"] == pytest.approx(right.mean())
    shared = probabilities[:, [2, 1]].argmax(1) == (table["mood"] == "fear")
    assert found["metrics"]["accuracy"] == pytest.approx(shared.mean())
    assert found["left_out"] == {"calm": 15, "fury": 15}
    assert found["said"] == {"anger": int((probabilities.argmax(1) == 0).sum())}
    return found


def test_a_run_of_a_baseline(run, other):
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    folder = evaluate(run, **options_of(other), notify=quiet)
    assert folder.parent == run / "evaluations" and folder.name.startswith("moods-")
    found = check(folder, run, other)
    assert found["model"]["corpus"] == "days" and found["corpus"]["grouped"]
    assert found["near_repeats"] == {"texts": 0, "checked": 30, "least": 0.8}
    groups = read_groups(folder)
    assert len(groups) == 30 and len(set(groups.values())) == 6
    # The run is as it was, and the evaluation is no run.
    assert before == {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    assert record.find_runs(run.parent) == [run]
    assert record.find_evaluations(run.parent) == [folder]


@pytest.mark.each_backend
def test_a_run_of_a_network(gated_run, other, tmp_path):
    folder = evaluate(gated_run, **options_of(other), out=str(tmp_path / "out"), notify=quiet)
    assert folder.parent == tmp_path / "out"
    check(folder, gated_run, other, tolerance=1e-5)


def test_a_combination(gated_run, svm, other, tmp_path):
    made = combine([gated_run, svm], runs_dir=str(tmp_path), notify=quiet)
    check(evaluate(made, **options_of(other), notify=quiet), made, other, tolerance=1e-5)


@pytest.mark.tensorflow
def test_an_export_without_keras(gated_run, other, tmp_path):
    from emotion_keras.inference.export import export

    out = export(gated_run, out=str(tmp_path / "onnx"), notify=quiet)
    code = (
        "import sys; from emotion_keras.evaluate import main\n"
        "code = main(sys.argv[1:])\n"
        "assert not {'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)\n"
        "sys.exit(code)"
    )
    words = [f"--{k.replace('_', '-')}={v}" for k, v in options_of(other).items()]
    done = subprocess.run(
        [sys.executable, "-c", code, str(out), *words],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder,) = record.find_evaluations(out)
    found = check(folder, gated_run, other, tolerance=1e-4)
    assert found["model"]["run_id"] is None and found["near_repeats"] is None
    with pytest.raises(UserError, match="is an export.*Give the folder of its run"):
        evaluate(out, **options_of(other), adapt="prior", notify=quiet)


def test_the_command_shows_what_it_keeps_and_again_predicts_nothing(
    run, other, capsys, monkeypatch
):
    words = [f"--{k.replace('_', '-')}={v}" for k, v in options_of(other).items()]
    assert main([str(run), *words, "--map", "anger=fury"]) == 0
    first = capsys.readouterr().out
    assert "tfidf_svm answers 45 texts." in first
    for said in (
        "shared labels",
        "lacks their label: 15 (calm 15)",
        "its own temperature",
        "Next:",
    ):
        assert said in first
    assert " all labels  " not in first  # The model has no others.
    monkeypatch.setattr(evaluation, "_predict", None)
    assert main([str(run), *words, "--map", "anger=fury"]) == 0
    again = capsys.readouterr().out
    assert "This is evaluated already, nothing is predicted" in again
    tables = "tfidf_svm, trained on days, on moods"
    assert again[again.index(tables) :] == first[first.index(tables) :]
    (folder,) = record.find_evaluations(run)
    found = record.read_evaluation(folder)
    assert found["command"][:4] == ["python", "-m", "emotion_keras.evaluate", str(run)]
    assert "--map=anger=fury" in found["command"]


def test_accuracy_is_said_by_attribute(run, other, capsys):
    folder = evaluate(run, **options_of(other), attributes="sex", notify=quiet)
    found = record.read_evaluation(folder)
    table, probabilities = expected(run, other)
    right = (probabilities[:, 2] < probabilities[:, 1]) == (table["mood"] == "fear")
    for group in found["by_attribute"]:
        own = right[table["sex"] == group["value"]]
        assert group["accuracy"]["mean"] == pytest.approx(own.mean())
        assert group["num_examples"] == len(own) == 15
    assert read_attributes(folder)["sex"].tolist() == table["sex"].tolist()
    words = [f"--{k.replace('_', '-')}={v}" for k, v in options_of(other).items()]
    assert main([str(run), *words, "--attributes", "sex"]) == 0
    assert "Accuracy among the shared labels by sex" in capsys.readouterr().out


def test_what_changes_the_answer_makes_another_evaluation(run, other):
    first = evaluate(run, **options_of(other), notify=quiet)
    folder = other.parent / "elsewhere"
    folder.mkdir()
    moved = other.rename(folder / other.name)
    assert evaluate(run, **options_of(moved), notify=quiet) == first
    others = [
        evaluate(run, **options_of(moved), map="anger=fury", notify=quiet),
        evaluate(run, **options_of(moved), adapt="prior", notify=quiet),
        evaluate(run, data=str(moved), label_column="mood", notify=quiet),
    ]
    with open(moved, "a") as file:
        file.write("we laughed and laughed,Joy,3,f\n")
    others.append(evaluate(run, **options_of(moved), notify=quiet))
    assert len({path.name for path in [first, *others]}) == 5


@pytest.mark.parametrize("method", ["prior", "center"])
def test_adaptation_is_recorded_and_kept(run, other, method):
    plain = evaluate(run, **options_of(other), notify=quiet)
    folder = evaluate(run, **options_of(other), adapt=method, notify=quiet)
    found = record.read_evaluation(folder)
    assert found["adaptation"]["method"] == method
    assert record.read_evaluation(plain)["adaptation"] is None
    columns = [f"probability:{label}" for label in LABELS]
    before, after = (
        read_answers(path, record.read_evaluation(path))[columns].to_numpy()
        for path in (plain, folder)
    )
    assert np.abs(before - after).max() > 0.01
    np.testing.assert_allclose(after.sum(1), 1, atol=1e-5)


def test_an_official_split_and_a_killed_evaluation(run, other, monkeypatch):
    table = pd.read_csv(other).assign(part=["train", "dev", "test"] * 20)
    table.to_csv(other, index=False)
    options = {**options_of(other), "split_column": "part", "split": "test"}
    write = record.write_evaluation
    monkeypatch.setattr(
        record, "write_evaluation", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        evaluate(run, **options, notify=quiet)
    assert not record.find_evaluations(run)
    monkeypatch.setattr(record, "write_evaluation", write)
    found = record.read_evaluation(evaluate(run, **options, notify=quiet))
    assert found["metrics"]["num_examples"] == 10 and sum(found["left_out"].values()) == 10


def test_near_repeats_of_what_the_model_was_trained_on_are_counted(run, corpus_path, tmp_path):
    seen = pd.read_csv(corpus_path)
    new = pd.DataFrame({"text": ["nothing like it", "nor is this"], "label": ["joy", "fear"]})
    path = tmp_path / "seen.csv"
    pd.concat([seen, new]).to_csv(path, index=False)
    found = record.read_evaluation(evaluate(run, data=str(path), notify=quiet))
    # All of the training split, at least; texts differ in a number at least.
    assert found["near_repeats"]["texts"] >= 84 and found["near_repeats"]["checked"] == 122


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Say on which corpus"),
        (["--data", "{corpus}"], "was trained on this corpus"),
        (["--data", "{other}"], "mood"),
        (["--data", "{other}", "--label-column", "sex"], "At least two labels.*there is none"),
        (["--data", "{other}", "--label-column", "mood", "--map", "fear="], "there is one, joy"),
        (["--data", "{other}", "--label-column", "mood", "--split", "test"], "no official split"),
        (["--data", "{other}", "--label-column", "mood", "--adapt", "magic"], "one of none, prior"),
        (["--data", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_is_wrong_is_said(run, other, corpus_path, capsys, options, said):
    words = [word.format(corpus=corpus_path, other=other) for word in options]
    assert main([str(run), *words]) == 2
    assert pd.Series([capsys.readouterr().err]).str.contains(said).all()
    assert not (run / "evaluations").exists()


def test_a_run_without_its_model_is_refused(run, other):
    (run / record.ESTIMATOR).unlink()
    with pytest.raises(UserError, match="kept without its model"):
        evaluate(run, **options_of(other), notify=quiet)


def test_a_damaged_evaluation_is_named(run, other):
    folder = evaluate(run, **options_of(other), notify=quiet)
    path = folder / record.EVALUATION
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metrics": {}}))
    with pytest.raises(UserError, match="is damaged"):
        evaluate(run, **options_of(other), notify=quiet)
    (folder / record.PREDICTIONS).write_text("id\n")
    path.unlink()
    folder = evaluate(run, **options_of(other), notify=quiet)
    (folder / record.PREDICTIONS).write_text("id\n")
    with pytest.raises(UserError, match="is damaged"):
        read_answers(folder, record.read_evaluation(folder))


@pytest.fixture
def alike(other):
    """The corpus of other people, in columns of usual names."""
    path = other.with_name("alike.csv")
    pd.read_csv(other).rename(columns={"mood": "label"}).to_csv(path, index=False)
    return path


def test_a_comparison_tests_its_runs_on_other_corpora(
    runs_here, corpus_path, alike, tmp_path, capsys
):
    command = ["--data", str(corpus_path), "--models", "tfidf_svm,tfidf_logistic", "--seeds", "2"]
    command += ["--runs-dir", str(tmp_path / "runs")]
    study = tmp_path / "runs" / "comparison"
    assert compare(command) == 0
    before = {path: path.read_bytes() for path in study.glob("*/run.json")}
    combine([study / path.parent.name for path in before if "seed0" in path.parent.name],
            runs_dir=str(tmp_path / "runs"), study="comparison", notify=quiet)  # fmt: skip
    capsys.readouterr()
    assert compare([*command, "--test-on", str(alike)]) == 0
    shown = capsys.readouterr().out
    folders = record.find_evaluations(study)
    assert len(folders) == 5 and len(runs_here) == 4
    assert before.items() <= {path: path.read_bytes() for path in study.glob("*/run.json")}.items()
    assert "30 examples of alike" in shown and "macro F1 at home" in shown
    found = {one.name: one for one in read_transfers(folders)}
    (svm,) = [one for name, one in found.items() if name == "tfidf_svm"]
    of_runs = [record.read_evaluation(path) for path in folders if "tfidf_svm-" in str(path)]
    assert svm.num_runs == 2 and svm.trained_on == "days" and svm.tested_on == "alike"
    for name, scores in (("shared", svm.shared), ("open", svm.open)):
        means = [one["scores"][name]["accuracy"]["mean"] for one in of_runs]
        assert scores["accuracy"].mean == pytest.approx(np.mean(means))
    assert svm.at_home["macro_f1"].mean == pytest.approx(
        np.mean([one["at_home"]["macro_f1"]["mean"] for one in of_runs])
    )
    assert svm.shared["accuracy"].low < svm.shared["accuracy"].mean
    assert compare([*command, "--test-on", str(alike)]) == 0
    assert "nothing is predicted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere.csv", "nowhere.csv"), ("{corpus}", "own corpus in any case"), ("{moods}", "label")],
)
def test_a_comparison_refuses_other_corpora_before_it_trains(
    runs_here, corpus_path, other, tmp_path, capsys, name, said
):
    name = name.format(corpus=corpus_path, moods=other)
    command = ["--data", str(corpus_path), "--models", "tfidf_svm", "--test-on", name]
    assert compare([*command, "--runs-dir", str(tmp_path / "runs")]) == 2
    assert said in capsys.readouterr().err and not runs_here


@pytest.mark.parametrize("model", ["features_svm", "gated_transformer"])
def test_vectors_of_numbers(vectors, tmp_path, model, quick_measures):
    toy = {"epochs": 1, "num_layers": 1, "embedding_dim": 8, "num_heads": 2, "precision": "float32"}
    options = {"data": str(vectors), "feature_columns": "AU*", "model": model}
    run = training_run.fit(
        **options, **(toy if model == "gated_transformer" else {}),
        runs_dir=str(tmp_path / "runs"), notify=quiet,
    )  # fmt: skip
    table = pd.read_csv(vectors).assign(label=lambda rows: rows["label"].str.upper())
    table["AU1"] += 0.01
    table.to_csv(tmp_path / "other.csv", index=False)
    options = {"data": str(tmp_path / "other.csv"), "feature_columns": "AU*"}
    found = record.read_evaluation(evaluate(run, **options, notify=quiet))
    assert found["metrics"]["num_examples"] == 60 and found["unfamiliar"] is None
    table.drop(columns="AU4").to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(UserError, match="3"):
        evaluate(run, **options, notify=quiet)


EMOTIONS = ["anger", "fear", "joy"]


def write_several(path, emotions, num_texts):
    """A corpus of texts of up to two emotions each, or none, in columns of 0 and 1."""
    words = {"anger": "shouted", "fear": "dark", "joy": "sunny", "disgust": "rotten"}
    rng = np.random.default_rng(len(emotions) + num_texts)
    rows = []
    for number in range(num_texts):
        held = set(rng.permutation(emotions)[: number % 3].tolist())
        said = " ".join(words[one] for one in sorted(held)) or "tea"
        rows.append({"text": f"{said} at number {number}"} | {x: int(x in held) for x in emotions})
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Folder of a finished run of several labels an example; for reading alone."""
    folder = tmp_path_factory.mktemp("several")
    path = write_several(folder / "own.csv", EMOTIONS, 180)
    return training_run.fit(
        model="tfidf_logistic", data=str(path), label_columns=",".join(EMOTIONS),
        runs_dir=str(folder / "runs"), notify=quiet,
    )  # fmt: skip


@pytest.fixture
def run_of_several(several, tmp_path):
    return Path(shutil.copytree(several, tmp_path / "runs" / "study" / several.name))


@pytest.fixture
def feelings(tmp_path):
    """A corpus of 90 texts of several labels: it lacks fear, and has disgust."""
    return write_several(tmp_path / "feelings.csv", ["anger", "joy", "disgust"], 90)


FEELINGS = {"label_columns": "anger,joy,disgust"}


def check_several(folder, directory, path, tolerance=1e-6):
    """Makes sure that an evaluation is of what the model of a run of several labels says."""
    table, model = pd.read_csv(path), load_model(directory)
    probabilities = model.probabilities(table["text"].tolist())
    found = record.read_evaluation(folder)
    rows = read_answers(folder, found)
    columns = [f"probability:{label}" for label in EMOTIONS]
    np.testing.assert_allclose(rows[columns].to_numpy(), probabilities, atol=tolerance)
    holds = probabilities >= found["model"]["label_thresholds"]
    truth = table[["anger", "joy"]].to_numpy() > 0
    expected = f1_score(truth, holds[:, [0, 2]], average="macro")
    assert found["scores"]["shared"]["macro_f1"]["mean"] == pytest.approx(expected)
    assert found["scores"]["open"]["macro_f1"] == found["scores"]["shared"]["macro_f1"]
    assert found["metrics"]["num_examples"] == 90 and found["left_out"] == {}
    alone = (table["disgust"] == 1) & ~truth.any(1)
    assert found["unknown"] == {
        "labels": {"disgust": int(table["disgust"].sum())},
        "examples_without_shared": int(alone.sum()),
    }
    assert found["said"] == {"fear": int(holds[:, 1].sum())}
    assert found["confusion"]["rows"] == ["anger", "joy", "disgust"]
    return found


def test_several_labels(run_of_several, feelings, capsys):
    words = ["--data", str(feelings), "--label-columns", FEELINGS["label_columns"]]
    assert main([str(run_of_several), *words]) == 0
    shown = capsys.readouterr().out
    (folder,) = record.find_evaluations(run_of_several)
    found = check_several(folder, run_of_several, feelings)
    thresholds = record.read_run(run_of_several)["label_thresholds"]
    assert found["model"]["label_thresholds"] == thresholds != [0.5] * 3
    assert found["at_best_thresholds"]["macro_f1"] >= found["metrics"]["macro_f1"]
    lacking = found["unknown"]["examples_without_shared"]
    for said in ("all labels right", f"have no other: {lacking}.", "an upper bound", "fear "):
        assert said in shown
    assert "the most frequent label" not in shown and "renormalised" not in shown
    # The command in the record makes the same.
    assert found["command"][:3] == ["python", "-m", "emotion_keras.evaluate"]
    assert main(found["command"][3:]) == 0
    assert "nothing is predicted" in capsys.readouterr().out
    (transfer,) = read_transfers([folder])
    assert transfer.several and transfer.num_examples == 90
    assert transfer.shared["macro_f1"].mean == pytest.approx(found["metrics"]["macro_f1"])
    home = found["at_home"]["macro_f1"]["mean"]
    assert transfer.at_home["macro_f1"].mean == pytest.approx(home)


def test_a_combination_of_several_labels(several, feelings, tmp_path):
    options = {"data": str(several.parents[2] / "own.csv"), "runs_dir": str(tmp_path)}
    other = training_run.fit(
        model="tfidf_svm", label_columns=",".join(EMOTIONS), **options, notify=quiet
    )
    made = combine([several, other], runs_dir=str(tmp_path), notify=quiet)
    folder = evaluate(made, data=str(feelings), **FEELINGS, notify=quiet)
    check_several(folder, made, feelings, tolerance=1e-5)


@pytest.mark.tensorflow
def test_an_export_of_several_labels(several, feelings, tmp_path, quick_measures):
    from emotion_keras.inference.export import export

    made = training_run.fit(
        model="gated_transformer", encoder="scratch", epochs=1, num_layers=1, embedding_dim=8,
        num_heads=2, data=str(several.parents[2] / "own.csv"), label_columns=",".join(EMOTIONS),
        runs_dir=str(tmp_path / "runs"), notify=quiet,
    )  # fmt: skip
    out = export(made, out=str(tmp_path / "onnx"), notify=quiet)
    folder = evaluate(out, data=str(feelings), **FEELINGS, notify=quiet)
    found = check_several(folder, made, feelings, tolerance=1e-4)
    assert found["at_home"] is None


def test_several_labels_that_count_as_one(run_of_several, feelings):
    options = {"data": str(feelings), **FEELINGS, "map": "fear=disgust,anger=disgust"}
    found = record.read_evaluation(evaluate(run_of_several, **options, notify=quiet))
    assert list(found["metrics"]["per_label"]) == ["anger+fear", "joy"]
    table = pd.read_csv(feelings)
    says = load_model(run_of_several).probabilities(table["text"].tolist())
    holds = says >= found["model"]["label_thresholds"]
    truth = np.column_stack([table["anger"] | table["disgust"], table["joy"]])
    joined = np.column_stack([holds[:, 0] | holds[:, 1], holds[:, 2]])
    expected = f1_score(truth, joined, average="macro")
    assert found["metrics"]["macro_f1"] == pytest.approx(expected)
    assert found["unknown"] == {"labels": {}, "examples_without_shared": 0} and not found["said"]


def test_a_corpus_of_one_label_can_be_read_as_one_of_several(run_of_several, other, capsys):
    words = ["--data", str(other), "--label-column", "mood"]
    assert main([str(run_of_several), *words, "--target", "multi"]) == 0
    (folder,) = record.find_evaluations(run_of_several)
    found = record.read_evaluation(folder)
    assert found["metrics"]["num_examples"] == 60
    assert found["unknown"]["labels"] == {"calm": 15, "fury": 15}
    assert "--target=multi" in found["command"]


def test_several_labels_adapt_by_their_means(run_of_several, feelings):
    options = {"data": str(feelings), **FEELINGS}
    folder = evaluate(run_of_several, **options, adapt="center", notify=quiet)
    found = record.read_evaluation(folder)
    assert set(found["adaptation"]["moved"]) == set(EMOTIONS)
    plain = record.read_evaluation(evaluate(run_of_several, **options, notify=quiet))
    assert found["metrics"]["log_loss"] != plain["metrics"]["log_loss"]


@pytest.mark.parametrize(
    ("of_several", "words", "said"),
    [
        (True, ["--data", "{other}", "--label-column", "mood"], "--target multi. reads it"),
        (True, ["--data", "{feelings}"], "Say how the corpus names its labels"),
        (False, ["--data", "{feelings}", "--label-columns", "anger,joy"], "one label an example"),
        (False, ["--data", "{other}", "--target", "multi"], "one label an example"),
        (True, ["--data", "{feelings}", "--label-columns", "anger,joy,magic"], "no column 'magic'"),
        (True, ["--data", "{feelings}", "--label-columns", "disgust,joy"], "there is one, joy"),
        (
            True,
            ["--data", "{feelings}", "--label-columns", "anger,joy", "--adapt", "prior"],
            "shares out one label.*one of none, center",
        ),
        (True, ["--data", "{own}", "--label-columns", "anger,fear,joy"], "trained on this corpus"),
    ],
)
def test_what_is_wrong_with_several_labels_is_said(
    run, run_of_several, several, other, feelings, capsys, of_several, words, said
):
    own = several.parents[2] / "own.csv"
    words = [word.format(other=other, feelings=feelings, own=own) for word in words]
    assert main([str(run_of_several if of_several else run), *words]) == 2
    assert pd.Series([capsys.readouterr().err]).str.contains(said).all()
    assert not record.find_evaluations(run.parent)


def test_a_comparison_of_several_labels_tests_on_columns_of_equal_names(
    several, feelings, tmp_path, capsys
):
    own = several.parents[2] / "own.csv"
    command = ["--data", str(own), "--label-columns", ",".join(EMOTIONS), "--seeds", "1"]
    command += ["--models", "tfidf_logistic", "--runs-dir", str(tmp_path / "runs")]
    assert compare([*command, "--test-on", str(feelings)]) == 0
    shown = capsys.readouterr().out
    assert "90 examples of feelings, in per cent, among anger, joy" in shown
    assert "all labels right" in shown and "All labels: macro F1" not in shown
    (folder,) = record.find_evaluations(tmp_path / "runs")
    assert record.read_evaluation(folder)["corpus"]["labels"] == ["anger", "joy"]
    pd.read_csv(feelings)[["text", "disgust"]].to_csv(feelings, index=False)
    assert compare([*command, "--test-on", str(feelings)]) == 2
    assert "none of the columns of labels: anger, fear, joy" in capsys.readouterr().err
