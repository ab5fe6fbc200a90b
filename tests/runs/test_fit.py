"""The command from a file to a run: the record, repeats, options, and what is refused."""

import csv
import functools
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from sklearn import metrics

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.evaluation.faithfulness import read_faithfulness
from emotion_keras.fit import main, next_command
from emotion_keras.inference.prediction import predict
from emotion_keras.inputs.batches import TrainingBatches
from emotion_keras.training import loop as training
from emotion_keras.training import network
from emotion_keras.training import run as training_run
from emotion_keras.training.defaults import CHOSEN
from emotion_keras.training.loop import CHECKPOINT
from emotion_keras.training.settings import Settings

ISEAR = Path(__file__).parents[3] / "shared" / "data" / "isear" / "isear.csv"

KEYS = {
    "schema_version": None,
    "run_id": None,
    "study": None,
    "trial": None,
    "model": None,
    "seed": None,
    "inputs": {"encoder", "sequence_length"},
    "hyperparameters": {"num_layers", "num_heads", "intermediate_dim", "dropout"},
    "training": {"batch_size", "epochs", "learning_rate", "schedule", "patience", "precision"},
    "corpus": {"name", "sha256", "labels", "split_seed", "protocol", "num_examples"},
    "metrics": {"val", "test"},
    "best_epoch": None,
    "num_parameters": None,
    "cost": {"seconds", "examples_per_second", "peak_memory_bytes"},
    "environment": {"backend", "versions", "device", "precision", "commit"},
}


TINY = {
    "encoder": "scratch",
    "vocabulary_size": 60,
    "embedding_dim": 4,
    "num_layers": 0,
    "epochs": 1,
}


def error_of(arguments, capsys):
    """Runs a command that must fail: exit code 2 and one message; returns the message."""
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


def run_directories(runs_dir):
    return [path for path in Path(runs_dir).glob("*/*") if path.is_dir()]


@pytest.mark.each_backend
def test_the_record_holds_all_there_is_to_know(fit, corpus_path):
    directory = fit(seed=3, study="mine")
    run = record.read_run(directory)
    assert directory.parent.name == run["study"] == "mine"
    assert run["run_id"] == directory.name
    for key, inner in KEYS.items():
        assert key in run
        assert inner is None or inner <= set(run[key]), key
    assert run["schema_version"] == record.SCHEMA_VERSION
    assert (run["model"], run["seed"], run["trial"]) == ("gated_transformer", 3, None)
    assert run["inputs"]["encoder"] == "scratch"
    assert run["corpus"]["labels"] == ["anger", "fear", "joy"]
    assert run["corpus"]["name"] == "days"
    assert run["environment"]["backend"] == keras.backend.backend()
    assert keras.backend.backend() in run["environment"]["versions"]
    assert 1 <= run["best_epoch"] <= 2
    assert sorted(path.name for path in directory.iterdir()) == [
        "architecture.json",
        "audit.json",
        "faithfulness.csv",
        "gate_words.csv",
        "gates.csv",
        "history.csv",
        "model.keras",
        "predictions.csv",
        "run.json",
        "text",
        "texts.csv",
        "words.csv",
    ]
    assert [path.name for path in (directory / "text").iterdir()] == ["tokenizer.json"]
    model = keras.saving.load_model(directory / "model.keras", compile=False)
    assert run["num_parameters"] == sum(w.size for w in model.get_weights())


@pytest.mark.each_backend
def test_predictions_hold_every_text_of_val_and_test_and_make_the_metrics(gated_run, corpus_path):
    run = record.read_run(gated_run)
    rows = record.read_rows(gated_run / record.PREDICTIONS)
    with open(corpus_path, newline="") as file:
        source = list(csv.DictReader(file))
    labels = run["corpus"]["labels"]
    assert list(rows[0]) == [
        "id",
        "split",
        "label",
        "predicted",
        *(f"probability:{label}" for label in labels),
    ]
    assert len({row["id"] for row in rows}) == len(rows)
    for split in ("val", "test"):
        part = [row for row in rows if row["split"] == split]
        assert len(part) == run["corpus"]["protocol"][f"num_{split}"]
        assert all(source[int(row["id"]) - 1]["label"] == row["label"] for row in part)
        found = np.array([[float(row[f"probability:{label}"]) for label in labels] for row in part])
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
        predicted = [labels[i] for i in found.argmax(axis=1)]
        assert predicted == [row["predicted"] for row in part]
        true = [row["label"] for row in part]
        scores = run["metrics"][split]
        assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(true, predicted))
        f1 = metrics.f1_score(true, predicted, labels=labels, average="macro", zero_division=0)
        assert scores["macro_f1"] == pytest.approx(f1)


@pytest.mark.each_backend
def test_the_saved_model_and_tokenizer_give_the_predictions(gated_run, corpus_path):
    from emotion_keras.inputs.word_pieces import WordPieceTokenizer

    rows = record.read_rows(gated_run / record.PREDICTIONS)
    with open(corpus_path, newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    model = keras.saving.load_model(gated_run / record.MODEL, compile=False)
    sequences = WordPieceTokenizer.load(gated_run / "text").encode(
        [texts[int(row["id"]) - 1] for row in rows], 16
    )
    found = predict(model, sequences, sequence_length=16)
    expected = [
        [float(row[f"probability:{label}"]) for label in ("anger", "fear", "joy")] for row in rows
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_run_keeps_texts_gates_and_layers_and_a_trial_layers_alone(fit):
    directory = fit(epochs=1)
    texts = {row["id"]: row["text"] for row in record.read_rows(directory / record.TEXTS)}
    predictions = record.read_rows(directory / record.PREDICTIONS)
    assert list(texts) == [row["id"] for row in predictions if row["split"] == "test"]
    gates = record.read_rows(directory / record.GATES)
    assert list(dict.fromkeys(row["id"] for row in gates)) == list(texts)
    for row in gates:
        assert 0 < float(row["gate"]) < 1
        assert row["word"] in texts[row["id"]]
        assert (row["contribution"] == "") == (not any(map(str.isalnum, row["word"])))
        assert float(row["score"])
    assert {row["word"] for row in record.read_rows(directory / record.GATE_WORDS)}
    found = read_faithfulness(directory)
    assert len(found) == 18 and {row["num_texts"] for row in found} == {len(texts)}
    trial = fit(epochs=1, seed=1, trial="rate 1")
    other = fit(epochs=1, model="transformer")
    assert not (trial / record.TEXTS).exists() and not (trial / record.GATES).exists()
    assert (other / record.TEXTS).exists() and not (other / record.GATES).exists()
    for path in (trial, other):
        assert not (path / record.FAITHFULNESS).exists()
    for path in (directory, trial, other):
        assert (path / record.ARCHITECTURE).exists()
        audit = json.loads((path / record.AUDIT).read_text())
        assert ("near_repeats" in audit) == (path != trial)


def test_the_same_command_again_says_so_and_trains_nothing(command, capsys, monkeypatch):
    assert main(command()) == 0
    capsys.readouterr()
    monkeypatch.setattr(keras.Model, "fit", lambda *args, **options: 1 / 0)
    assert main(command()) == 0
    assert "finished already, nothing is trained" in capsys.readouterr().out


def test_a_finished_run_survives_a_read_only_folder_and_a_full_disk(command, monkeypatch):
    assert main(command()) == 0
    monkeypatch.setattr(Path, "mkdir", lambda *args, **options: 1 / 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: 1 / 0)
    assert main(command()) == 0


def test_another_setting_is_another_run(fit):
    options = [{}, {"seed": 1}, {"split_seed": 1}, {"model": "transformer"}]
    assert len({fit(**changed, epochs=1).name for changed in options}) == len(options)


def test_another_text_column_is_another_run(fit, tmp_path):
    path = tmp_path / "two.csv"
    lines = [f"laughed {i} joyfully,shouted {i} loudly,{i % 2}" for i in range(60)]
    path.write_text("short,long,label\n" + "\n".join(lines) + "\n")
    options = {"data": str(path), "epochs": 1}
    one, other = (fit(text_column=column, **options) for column in ("short", "long"))
    assert one != other


def test_a_run_repeats_from_its_record(fit, command, tmp_path):
    directory = fit(seed=2, split_seed=4, model="transformer", balance="class_weight")
    arguments = [f"--from-run={directory}", f"--runs-dir={tmp_path / 'again'}"]
    assert main(arguments) == 0
    (again,) = run_directories(tmp_path / "again")
    assert again.name == directory.name
    assert record.read_run(again)["metrics"] == record.read_run(directory)["metrics"]


def test_a_fold_repeats_from_its_record(fit, tmp_path):
    directory = fit(folds=4, fold=1, epochs=1)
    assert main([f"--from-run={directory}", f"--runs-dir={tmp_path / 'again'}"]) == 0
    (again,) = run_directories(tmp_path / "again")
    assert again.name == directory.name


def test_from_run_needs_a_run(capsys):
    assert "--from-run" in error_of(["--from-run"], capsys)


def test_options_change_what_is_repeated(fit, tmp_path):
    directory = fit(epochs=1)
    arguments = [f"--from-run={directory}", "--seed=8", f"--runs-dir={tmp_path / 'again'}"]
    assert main(arguments) == 0
    run = record.read_run(run_directories(tmp_path / "again")[0])
    assert run["seed"] == 8
    assert run["inputs"] == record.read_run(directory)["inputs"]


def test_a_printed_file_of_options_makes_the_same_run(command, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*command(epochs=1), "--print_config"])
    assert stopped.value.code == 0
    path = tmp_path / "options.yaml"
    path.write_text(capsys.readouterr().out)
    assert main([f"--config={path}"]) == 0
    assert main(command(epochs=1)) == 0
    assert len(run_directories(tmp_path / "runs")) == 1
    assert "finished already" in capsys.readouterr().out


def test_a_file_that_names_an_encoder_gets_the_encoders_defaults(tmp_path, toy, capsys):
    path = tmp_path / "options.yaml"
    path.write_text("encoder: scratch\n")
    with pytest.raises(SystemExit):
        main([f"--config={path}", "--print_config"])
    from_file = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--encoder=scratch", "--print_config"])
    assert from_file == capsys.readouterr().out


def test_defaults_follow_the_encoder():
    chosen = Settings.make(model="transformer", **{"encoder": "scratch", "epochs": 99})
    assert chosen.training.epochs == 99
    assert chosen.hyperparameters.num_layers > 0
    assert Settings.make(model="transformer", **{}).hyperparameters.num_layers == 0


def test_noise_is_trained_with_recorded_and_repeated(fit, command, monkeypatch):
    seen = []

    class Seen(TrainingBatches):
        def set_epoch(self, epoch):
            super().set_epoch(epoch)
            seen.append(self.sequences.values)

    monkeypatch.setattr(training, "TrainingBatches", Seen)
    plain = fit()
    plain_ids = seen.pop()
    noisy = fit(noise="mask_words:0.5,labels:0.2", balance="oversample")
    before, first, second = seen[-3:]  # Before the first epoch it is laid out, too.
    np.testing.assert_array_equal(before, first)
    unknown = 1
    for values in (first, second):
        assert np.mean(values == unknown) > np.mean(plain_ids == unknown) + 0.2
    assert not np.array_equal(first, second)
    assert noisy != plain
    assert record.read_run(noisy)["training"]["noise"] == "mask_words:0.5,labels:0.2"
    assert record.read_run(plain)["training"]["noise"] is None
    runs_dir = f"--runs-dir={noisy.parents[1]}"
    assert main([f"--from-run={noisy}", "--study=again", runs_dir]) == 0
    again = noisy.parents[1] / "again" / noisy.name
    for name in (record.PREDICTIONS, record.MODEL):
        assert (again / name).exists()
    assert (again / record.PREDICTIONS).read_bytes() == (noisy / record.PREDICTIONS).read_bytes()


def test_noise_reaches_the_baselines_too(command, toy, capsys):
    # With every label wrong in training, a label's own words speak against it.
    no_network = dict.fromkeys(set(toy) - {"data", "runs_dir"})
    arguments = command(model="tfidf_logistic", noise="labels:1", **no_network)
    assert main(arguments) == 0
    (directory,) = record.find_runs(toy["runs_dir"])
    assert record.read_run(directory)["metrics"]["test"]["accuracy"] < 0.2
    no_word_left = command(model="tfidf_logistic", noise="mask_words:1", **no_network)
    assert "use less noise" in error_of(no_word_left, capsys)


def test_a_frozen_encoder_takes_noise_of_labels_alone(fit, toy_bert):
    options = {"encoder": str(toy_bert), "freeze_encoder": True, "num_layers": 0}
    assert record.is_finished(fit(noise="labels:0.5", **options))
    with pytest.raises(UserError, match="leave out `--noise`, or say `--freeze-encoder false`"):
        fit(noise="typos:0.1", **options)


@pytest.mark.each_backend
def test_a_frozen_encoders_head_is_saved_as_the_full_model(fit, toy_bert, monkeypatch):
    on_vectors = {}
    train = network.train

    @functools.wraps(train)
    def train_and_predict(model, train_data, val_data, **options):
        outcome = train(model, train_data, val_data, **options)
        on_vectors["val"] = predict(model, val_data[0], sequence_length=16)
        return outcome

    monkeypatch.setattr(network, "train", train_and_predict)
    directory = fit(encoder=str(toy_bert), freeze_encoder=True)
    rows = [r for r in record.read_rows(directory / "predictions.csv") if r["split"] == "val"]
    full = [
        [float(row[f"probability:{label}"]) for label in ("anger", "fear", "joy")] for row in rows
    ]
    np.testing.assert_allclose(full, on_vectors["val"], atol=1e-5)
    model = keras.saving.load_model(directory / record.MODEL, compile=False)
    assert sorted(model.input) == ["padding_mask", "token_ids"]
    assert not list(directory.glob("vectors-*"))


@pytest.mark.parametrize(
    "preset", ["toy_bert", pytest.param("toy_roberta", marks=pytest.mark.each_backend)]
)
def test_a_local_preset_trains_end_to_end(fit, preset, request):
    folder = request.getfixturevalue(preset)
    directory = fit(encoder=str(folder), num_layers=0, epochs=1)
    run = record.read_run(directory)
    assert run["inputs"]["encoder"] == str(folder)
    assert preset in directory.name
    assert run["metrics"]["test"]["num_examples"] == 24


def test_tensorboard_logs_are_written(fit):
    if importlib.util.find_spec("tensorboard") is None:
        pytest.skip("the package tensorboard is not installed")
    directory = fit(tensorboard=True)
    assert list((directory / "tensorboard").rglob("events.out.*"))


def test_tensorboard_without_its_package_is_told_before_training(command, capsys):
    if importlib.util.find_spec("tensorboard") is not None:
        pytest.skip("the package tensorboard is installed")
    assert "tensorboard" in error_of(command(tensorboard="true"), capsys)


def test_the_end_names_scores_folder_and_a_command_that_makes_the_next_run(
    command, capsys, tmp_path, monkeypatch
):
    runs_dir = tmp_path / "a folder [1]"
    assert main(command(epochs=1, runs_dir=str(runs_dir), study="mine")) == 0
    shown = capsys.readouterr().out
    (directory,) = record.find_runs(runs_dir)
    for expected in ("accuracy", "macro F1", "joy", f"The run: {directory}\n"):
        assert expected in shown
    next_line, to_predict = (line.partition(": ")[2] for line in shown.strip().splitlines()[-2:])
    assert shlex.split(to_predict) == [
        *("python", "-m", "emotion_keras.predict", str(directory), "..."),
    ]
    assert next_line == next_command(directory)
    python, *module, folder, seed = shlex.split(next_line)[:7]
    assert [python, *module] == ["python", "-m", "emotion_keras.fit", "--from-run", str(directory)]
    assert main(shlex.split(next_line)[3:]) == 0
    seeds = [
        (run["study"], run["seed"]) for run in map(record.read_run, record.find_runs(runs_dir))
    ]
    assert sorted(seeds) == [("mine", 0), ("mine", 1)]


def test_the_next_command_leaves_out_what_is_usual(fit, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    directory = fit(epochs=1, runs_dir="runs")
    expected = f"python -m emotion_keras.fit --from-run {directory} --seed 1"
    assert next_command(directory) == expected


def test_another_model_takes_data_and_seed_of_a_run_and_its_own_settings(fit, corpus_path, capsys):
    directory = fit(seed=3, test_size=0.3)
    capsys.readouterr()
    printed = {}
    for arguments in (["--model=cnn"], ["--model=majority"], []):
        with pytest.raises(SystemExit) as end:
            main([f"--from-run={directory}", *arguments, "--print_config"])
        assert end.value.code == 0
        printed[" ".join(arguments)] = yaml.safe_load(capsys.readouterr().out)
    for options in printed.values():
        assert options["data"] == str(corpus_path)
        assert (options["seed"], options["test_size"]) == (3, 0.3)
    assert printed["--model=cnn"]["epochs"] == CHOSEN["cnn@scratch"]["epochs"]
    assert printed["--model=cnn"]["encoder"] == "scratch"
    assert "epochs" not in printed["--model=majority"]
    assert printed[""]["epochs"] == 2 and printed[""]["encoder"] == "scratch"


def test_a_run_of_an_baseline_repeats_from_its_record(command, toy, capsys):
    no_network = dict.fromkeys(set(toy) - {"data", "runs_dir"})
    assert main(command(model="majority", **no_network)) == 0
    (directory,) = record.find_runs(toy["runs_dir"])
    again = ["--study=again", f"--runs-dir={toy['runs_dir']}"]
    assert main([f"--from-run={directory}", *again]) == 0
    assert len(record.find_runs(toy["runs_dir"])) == 2
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main([f"--from-run={directory}", "--model=cnn", "--print_config"])
    assert yaml.safe_load(capsys.readouterr().out)["precision"] == "auto"


def test_a_record_that_lacks_something_is_refused(tmp_path, capsys):
    record.write_versioned(tmp_path / record.RUN, {"model": "cnn"})
    assert "is damaged: run_id is missing" in error_of([f"--from-run={tmp_path}"], capsys)


def test_balance_is_told_and_stored(fit, tmp_path):
    path = tmp_path / "uneven.csv"
    rows = [f"we laughed on day {i},joy" for i in range(60)]
    rows += [f"they hid on day {i},fear" for i in range(30)]
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    said = []
    for method, expected in (
        ("none", {"joy": [42, 42, 1.0], "fear": [21, 21, 1.0]}),
        ("undersample", {"joy": [42, 21, 1.0], "fear": [21, 21, 1.0]}),
        ("oversample", {"joy": [42, 42, 1.0], "fear": [21, 42, 1.0]}),
        ("class_weight", {"joy": [42, 42, 0.75], "fear": [21, 21, 1.5]}),
    ):
        options = {**TINY, "data": str(path), "runs_dir": str(tmp_path / "runs")}
        directory = training_run.fit(balance=method, **options, notify=said.append)
        audit = json.loads((directory / record.AUDIT).read_text())["balance"]
        assert audit["method"] == method
        assert {name: list(row.values()) for name, row in audit["labels"].items()} == expected
        in_words = [message for message in said if "Balanced by" in message]
        assert len(in_words) == (method != "none")
        said.clear()


def test_a_refused_run_leaves_nothing_behind(fit, toy):
    with pytest.raises(UserError, match="encoder"):
        fit(encoder="no_such_preset")
    assert run_directories(toy["runs_dir"]) == []


@pytest.mark.each_backend
def test_a_training_that_diverges_is_refused(fit, toy):
    with pytest.raises(UserError, match="has diverged in epoch 1"):
        fit(learning_rate=1e30, clip_norm=0.0, warmup=0.0)
    assert record.find_runs(toy["runs_dir"]) == []


@pytest.mark.parametrize(
    "option, value, said",
    [
        ("model", "perceptron", "Accepted: cnn, lstm, transformer"),
        ("encoder", "no_such_preset", "without network: scratch, embeddings, minilm"),
        ("precision", "int4", "mixed_bfloat16"),
        ("schedule", "step", "linear"),
        ("balance", "some", "oversample"),
        ("epochs", "0", "epochs is 1 or more"),
        ("epochs", "many", "epochs"),
        ("batch_size", "0", "batch_size is 1 or more"),
        ("labels", "joy,bliss", "bliss"),
        ("text_column", "story", "text, label"),
        ("test_size", "1.5", "test_size"),
        ("fold", "1", "folds"),
        ("noise", "static:0.1", "Accepted: typos"),
        ("study", "../mine", "A study's name is that of one folder"),
        ("num_heads", "9", "The vectors have 8 features"),
        ("no_such_option", "1", "no-such-option"),
        ("freeze_encoder", "true", "Only a pretrained encoder can be frozen"),
        ("from_run", "nowhere", "no finished run in nowhere"),
        ("config", "nowhere.yaml", "nowhere.yaml"),
    ],
)
def test_a_wrong_option_is_refused(command, capsys, toy, option, value, said):
    assert said in error_of(command(**{option: value}), capsys)
    assert not any(map(record.is_finished, run_directories(toy["runs_dir"])))


def test_an_option_of_the_function_that_does_not_exist_is_refused(fit):
    with pytest.raises(UserError, match="Unknown option.*Received: epoch"):
        fit(epoch=3)


def lines(*labels):
    return "text,label\n" + "".join(f"text {i} of {x},{x}\n" for i, x in enumerate(labels))


@pytest.mark.parametrize(
    "content, said",
    [
        (None, "data.csv"),
        (b"", "empty"),
        (b"story,mood,who\na,b,c\n", "story, mood, who"),
        (lines(*["joy"] * 50).encode(), "joy"),
        (lines(*["joy"] * 50, *["fear"] * 50, "shame").encode(), "shame (1 texts)"),
        (b"text,label\n\x81\x8d,joy\n" * 9, "line 2: this is not UTF-8"),
        (lines("joy").encode() + b"shouted\x00,joy\n", "line 3: a NUL byte"),
    ],
    ids=["missing", "empty", "columns", "one label", "rare label", "encoding", "NUL"],
)
def test_a_bad_file_is_refused(command, capsys, tmp_path, content, said):
    path = tmp_path / "data.csv"
    if content is not None:
        path.write_bytes(content)
    assert said in error_of(command(data=str(path)), capsys)


def test_odd_texts_are_dropped_and_counted_or_cut(command, tmp_path, capsys):
    path = tmp_path / "odd.csv"
    odd = [",joy", '"   ",fear', f"{'laughed ' * 12_500},joy", f"{'x' * 100_000},fear"]
    path.write_text(lines(*["joy", "fear"] * 40) + "\n".join(odd) + "\n")
    assert main(command(data=str(path), epochs=1)) == 0
    (directory,) = run_directories(tmp_path / "runs")
    audit = json.loads((directory / "audit.json").read_text())
    assert record.read_run(directory)["corpus"]["num_examples"] == 82
    assert (audit["num_in"], audit["num_out"]) == (84, 82)


def test_a_runs_folder_below_a_file_is_told_before_training(command, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    error = error_of(command(runs_dir=str(tmp_path / "file" / "runs")), capsys)
    assert "cannot be written" in error and "--runs-dir" in error


def test_a_read_only_runs_folder_is_told_before_training(command, capsys, monkeypatch, tmp_path):
    temporary = tempfile.TemporaryFile

    def refuse(dir=None):
        if dir is None:  # Of a library, not of a run.
            return temporary()
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(keras.Model, "fit", lambda *args, **options: 1 / 0)
    error = error_of(command(), capsys)
    assert "Permission denied" in error and "--runs-dir" in error


def test_a_full_disk_is_told_before_training(command, capsys, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    monkeypatch.setattr(keras.Model, "fit", lambda *args, **options: 1 / 0)
    error = error_of(command(), capsys)
    assert "too full" in error and "--runs-dir" in error


def test_a_disk_that_gets_full_leaves_no_finished_run(command, capsys, monkeypatch, toy):
    def full(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(record, "write_run", full)
        error = error_of(command(), capsys)
    assert "No space left on device" in error
    (directory,) = run_directories(toy["runs_dir"])
    assert not record.is_finished(directory)
    assert main(command()) == 0


def test_what_kills_left_of_a_finished_run_is_removed(fit):
    directory = fit(epochs=1)
    # Of an export and of a table that is being labelled; neither is the run's.
    (directory / "onnx.part").mkdir()
    (directory / "labels.2.csv.part").touch()
    expected = sorted(path.name for path in directory.iterdir())
    for name in ("unfinished.json", "history.csv.123.part", f"{CHECKPOINT}.part", CHECKPOINT):
        (directory / name).touch()
    assert fit(epochs=1) == directory
    assert sorted(path.name for path in directory.iterdir()) == expected


def test_a_record_of_another_version_is_refused(command, capsys, toy):
    assert main(command(epochs=1)) == 0
    (directory,) = run_directories(toy["runs_dir"])
    run = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps({**run, "schema_version": 99}))
    assert "schema_version=99" in error_of(command(epochs=1), capsys)
    assert "schema_version=99" in error_of([f"--from-run={directory}"], capsys)


def test_help_is_in_dashes_and_tells_the_defaults(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    for option in ("--data", "--freeze-encoder", "--learning-rate", "--from-run", "--runs-dir"):
        assert option in shown


def test_the_built_in_corpus_is_learned_from(fit):
    run = record.read_run(fit(data="situations", epochs=1))
    assert run["corpus"]["name"] == "situations"
    assert run["corpus"]["protocol"]["by_subject"]
    assert run["corpus"]["num_examples"] == 1050


def run_module(*arguments, backend):
    return subprocess.run(
        [sys.executable, "-m", "emotion_keras.fit", *arguments],
        env={**os.environ, "KERAS_BACKEND": backend},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )


@pytest.mark.each_backend
def test_an_error_is_all_that_a_command_writes_about_itself():
    done = run_module("--epochs=0", backend=keras.backend.backend())
    assert done.returncode == 2
    assert done.stderr == "\nerror: epochs is 1 or more. Received: epochs=0\n"


def test_a_backend_that_there_is_not_is_refused():
    done = run_module(backend="theano")
    assert done.returncode == 2
    assert "Accepted: tensorflow, jax, torch" in done.stderr and "'theano'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "precision",
    [pytest.param("mixed_bfloat16", marks=pytest.mark.each_backend), "mixed_float16"],
)
def test_a_model_trained_in_mixed_precision_computes_in_float32(fit, precision):
    directory = fit(precision=precision, epochs=3)
    model = keras.saving.load_model(directory / record.MODEL, compile=False)
    assert {layer.compute_dtype for layer in model.layers if layer.weights} == {"float32"}
    history = record.read_rows(directory / record.HISTORY)
    assert float(history[-1]["loss"]) < float(history[0]["loss"])
    run = record.read_run(directory)
    assert run["environment"]["precision"] == run["training"]["precision"] == precision
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("name", ["epochs", "batch_size"])
def test_nothing_to_train_is_refused(fit, name):
    with pytest.raises(UserError, match=f"{name} is 1 or more. Received: {name}=0"):
        fit(**{name: 0})
