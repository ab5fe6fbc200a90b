"""A chief and its workers: what they find together, and what they say when they cannot."""

import json
import socket
import subprocess
import sys
import time

import pytest

from emotion_keras import record
from tuning import parallel
from tuning.search import main
from tuning.trials import SEARCH, Trials

PLACES = {parallel.ROLE: "tuner0", parallel.ADDRESS: "127.0.0.1", parallel.PORT: "1"}


@pytest.fixture
def command(corpus_path, tmp_path):
    (tmp_path / "space.json").write_text(json.dumps({"C": [0.01, 0.1, 1.0, 10.0]}))
    return [
        f"--data={corpus_path}",
        "--model=tfidf_svm",
        "--oracle=grid",
        "--max-trials=4",
        f"--space={tmp_path / 'space.json'}",
        f"--runs-dir={tmp_path / 'runs'}",
    ]


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def test_two_workers_and_a_chief_try_each_setting_once(command, quick_processes, tmp_path):
    assert main([*command, "--workers=2"]) == 0
    directory = tmp_path / "runs" / "search"
    trials = record.read_versioned(directory / SEARCH)["trials"]
    assert sorted(t["options"].get("C", 0) for t in trials) == [0, 0.01, 0.1, 1.0, 10.0]
    assert len({t["trial"] for t in trials}) == 5
    # Both took part, and each run is noted.
    assert {path.name for path in (directory / "logs").iterdir()} == {"tuner0", "tuner1"}
    noted = record.read_versioned(directory / "study.json")["runs"]
    assert sorted(run["run_id"] for run in noted) == sorted(
        path.name for path in record.find_runs(tmp_path / "runs")
    )
    for trial in trials:
        (run_id,) = trial["run_ids"]
        run = record.read_run(directory / run_id)
        assert run["trial"] == trial["trial"]
        assert run["metrics"]["val"]["macro_f1"] == pytest.approx(trial["score"])
        assert trial["options"].items() <= run["hyperparameters"].items()


def test_a_chief_that_dies_ends_its_worker_and_what_was_tried_is_kept(
    command, forked, tmp_path, free_port
):
    """The parts that a user starts by hand, on as many machines as there are."""
    # More than a worker tries before the chief is gone.
    (tmp_path / "space.json").write_text(json.dumps({"C": [0.01 * i for i in range(1, 201)]}))
    code = (
        "import os, sys; from tuning import parallel, search\n"
        "os.environ.update(places); parallel._PATIENCE = 5\n"
        "os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT), 2)\n"
        "sys.exit(search.main(command))"
    )

    def start(role):
        places = PLACES | {parallel.PORT: free_port, parallel.ROLE: role}
        known = {"places": places, "command": [*command, "--max-trials=200"]}
        process = forked.Process(target=exec, args=(code, known | {"output": str(tmp_path / role)}))
        process.start()
        return process

    chief, worker = start("chief"), start("tuner0")
    file = tmp_path / "runs" / "search" / SEARCH
    try:
        # Until it has tried what the chief has said.
        while not (file.exists() and len(record.read_versioned(file)["trials"]) > 2):
            assert worker.is_alive()
            time.sleep(0.1)
        chief.kill()
        worker.join(120)
    finally:
        chief.kill()
        worker.kill()
    error = (tmp_path / "tuner0").read_text()
    assert worker.exitcode == 2, error
    assert "The chief at 127.0.0.1" in error and "does not answer" in error
    assert "Traceback" not in error
    trials = record.read_versioned(file)["trials"]
    assert [t["trial"] for t in trials][:2] == ["defaults", "1"]


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({parallel.ADDRESS: "127.0.0.1"}, f"Not set: {parallel.ROLE}, {parallel.PORT}"),
        ({**PLACES, parallel.PORT: "many"}, "A port is 1 to 65535. Received: KERASTUNER"),
        ({**PLACES, "workers": 2}, "this process is one part of a search"),
    ],
)
def test_wrong_places_are_told(command, monkeypatch, capsys, places, message):
    workers = places.pop("workers", 1)
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    assert main([*command, f"--workers={workers}"]) == 2
    assert message in capsys.readouterr().err


def test_a_chief_that_never_starts_is_told(command, free_port, monkeypatch, capsys):
    for name, value in {**PLACES, parallel.PORT: free_port}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(parallel, "_FIRST_PATIENCE", 0.2)
    assert main(command) == 2
    assert f"The chief at 127.0.0.1, port {free_port}, does not answer" in capsys.readouterr().err


def test_a_port_in_use_is_told(command, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for name, value in {**PLACES, parallel.ROLE: "chief", parallel.PORT: port}.items():
            monkeypatch.setenv(name, value)
        assert main(command) == 2
    error = capsys.readouterr().err
    assert f"The chief cannot listen at 127.0.0.1, port {port}" in error
    assert parallel.PORT in error


def test_processes_that_note_trials_together_lose_none(tmp_path):
    question = {"contender": "tfidf_svm"}
    code = (
        "import pathlib, sys; from tuning.trials import Trials\n"
        f"trials = Trials(pathlib.Path({str(tmp_path)!r}), {question!r})\n"
        "for i in range(20):\n"
        "    options = {'C': int(sys.argv[1]) + i}\n"
        "    trials.begin(options); trials.end(options, i / 20, ['run'], None)\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(100 * number)]) for number in range(3)
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    trials = Trials(tmp_path, question)
    assert len(trials.ended()) == 60
    assert sorted(int(trial["trial"]) for trial in trials.trials) == list(range(1, 61))
    assert trials.best()["score"] == 19 / 20
