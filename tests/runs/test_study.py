"""Runs in processes of their own: they are plain runs, and what fails stops no other."""

import multiprocessing
import os
import threading
import time

import keras
import pytest

from emotion_keras import record
from emotion_keras.data import read_dataset
from emotion_keras.errors import UserError
from emotion_keras.studies import study
from emotion_keras.studies.study import STUDY, Study, Task, backend, run_tasks
from emotion_keras.training.settings import Settings

pytestmark = pytest.mark.usefixtures("quick_processes")


def task(toy, name, **options):
    return Task("toy", name, {**toy, "study": "toys", **options}, options)


def test_runs_are_the_same_as_plain_ones_and_a_failure_stops_nothing(toy, fit, tmp_path):
    tasks = [
        task(toy, "seed 0", seed=0),
        task(toy, "no such model", model="oracle"),
        task(toy, "seed 1", seed=1),
    ]
    ended = {end.task.name: end for end in run_tasks(tasks, workers=2, log_dir=tmp_path / "logs")}
    assert "Unknown model" in ended["no such model"].reason
    assert ended["no such model"].directory is None
    for seed in (0, 1):
        plain = record.read_run(fit(seed=seed, study="plain"))
        found = record.read_run(ended[f"seed {seed}"].directory)
        assert found["run_id"] == plain["run_id"]
        for name in ("accuracy", "auc", "log_loss"):  # One core sums in another order than two.
            expected = pytest.approx(plain["metrics"]["test"][name], abs=1e-4)
            assert found["metrics"]["test"][name] == expected


def test_a_process_that_is_killed_at_work_costs_one_run(toy, tmp_path):
    tasks = [task(toy, f"seed {seed}", seed=seed) for seed in range(2)]

    def kill_when_the_first_run_has_begun():
        while not list(tmp_path.glob("runs/toys/*")):
            time.sleep(0.01)
        _worker().kill()

    threading.Thread(target=kill_when_the_first_run_has_begun, daemon=True).start()
    first, second = run_tasks(tasks, workers=1, log_dir=tmp_path / "logs")
    assert first.directory is None
    assert "code -9" in first.reason and "worker-0.log" in first.reason
    assert second.reason is None and record.is_finished(second.directory)
    # The same task again makes what is missing.
    (again,) = run_tasks(tasks[:1], workers=1, log_dir=tmp_path / "logs")
    assert record.is_finished(again.directory)


def test_a_process_that_is_killed_at_rest_costs_nothing(toy, tmp_path):
    tasks = [task(toy, f"seed {seed}", seed=seed) for seed in range(2)]
    running = run_tasks(tasks, workers=1, log_dir=tmp_path / "logs")
    assert next(running).reason is None
    worker = _worker()
    worker.kill()
    worker.join()
    (second,) = running
    assert second.reason is None


@pytest.mark.parametrize("has_grown", [False, True])
def test_a_process_that_has_grown_is_replaced(toy, tmp_path, monkeypatch, has_grown):
    monkeypatch.setattr(study._Worker, "is_worn_out", lambda worker: has_grown)
    tasks = [task(toy, f"seed {seed}", seed=seed) for seed in range(2)]
    processes = set()
    for ended in run_tasks(tasks, workers=1, log_dir=tmp_path / "logs"):
        assert ended.reason is None
        (process,) = multiprocessing.active_children()
        processes.add(process.pid)
    assert len(processes) == (2 if has_grown else 1)


def test_processes_share_what_was_made_before(toy, tmp_path):
    given = task(toy, "seed 0", seed=0)
    settings = Settings.make(
        model="gated_transformer", **{name: toy[name] for name in ("data", "encoder")}
    )
    cache = {}
    read_dataset(settings.data, cache)
    os.rename(toy["data"], tmp_path / "away.csv")
    try:
        (ended,) = run_tasks([given], workers=1, log_dir=tmp_path / "logs", cache=cache)
    finally:
        os.rename(tmp_path / "away.csv", toy["data"])
    assert ended.reason is None


def test_a_study_knows_which_runs_it_has(make_record, tmp_path):
    first, second = (Task("toy", f"seed {seed}", {}, {"seed": seed}) for seed in range(2))
    directory = tmp_path / "study" / "run"
    directory.mkdir(parents=True)
    record.write_run(directory, make_record())
    runs = Study(directory.parent)
    assert runs.find(first) is None
    runs.add(first, directory)
    for found in (runs, Study(directory.parent)):
        assert found.find(first) == directory
        assert found.find(second) is None
    (directory / record.RUN).unlink()
    assert Study(directory.parent).find(first) is None


def test_a_broken_file_of_a_study_is_told(tmp_path):
    (tmp_path / STUDY).write_text("{")
    with pytest.raises(UserError, match=r"study\.json is damaged"):
        Study(tmp_path)
    record.write_versioned(tmp_path / STUDY, {})
    with pytest.raises(UserError, match=r"study\.json is damaged: runs is missing"):
        Study(tmp_path)


def test_the_backend_is_the_one_that_keras_takes(monkeypatch, tmp_path):
    assert backend() == keras.backend.backend()
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert backend() == "tensorflow"
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    assert backend() == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    with pytest.raises(UserError, match="Accepted: tensorflow, jax, torch. Received.*'theano'"):
        backend()


def _worker():
    (worker,) = multiprocessing.active_children()
    return worker
