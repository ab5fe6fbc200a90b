"""Commands that are killed: the same command continues, and ends with the same result."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emotion_keras import compare, record
from emotion_keras.inference.labelling import label_file
from emotion_keras.training.run import fit
from tuning import search
from tuning.trials import SEARCH

ROOT = Path(__file__).parents[2]

SMALL = {
    "embedding_dim": 8,
    "vocabulary_size": 120,
    "sequence_length": 16,
    "batch_size": 16,
    "epochs": 2,
    "learning_rate": 0.01,
}


@pytest.fixture
def command(corpus_path, tmp_path):
    """The arguments of a command on the toy corpus, of which one option is a JSON file."""

    def make(**options):
        (name, content), *rest = options.items()
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(content))
        options = {"data": corpus_path, "runs_dir": tmp_path / "runs", name: path, **dict(rest)}
        return [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]

    return make


def num_files(directory):
    return sum(len(files) for _, _, files in os.walk(directory))


@pytest.fixture
def kill_ten_times(forked, tmp_path):
    """Runs a study to its end, and another with the same options ten times, killed on its way.

    Each time it gets a random part further, known from its files, however slow the machine is. The
    processes that it starts must end by themselves after it.
    """

    def start(module, arguments):
        code = (
            "import os, sys\n"
            "sys.stdout = open(os.devnull, 'w')\n"
            f"from {module} import main\n"
            f"sys.exit(main({arguments!r}))"
        )
        process = forked.Process(target=exec, args=(code, {}))
        process.start()
        return process

    def kill(module, arguments):
        killed, whole = (tmp_path / "runs" / study for study in ("killed", "whole"))
        process = start(module, [*arguments, "--study=whole"])
        process.join()
        assert process.exitcode == 0
        chance, codes = random.Random(0), []
        for times_left in range(10, 0, -1):
            made = num_files(killed)
            files_left = num_files(whole) - made
            enough = made + chance.uniform(0, 2 * files_left / (times_left + 1))
            process = start(module, [*arguments, "--study=killed"])
            while num_files(killed) <= enough and process.is_alive():
                time.sleep(0.01)
            process.kill()
            process.join()
            codes.append(process.exitcode)
        assert set(codes) <= {0, -signal.SIGKILL} and codes.count(-signal.SIGKILL) >= 5
        return killed, whole

    return kill


def metrics_in(folder):
    """Metrics of the finished runs below a folder, by run_id."""
    return {path.name: record.read_run(path)["metrics"] for path in record.find_runs(folder)}


def test_a_comparison_ends_with_the_same_runs(command, kill_ten_times):
    settings = {"networks": SMALL, "cnn": {"num_filters": 4}}
    arguments = command(settings=settings, models="tfidf_logistic,cnn", seeds=2)
    killed, whole = kill_ten_times("emotion_keras.compare", arguments)
    assert compare.main([*arguments, "--study=killed"]) == 0
    assert len(metrics_in(whole)) == 4
    assert metrics_in(killed) == metrics_in(whole)
    for path in killed.glob("*/"):
        names = {file.name for file in path.iterdir()}
        assert path.name == "logs" or {"run.json", "predictions.csv", "audit.json"} <= names
        assert not {name for name in names if "part" in name or name.startswith("unfinished")}


def test_a_search_ends_with_the_same_trials(command, kill_ten_times):
    space = {"C": [0.01, 0.1, 1.0, 10.0]}
    arguments = command(space=space, model="tfidf_svm", oracle="grid", max_trials=4)
    killed, whole = kill_ten_times("tuning.search", arguments)
    assert search.main([*arguments, "--study=killed"]) == 0
    folders = (killed, whole)
    found, expected = (record.read_versioned(folder / SEARCH)["trials"] for folder in folders)
    assert len(expected) == 5
    for name in ("trial", "options", "score", "run_ids"):
        assert [trial[name] for trial in found] == [trial[name] for trial in expected]
    found, expected = (record.find_runs(folder) for folder in folders)
    assert [path.name for path in found] == [path.name for path in expected]


def test_a_file_is_labelled_whole(write, tmp_path):
    source = write("a.csv", "text,n\n" + "".join(f"text {n},{n}\n" for n in range(5_000)))
    output = tmp_path / "out.csv"
    journal = tmp_path / "out.csv.progress.json"

    def rows_done():
        return json.loads(journal.read_text())["rows"] if journal.exists() else 0

    script = (
        "import sys; from emotion_keras.inference.labelling import label_file\n"
        "label_file(lambda texts: {'mood': texts}, *sys.argv[1:], columns=['mood'], settings={}, "
        "rows_at_a_time=10, resume=True)"
    )
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", script, source, output], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        before = rows_done()
        while rows_done() < before + 50 and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not output.exists()
    done = rows_done()
    given = {"columns": ["mood"], "settings": {}, "rows_at_a_time": 1000}
    given |= {"resume": True, "notify": lambda message: None}
    counts = label_file(lambda texts: {"mood": texts}, source, output, **given)
    assert counts == {"rows": 5_000, "labelled": 5_000 - done, "empty": 0}
    lines = [f"text {n},{n},text {n}\n" for n in range(5_000)]
    assert output.read_text() == "text,n,mood\n" + "".join(lines)
    assert sorted(tmp_path.iterdir()) == [source, output]


def test_a_killed_process_holds_nobody_up(corpus_path, tmp_path):
    options = {"model": "majority", "data": str(corpus_path), "runs_dir": str(tmp_path / "runs")}
    directory = fit(**options, notify=lambda message: None)
    (directory / record.RUN).unlink()  # As if the run were under way.
    hold = (
        "import sys; from filelock import FileLock\n"
        "with FileLock(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", hold, directory / "unfinished.lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"held\n"
    process.kill()
    process.communicate()
    messages = []
    assert fit(**options, notify=messages.append) == directory
    assert record.is_finished(directory)
    assert not [message for message in messages if "Another process" in message]
