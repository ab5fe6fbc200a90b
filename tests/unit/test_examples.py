"""The examples in docstrings do what they show."""

import doctest
import importlib
import shutil
from pathlib import Path

import pytest

from emotion_keras.studies import study
from emotion_keras.training import run as training_run
from tuning import search

ROOT = Path(__file__).parents[2]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("emotion_keras", "tuning", "reports")
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder of a run on the built-in corpus; for reading alone."""
    runs = str(tmp_path_factory.mktemp("examples"))
    options = {"data": "situations", "model": "tfidf_logistic", "runs_dir": runs}
    return training_run.fit(**options, notify=lambda message: None)


@pytest.fixture
def folder(trained, tmp_path, monkeypatch, runs_here):
    """A working folder with what examples read: `reviews.csv`, and a run as `runs/fit/RUN`."""
    monkeypatch.setattr(search, "run_tasks", study.run_tasks)
    (tmp_path / "reviews.csv").write_text("body,mood\nI was late.,shame\nWe won!,joy\n,joy\n")
    (tmp_path / "runs" / "fit").mkdir(parents=True)
    shutil.copytree(trained, tmp_path / "runs" / "fit" / "RUN")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", MODULES)
def test_examples_do_what_they_show(name, folder):
    found = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert found.attempted and not found.failed


def test_a_wrong_example_fails_and_none_is_skipped(capsys):
    example = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner(optionflags=FLAGS).run(example).failed == 1
    assert not any(
        "doctest: +SKIP" in path.read_text(encoding="utf-8")
        for package in ("emotion_keras", "tuning", "reports")
        for path in (ROOT / package).rglob("*.py")
    )
