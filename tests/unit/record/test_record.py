"""The record on disk: whole or not there, of this version or refused, named apart."""

import json
import math
import os

import pytest

from emotion_keras import record
from emotion_keras.errors import UserError


@pytest.fixture(scope="module")
def run(make_record):
    return make_record(run_id="one", num_of_anything=0.1 + 0.2)


def test_a_run_is_read_as_it_was_written(tmp_path, run):
    record.write_run(tmp_path, run)
    assert record.is_finished(tmp_path)
    assert record.read_run(tmp_path) == {"schema_version": 2, **run}


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_run_is_never_half_there(tmp_path, monkeypatch, step, run):
    def fail(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space"):
        record.write_run(tmp_path, run)
    assert not record.is_finished(tmp_path)
    assert record.find_runs(tmp_path) == []


def test_an_old_file_survives_a_failed_write(tmp_path, monkeypatch, run):
    record.write_run(tmp_path, run)
    monkeypatch.setattr(os, "replace", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        record.write_run(tmp_path, {**run, "run_id": "two"})
    assert record.read_run(tmp_path)["run_id"] == "one"


def test_numbers_that_json_does_not_know_are_refused(tmp_path, run):
    with pytest.raises(ValueError, match="JSON"):
        record.write_run(tmp_path, {**run, "loss": math.nan})
    assert not record.is_finished(tmp_path)


def test_what_could_not_be_read_is_not_written(tmp_path, run):
    with pytest.raises(UserError, match='seed should be int, and is "0"'):
        record.write_run(tmp_path, {**run, "seed": "0"})
    assert not record.is_finished(tmp_path)


def test_a_run_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="no finished run"):
        record.read_run(tmp_path / "none")


@pytest.mark.parametrize("content", [b"", b'{"run_id": "o', b"\xff\xfe", b'{"a": 1}}'])
def test_a_broken_record_is_named(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(UserError, match=r"run\.json is (damaged|empty).*Delete it"):
        record.read_run(tmp_path)


@pytest.mark.parametrize(
    "found", [{"schema_version": 3}, {"schema_version": "1"}, {"schema_version": True}, {}, [1]]
)
def test_a_record_of_another_version_is_refused(tmp_path, found):
    (tmp_path / "run.json").write_text(json.dumps(found))
    with pytest.raises(UserError, match="expected schema_version 1 or 2"):
        record.read_run(tmp_path)


def test_rows_keep_full_precision_and_any_text(tmp_path):
    rows = [{"id": 'a,"b"\nc', "p": 0.1 + 0.2}, {"id": "é", "p": 1e-30}]
    record.write_rows(tmp_path / "rows.csv", rows)
    read = record.read_rows(tmp_path / "rows.csv")
    assert [(row["id"], float(row["p"])) for row in read] == [(r["id"], r["p"]) for r in rows]


def test_run_ids_differ_with_every_setting():
    settings = {"training": {"epochs": 1}, "seed": 0}
    name = record.run_id("transformer", 0, settings, "scratch")
    assert name.startswith("transformer-scratch-seed0-")
    assert name == record.run_id("transformer", 0, dict(reversed(settings.items())), "scratch")
    others = [{"training": {"epochs": 2}, "seed": 0}, {"training": {"epochs": 1}, "seed": 1}]
    assert (
        len({record.run_id("transformer", 0, other, "scratch") for other in others} | {name}) == 3
    )


def test_run_id_of_an_encoder_folder_is_a_file_name():
    name = record.run_id("transformer", 3, {}, "/somewhere/my: encoder")
    assert name.startswith("transformer-my__encoder-seed3-")


def test_runs_are_found_in_all_studies(tmp_path, run):
    folders = [record.run_directory(tmp_path, study, "one") for study in ("b", "a")]
    for folder in folders:
        folder.mkdir(parents=True)
        record.write_run(folder, run)
    record.run_directory(tmp_path, "a", "unfinished").mkdir()
    assert record.find_runs(tmp_path) == sorted(folders)
