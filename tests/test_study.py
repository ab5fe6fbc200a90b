"""Runs in processes of their own: they are plain runs, and what fails stops no other."""

import multiprocessing
import threading
import time

from emotion_keras import record
from emotion_keras.study import Task, run_tasks


def task(toy, name, **options):
    return Task(name, {**toy, "study": "toys", **options})


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
        assert found["metrics"] == plain["metrics"]
        assert found["run_id"] == plain["run_id"]


def test_a_process_that_is_killed_at_work_costs_one_run(toy, tmp_path):
    tasks = [task(toy, f"seed {seed}", seed=seed) for seed in range(2)]

    def kill_when_the_first_run_has_begun():
        while not list(tmp_path.glob("runs/toys/*")):
            time.sleep(0.01)
        _kill_worker()

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
    _kill_worker()
    (second,) = running
    assert second.reason is None


def _kill_worker():
    (worker,) = multiprocessing.active_children()
    worker.kill()
    worker.join()
