"""Each benchmark is described, and the history of all holds whole lines."""

import importlib.util
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
HELPERS = {"contenders", "history", "processes"}
SCRIPTS = sorted({path.stem for path in FOLDER.glob("*.py")} - HELPERS)
LINES = (FOLDER / "history.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def history():
    """The module of the scripts that adds to the history."""
    spec = importlib.util.spec_from_file_location("history", FOLDER / "history.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(line):
    """Whether a line of the history is whole."""
    found = json.loads(line)
    assert list(found) == ["benchmark", "date", "machine", "command", "commit", "figures"]
    assert found["benchmark"] in SCRIPTS
    assert date.fromisoformat(found["date"]) >= date(2026, 1, 1)
    assert list(found["machine"]) == ["cpu", "cores", "instructions"]
    assert found["machine"]["cores"] > 0
    assert found["command"].startswith(f"python tests/benchmarks/{found['benchmark']}.py")
    assert " /" not in found["command"] and "--record" not in found["command"]
    assert re.fullmatch(r"([0-9a-f]{7,40}(-dirty)?)?", found["commit"])
    assert found["figures"]
    return found


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_history_is_whole(line):
    check(line)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_benchmark_is_described_and_has_been_run(name):
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"[{name}.py]({name}.py)" in text and f"\n## {name}.py\n" in text
    assert f"    python tests/benchmarks/{name}.py" in text
    assert name in {json.loads(line)["benchmark"] for line in LINES}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_benchmark_can_record_what_it_measures(name):
    done = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "--record" in done.stdout


def test_a_recorded_line_is_whole(history, tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    script, options = FOLDER / "label_million.py", ["--rows", "9", "--record"]
    monkeypatch.setattr(sys, "argv", [str(script), str(tmp_path / "run"), *options])
    for rows in (8, 9):
        history.record({"rows": rows}, tmp_path / "history.jsonl")
    found = [check(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [line["figures"] for line in found] == [{"rows": 8}, {"rows": 9}]
    assert found[0]["command"] == "python tests/benchmarks/label_million.py run --rows 9"
