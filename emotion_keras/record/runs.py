"""Runs on disk: their folders and their records."""

import glob
import hashlib
import json
import os
import shlex
import tempfile
from pathlib import Path
from typing import Any

from emotion_keras.errors import UserError
from emotion_keras.record.checksums import content_sha256
from emotion_keras.record.files import check_archive, find_files
from emotion_keras.record.names import (
    COMBINATION,
    ESTIMATOR,
    GROUPS,
    MEMBERS,
    MODEL,
    ONNX,
    PREDICTIONS,
    RUN,
)
from emotion_keras.record.schema import (
    RUN_SHAPE,
    check_run_values,
    check_types,
    read_versioned,
    write_versioned,
)


def run_id(model: str, seed: int, settings: dict[str, Any], encoder: str | None = None) -> str:
    """A name for the eye that is unique by all settings; it is never parsed back.

    Args:
        model: String, the model's name.
        seed: Integer.
        settings: JSON-able dictionary of everything that tells this run from others.
        encoder: String, the encoder's name or path, of a model that has one.

    Returns:
        String such as `gated_transformer-minilm-seed0-1b2f4c6d`.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
    return f"{_readable_name(model, seed, encoder)}-{digest}"


def _readable_name(model, seed, encoder):
    name = model
    if encoder:
        encoder = "".join(c if c.isalnum() or c in "._" else "_" for c in Path(encoder).name)
        name = f"{model}-{encoder}"
    return f"{name}-seed{seed}"


def find_alike(directory: Path, model: str, seed: int, encoder: str | None = None) -> list[Path]:
    """Folders of a study's finished runs of a model with a seed, whatever their settings are.

    Args:
        directory: The study's folder, existing or not.
        model: See `run_id`.
        seed: See `run_id`.
        encoder: See `run_id`.
    """
    pattern = f"{glob.escape(_readable_name(model, seed, encoder))}-*"
    return sorted(filter(is_finished, directory.glob(pattern)))


def run_directory(runs_dir: str | Path, study: str, name: str) -> Path:
    """The folder of a run, existing or not."""
    return Path(runs_dir) / study / name


def check_study(study: str) -> None:
    """Raises `UserError` if a name of a study is not that of a folder below the runs' folder."""
    if study != Path(study).name or study in ("", ".", ".."):
        raise UserError(
            "A study's name is that of one folder; where the folder lies, `--runs-dir` says. "
            f"Received: study={study!r}"
        )


def make_directory(directory: Path) -> None:
    """Makes a folder for runs, or raises `UserError` if nothing can be written there."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"\n")
    except OSError as error:
        raise UserError(
            f"Runs cannot be written to {directory}: {error.strerror}. Choose a folder that can be "
            "written to with `--runs-dir`."
        ) from error


def is_finished(directory: str | Path) -> bool:
    """Whether a run's record is complete; whether it can be read, `check_run` says."""
    return (Path(directory) / RUN).exists()


def predictions_path(directory: str | Path) -> Path:
    """The file of a run's predictions, which may be compressed."""
    return _or_compressed(Path(directory) / PREDICTIONS)


def groups_path(directory: str | Path) -> Path:
    """The file of the groups and attributes of a run's examples, which may be compressed."""
    return _or_compressed(Path(directory) / GROUPS)


def _or_compressed(path):
    return path if path.exists() else path.with_name(f"{path.name}.gz")


def find_runs(runs_dir: str | Path, lost: list[tuple[Path, str]] | None = None) -> list[Path]:
    """Folders of the finished runs below a folder, sorted by path; see `find_files`.

    What lies in the folder of a run that combines others is a part of it, and no run beside it.
    """
    found = [path.parent for path in find_files(runs_dir, RUN, lost)]
    return [path for path in found if not _is_member(path)]


def _is_member(directory):
    return directory.parent.name == MEMBERS and is_finished(directory.parents[1])


def resolve_run(name: str | Path, runs_dir: str | Path, study: str | None = None) -> Path:
    """The folder that a user names, or the best run.

    Args:
        name: Path of a folder, or `best`.
        runs_dir: Folder of all runs.
        study: Name of the study to take the best of, or `None` for all.

    Returns:
        `pathlib.Path`; of `best` that of the finished run with its model that has the highest macro
        F1 on its validation split.

    Raises:
        UserError: If there is no run to take the best of.
    """
    if name != "best":
        return Path(name)
    within = Path(runs_dir) / (study or "")
    lost = []
    runs = [directory for directory in find_runs(within, lost) if has_model(directory)]
    if not runs:
        raise UserError(
            f"There is no finished run with its model in {within} to take the best of. Train one: "
            "python -m emotion_keras.fit; or name another folder with `--runs-dir`."
            + "".join(f" Not looked into: {path}: {reason}." for path, reason in lost)
        )
    return max(runs, key=lambda directory: read_run(directory)["metrics"]["val"]["macro_f1"])


def has_model(directory: str | Path) -> bool:
    """Whether a run's folder holds its model; published records are kept without."""
    return any((Path(directory) / name).exists() for name in (MODEL, ESTIMATOR, MEMBERS))


def model_sha256(directory: str | Path) -> str:
    """Checksum of the model in the folder of a run or of an export.

    Raises:
        UserError: If there is none.
    """
    directory = Path(directory)
    paths = (directory / name for name in (ONNX, MODEL, ESTIMATOR, MEMBERS))
    path = next(filter(Path.exists, paths), None)
    if path is None:
        raise UserError(
            f"The run {directory} is kept without its model. {how_to_repeat(directory)}"
        )
    return content_sha256(path)


def check_run(directory: str | Path) -> None:
    """Makes sure that the record of a finished run can be read, and its model, if it is kept.

    Args:
        directory: The run's folder.

    Raises:
        UserError: If one of them is damaged.
    """
    read_run(directory)
    for path in (Path(directory) / MODEL, Path(directory) / ESTIMATOR):
        if path.exists():
            check_archive(path, how_to_repeat(directory))
    for member in find_files(Path(directory) / MEMBERS, RUN):
        check_run(member.parent)


def write_run(directory: str | Path, record: dict[str, Any]) -> None:
    """Finishes a run: writes its record, the last file of all.

    Args:
        directory: The run's folder.
        record: JSON-able dictionary, as `read_run` expects it; `schema_version` is added.

    Raises:
        UserError: If a value is missing or of a wrong type.
    """
    check_types(record, RUN_SHAPE)
    check_run_values(record)
    write_versioned(Path(directory) / RUN, record)


def read_run(directory: str | Path) -> dict[str, Any]:
    """Reads a finished run's record.

    Args:
        directory: The run's folder.

    Returns:
        Dictionary.

    Raises:
        UserError: If there is no record, it is damaged, or its schema version is another one.
    """
    path = Path(directory) / RUN
    if not path.exists():
        raise UserError(
            f"There is no finished run in {directory}: it holds no {RUN}. Give the folder that "
            "`python -m emotion_keras.fit` named at its end."
        )
    return read_versioned(path, RUN_SHAPE, check_run_values)


def how_to_repeat(directory: str | Path) -> str:
    """The sentence that says how a run is made again that is damaged, or kept in part."""
    if command := _combining(directory):
        return f"Delete the folder {directory}, and combine its members again: {command}"
    command = f"python -m emotion_keras.fit --from-run {shlex.quote(os.fspath(directory))}"
    return (
        f"Delete the folder {directory}, and the command that made it makes it again; or train it "
        f"in another study: {command} --study again"
    )


def _combining(directory):
    """The command that makes a run that combines others; `None` of any other run."""
    try:
        run = json.loads((Path(directory) / RUN).read_text(encoding="utf-8"))
        return shlex.join(run["command"]) if run["model"] == COMBINATION else None
    except (OSError, ValueError, KeyError, TypeError):  # It may well be the record that is damaged.
        return None
