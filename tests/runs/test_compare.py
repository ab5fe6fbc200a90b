"""A comparison: which runs it makes, that it makes none twice, and what it says of them."""

import gzip
import json
import statistics
from pathlib import Path

import pytest

from emotion_keras import compare as compare_module
from emotion_keras import record
from emotion_keras.command.progress import Progress
from emotion_keras.compare import main
from emotion_keras.errors import UserError
from emotion_keras.evaluation import comparison
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from emotion_keras.studies import study as study_module
from emotion_keras.studies.comparison import CONTENDERS_BY_MODALITY, contenders_of
from emotion_keras.studies.contenders import read_settings
from emotion_keras.studies.study import Ended, Task
from emotion_keras.training.run import fit

SMALL = {
    "embedding_dim": 8,
    "vocabulary_size": 120,
    "sequence_length": 16,
    "batch_size": 16,
    "epochs": 2,
    "learning_rate": 0.01,
}


pytestmark = pytest.mark.usefixtures("quick_processes")


@pytest.fixture
def command(corpus_path, tmp_path):
    """The arguments of a comparison at toy size."""

    def make(settings=None, **options):
        path = tmp_path / "settings.json"
        path.write_text(json.dumps(settings or {"networks": SMALL, "cnn": {"num_filters": 4}}))
        options = {
            "data": corpus_path,
            "models": "tfidf_logistic,cnn",
            "seeds": 2,
            "settings": path,
            "runs_dir": tmp_path / "runs",
            **options,
        }
        return [f"--{k.replace('_', '-')}={v}" for k, v in options.items() if v is not None]

    return make


def runs_in(folder):
    """Metrics of the finished runs below a folder, by run_id."""
    return {path.name: record.read_run(path)["metrics"] for path in record.find_runs(folder)}


def test_the_names_are_those_of_the_models():
    modalities = [*CONTENDERS_BY_MODALITY, "speech+features"]
    names = {name for modality in modalities for name in contenders_of(modality)}
    assert {name.split("@")[0] for name in names} == {*MODELS, *BASELINES}


@pytest.mark.each_backend
def test_runs_are_plain_runs_and_are_not_made_twice(
    command, corpus_path, capsys, tmp_path, monkeypatch
):
    assert main(command()) == 0
    shown = capsys.readouterr().out
    assert "4 of 4 runs" in shown and "tfidf_logistic" in shown and "cnn@scratch" in shown
    study = tmp_path / "runs" / "comparison"
    assert shown.endswith(
        f"Kept: {study / 'comparison.json'}\nThe report: python -m reports.render {study}\n"
    )
    made = runs_in(study)
    plain = fit(
        data=str(corpus_path),
        model="cnn",
        seed=1,
        num_filters=4,
        study="plain",
        runs_dir=str(tmp_path / "runs"),
        **SMALL,
    )
    assert made[plain.name] == runs_in(plain.parent)[plain.name]

    found = json.loads((study / "comparison.json").read_text())
    assert found["run_ids"] == sorted(made)
    by_name = {"cnn@scratch": [], "tfidf_logistic": []}
    for name, metrics in made.items():
        by_name["cnn@scratch" if name.startswith("cnn") else "tfidf_logistic"].append(metrics)
    rows = {row["name"]: row for row in found["contenders"]}
    assert set(rows) == set(by_name)
    for name, of_runs in by_name.items():
        assert rows[name]["num_runs"] == len(of_runs) == 2
        for score in ("accuracy", "macro_f1", "auc"):
            values = [metrics["test"][score] for metrics in of_runs]
            assert rows[name][score]["mean"] == pytest.approx(statistics.mean(values))
    accuracy = {name: row["accuracy"]["mean"] for name, row in rows.items()}
    (other,) = set(rows) - {found["reference"]}
    expected = accuracy[other] - accuracy[found["reference"]]
    assert rows[other]["difference"]["difference"] == pytest.approx(expected)

    # What is published has its predictions compressed.
    for path in study.glob("*/predictions.csv"):
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    (study / "comparison.json").unlink()
    monkeypatch.setattr(study_module, "run_tasks", lambda *args, **options: 1 / 0)
    assert main(command()) == 0
    assert "nothing is left to do" in capsys.readouterr().out
    assert json.loads((study / "comparison.json").read_text()) == found
    # What was worked out is worked out again where it is broken, and else not.
    (study / "comparison.json").write_text('{"schema_version": 99}')
    assert main(command()) == 0
    assert json.loads((study / "comparison.json").read_text()) == found
    monkeypatch.setattr(comparison, "compare_runs", lambda *args: 1 / 0)
    assert main(command()) == 0
    with pytest.raises(ZeroDivisionError):
        main(command(reference="cnn"))
    with pytest.raises(ZeroDivisionError):  # Another setting is another run.
        main(command(settings={"networks": {**SMALL, "epochs": 1}}))


def test_numbers_in_settings_are_numbers_however_they_are_written(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("cnn: {learning_rate: 1e-4, epochs: '3', schedule: cosine, clip_norm: 1}")
    found = read_settings(path, ["cnn@scratch"])["cnn@scratch"]
    assert found == {"learning_rate": 1e-4, "epochs": 3, "schedule": "cosine", "clip_norm": 1}
    assert isinstance(found["epochs"], int)


def test_a_failed_run_is_told_and_stops_no_other(command, capsys, tmp_path):
    diverging = {"learning_rate": 1e30, "clip_norm": 0.0, "warmup": 0.0}
    settings = {"networks": SMALL, "cnn": diverging}
    assert main(command(settings=settings, seeds=1)) == 1
    assert "Failed: cnn@scratch, seed 0: Training has diverged" in capsys.readouterr().err
    (made,) = record.find_runs(tmp_path / "runs")
    assert made.name.startswith("tfidf_logistic")


def test_with_folds_each_text_is_tested_once(command, tmp_path):
    assert main(command({"networks": {}}, models="majority", seeds=None, folds=3)) == 0
    ids = []
    for path in record.find_runs(tmp_path / "runs"):
        rows = record.read_rows(record.predictions_path(path))
        ids += [row["id"] for row in rows if row["split"] == "test"]
    assert len(ids) == len(set(ids)) == 120


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": "oracle"}, "Unknown model. Accepted: majority"),
        ({"models": "tfidf_smv"}, "Unknown model. Did you mean tfidf_svm?"),
        ({"models": "tfidf_svm@minilm"}, "Unknown model"),
        ({"models": "cnn,cnn@scratch"}, "named twice"),
        ({"models": "bert@scratch"}, "pretrained encoder"),
        ({"reference": "majority"}, "The reference is one of the models, tfidf_logistic, cnn@"),
        ({"seeds": 0}, "seeds is 1 to 10,000"),
        ({"workers": 0}, "workers is 1 or more"),
        ({"folds": 1}, "folds"),
        ({"data": "missing.csv"}, "missing.csv"),
        ({"study": "../runs"}, "A study's name is that of one folder"),
        ({"runs_dir": __file__}, f"Runs cannot be written to {__file__}"),
        ({"epochs": 3}, "is an option of networks, which baselines are not. Give it in a file"),
    ],
)
def test_wrong_use_is_told_before_anything_runs(command, capsys, tmp_path, options, message):
    assert main(command(**options)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "settings.json cannot be read as settings: No such file"),
        ("[1, 2]", "holds no settings"),
        ("cnn: {", "cannot be read"),
        ('{"lstm": {"units": 4}}', "settings for lstm@scratch, not among the models"),
        ('{"cnn": {"seed": 3}}', "sets seed, which the study decides"),
        ('{"networks": {"test_size": 0.5}}', "sets test_size, which the study decides"),
        ("3: {epochs: 1}", "Unknown model"),
        ('{"cnn": {"epochs": 0}}', "for cnn@scratch. epochs is 1 or more. Received: epochs=0"),
        (
            '{"cnn": {"filters": 4}}',
            "for cnn@scratch. Unknown option for model='cnn'. Did you mean num_filters?",
        ),
        ('{"networks": {"units": 4}}', "wrong settings for cnn@scratch. Unknown option"),
        (
            '{"tfidf_logistic": {"C": "large"}}',
            "for tfidf_logistic. C is a number. Received: C=l",
        ),
    ],
)
def test_wrong_settings_are_told(command, capsys, tmp_path, content, message):
    arguments = command()
    path = tmp_path / "settings.json"
    path.unlink() if content is None else path.write_text(content)
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_an_unknown_option_is_told_from_python_too(corpus_path):
    with pytest.raises(UserError, match="Unknown option of the data. Received: sedes"):
        compare_module.compare(data=str(corpus_path), models="majority", sedes=3)


def test_the_time_left_comes_from_runs_of_the_same_model(make_record, tmp_path):
    tasks = [Task(group, f"seed {i}", {}, {}) for group in ("a", "b") for i in range(3)]
    directories = [tmp_path / name for name in ("first", "second")]
    for directory, seconds in zip(directories, (10.0, 40.0), strict=True):
        directory.mkdir()
        run = make_record()
        record.write_run(directory, run | {"cost": {**run["cost"], "seconds": seconds}})
    assert Progress(tasks, [], 1).seconds_left() is None
    # Two more of a; of b, whose runs' times nobody knows, three that take as long as those of a.
    assert Progress(tasks, [(tasks[0], directories[0])], 1).seconds_left() == 50
    both = [(tasks[0], directories[0]), (tasks[3], directories[1])]
    progress = Progress(tasks, both, 2)
    assert progress.seconds_left() == (2 * 10 + 2 * 40) / 2
    progress.start(tasks[4])
    progress.end(Ended(tasks[4], None, "out of luck"))
    # While one worker makes both runs of a, the other makes the last of b.
    assert progress.seconds_left() == 40


def test_the_time_left_counts_what_a_run_takes_beside_training(
    make_record, tmp_path, monkeypatch, capsys
):
    tasks = [Task(group, f"seed {i}", {}, {}) for group in ("a", "b") for i in range(3)]
    directories = [tmp_path / name for name in ("first", "second")]
    for directory, seconds in zip(directories, (10.0, 20.0), strict=True):
        directory.mkdir()
        run = make_record()
        record.write_run(directory, run | {"cost": {**run["cost"], "seconds": seconds}})
    progress = Progress(tasks, [(tasks[0], directories[0])], 1)
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress.start(tasks[3])
    now[0] += 25.0  # Of which it trained for 20.
    progress.end(Ended(tasks[3], directories[1], None))
    assert progress.seconds_left() == 2 * (10 + 5) + 2 * 25
    assert "2 of 6 runs; about 80 seconds left." in " ".join(capsys.readouterr().out.split())


def test_of_a_model_that_nobody_has_timed_the_least_is_said(
    make_record, tmp_path, monkeypatch, capsys
):
    tasks = [Task(group, f"seed {i}", {}, {}) for group in ("a", "b") for i in range(2)]
    run = make_record()
    record.write_run(tmp_path, run | {"cost": {**run["cost"], "seconds": 10.0}})
    progress = Progress(tasks, [], 1)
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress.start(tasks[0])
    now[0] = 12.0
    progress.end(Ended(tasks[0], tmp_path, None))
    assert "1 of 4 runs; at least 36 seconds left." in " ".join(capsys.readouterr().out.split())
