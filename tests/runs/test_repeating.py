"""The commands that the report shows make what is there, and find it made."""

import os
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import pytest

from emotion_keras import compare, fit
from emotion_keras.record.options import without
from emotion_keras.training.options import PlaceOptions
from emotion_keras.training.settings import Settings, identity_of
from reports.records import read_records
from reports.sections.repeat import commands, fit_command
from tuning import search, sensitivity

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "reports" / "published" / "isear"
ISEAR = ROOT.parent / "shared" / "data" / "isear" / "isear.csv"
MAINS = {
    "emotion_keras.fit": fit.main,
    "emotion_keras.compare": compare.main,
    "tuning.search": search.main,
    "tuning.sensitivity": sensitivity.main,
}
STUDIES = sorted(path.name for path in PUBLISHED.iterdir() if path.is_dir())


def run_shown(shown, monkeypatch, capsys):
    """Runs a command of the report in this process, as a shell would; returns what it prints."""
    variable, _, _, module, *arguments = shlex.split(shown["command"].replace("\\\n", " "))
    name, _, backend = variable.partition("=")
    monkeypatch.setenv(name, backend)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    for file in ("settings.json", "space.json"):
        if f"={file}" in shown["command"]:
            Path(file).write_text(shown["settings"])
    assert MAINS[module](arguments) == 0
    return capsys.readouterr().out


@pytest.fixture
def isear_in_cache(tmp_path, monkeypatch):
    if not ISEAR.exists():
        pytest.skip("ISEAR's file is not beside this folder")
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    os.symlink(ISEAR, tmp_path / "keras" / "datasets" / "isear.csv")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


@pytest.mark.parametrize("study", STUDIES)
def test_what_is_published_is_found_made(study, isear_in_cache, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PUBLISHED / study, tmp_path / "runs" / study)
    before = set((tmp_path / "runs").rglob("run.json"))
    for part in read_records("runs").parts:
        shown_commands = commands(part)
        assert shown_commands
        for shown in shown_commands:
            said = run_shown(shown, monkeypatch, capsys)
            assert "nothing is left to do" in said or "nothing is trained" in said
    assert set((tmp_path / "runs").rglob("run.json")) == before


def test_a_run_of_a_model_that_is_no_more_is_repeated_from_its_record():
    run = published_runs()[0]
    run = replace(run, record={**run.record, "model": "perceptron"})
    assert f"--from-run={run.directory}" in shlex.split(fit_command(run).replace("\\\n", " "))


def published_runs():
    return [run for part in read_records(PUBLISHED).parts for run in part.runs]


def test_the_command_of_each_published_run_has_the_identity_of_the_run():
    runs = published_runs()
    assert len(runs) > 200
    for run in runs:
        _, _, _, _, *arguments = shlex.split(fit_command(run).replace("\\\n", " "))
        options = fit.parse_options(arguments)
        assert options["study"] == run.directory.parent.name
        settings = Settings.make(**without(options, PlaceOptions))
        known = identity_of(run.record)
        of_machine = ("corpus", "labels", "backend", "precision")
        given = {name: known[name] for name in of_machine}
        assert settings.identity(**given, encoder_sha256=None) == known
