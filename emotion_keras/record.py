"""The run record: what is on disk about a run. Standard library only.

`runs/<study>/<run_id>/` holds `run.json`, which is written last, so that its presence means that
the run is finished; `history.csv`, a row an epoch; `predictions.csv`, a row a text of the splits
`val` and `test`; `audit.json`; `architecture.json`, the layers of a Keras model; where weights are
kept `model.keras` with its tokenizer, or `model.skops` of a model of scikit-learn. A run that is
no trial of a study of settings has `texts.csv`, the texts of the test split, too, and where the
model's gate can be explained `gates.csv`, a row a word of these, `gate_words.csv`, the mean gate
of frequent words, and `faithfulness.csv`, whether predictions rest on the words that the gate and
their contributions point at.
"""

import contextlib
import csv
import hashlib
import json
import os
import shlex
import tempfile
import zipfile
from pathlib import Path

from emotion_keras.errors import UserError

# Version 2 names the columns of `predictions.csv` so that no label's name can be another column's.
SCHEMA_VERSION = 2
_READ_VERSIONS = (1, SCHEMA_VERSION)

RUN = "run.json"
HISTORY = "history.csv"
PREDICTIONS = "predictions.csv"
AUDIT = "audit.json"
ARCHITECTURE = "architecture.json"
TEXTS = "texts.csv"
GATES = "gates.csv"
GATE_WORDS = "gate_words.csv"
FAITHFULNESS = "faithfulness.csv"
MODEL = "model.keras"
ESTIMATOR = "model.skops"
# In the folder of an exported model.
EXPORT = "export.json"
ONNX = "model.onnx"

# What a run's record holds, with the types that `check_types` takes.
_RUN = {
    "run_id": str,
    "study": str,
    "model": str,
    "seed": int,
    "inputs": dict,
    "hyperparameters": dict,
    "training": dict,
    "corpus": {
        "name": str,
        "sha256": str,
        "labels": [str],
        "reading": dict,
        "preparation": {"clean": bool, "normalize_punctuation": bool},
        "protocol": dict,
    },
    "metrics": {"val": dict},
    "num_parameters": int,
    "cost": {
        "seconds": float,
        "examples_per_second": float,
        "milliseconds_for_1_text": float,
        "milliseconds_for_256_texts": float,
        "peak_memory_bytes": int,
    },
    "environment": {"backend": str},
}
_METRICS = {
    **dict.fromkeys(("accuracy", "macro_f1", "weighted_f1", "log_loss", "brier_score"), float),
    "auc": (float, type(None)),
    "ece": float,
    "num_examples": int,
    "confusion_matrix": [list],
}
_METRICS_OF_LABEL = {"precision": float, "recall": float, "f1": float, "support": int}
# How Git LFS stands in for a file that was not fetched.
LFS_POINTER = b"version https://git-lfs"
_DELETE = "Delete it, and the command that wrote it makes it again."


def run_id(model, seed, settings, encoder=None):
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
    name = model
    if encoder:
        encoder = "".join(c if c.isalnum() or c in "._" else "_" for c in Path(encoder).name)
        name = f"{model}-{encoder}"
    return f"{name}-seed{seed}-{digest}"


def run_directory(runs_dir, study, name):
    """The folder of a run, existing or not."""
    return Path(runs_dir) / study / name


def check_study(study):
    """Raises `UserError` if a name of a study is not that of a folder below the runs' folder."""
    if study != Path(study).name or study in ("", ".", ".."):
        raise UserError(
            "A study's name is that of one folder; where the folder lies, `--runs-dir` says. "
            f"Received: study={study!r}"
        )


def make_directory(directory):
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


def is_finished(directory):
    """Whether a run's record is complete; whether it can be read, `check_run` says."""
    return (Path(directory) / RUN).exists()


def predictions_path(directory):
    """The file of a run's predictions, which may be compressed."""
    path = Path(directory) / PREDICTIONS
    return path if path.exists() else path.with_name(f"{PREDICTIONS}.gz")


def find_runs(runs_dir, lost=None):
    """Folders of the finished runs below a folder, sorted by path; see `find_files`."""
    return [path.parent for path in find_files(runs_dir, RUN, lost)]


def find_files(directory, name, lost=None):
    """Files of a name in a folder, below it, and where links that lie there lead.

    Each folder is looked into once, however many links lead to it, and a link to a folder that
    holds the link leads nowhere new: so links may form a loop.

    Args:
        directory: Path of the folder.
        name: The files' name.
        lost: List, filled with pairs of a path that could not be followed and the reason, or
            `None`.

    Returns:
        List of `pathlib.Path`, sorted; each below `directory`, by way of the links.
    """
    lost = [] if lost is None else lost

    def note(error):
        lost.append((Path(error.filename), error.strerror))

    directory = Path(directory)
    found, seen, links = [], set(), {Path(os.path.realpath(directory)): directory}
    while links:
        # The highest first: a study is found as one before a link to one of its runs is followed.
        target = min(links, key=lambda path: (len(path.parts), path))
        start = links.pop(target)
        for folder, names, files in os.walk(start, onerror=note):
            real = target / Path(folder).relative_to(start)
            if real in seen:
                names.clear()
                continue
            seen.add(real)
            names.sort()
            for path in map(Path(folder).joinpath, (*names, *files)):
                leads_to = Path(os.path.realpath(path)) if path.is_symlink() else None
                if path.name == name and path.is_file():
                    found.append(path)
                # Editors lock a file by a hidden link that leads nowhere.
                elif leads_to and not path.exists() and not path.name.startswith("."):
                    lost.append((path, f"it is a link to {os.readlink(path)}, which is not there"))
                elif leads_to and path.is_dir() and leads_to not in {*seen, *real.parents}:
                    links.setdefault(leads_to, path)
    return sorted(found)


def resolve_run(name, runs_dir, study=None):
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
    runs = [
        directory
        for directory in find_runs(within, lost)
        if any((directory / file).exists() for file in (MODEL, ESTIMATOR))
    ]
    if not runs:
        raise UserError(
            f"There is no finished run with its model in {within} to take the best of. Train one: "
            "python -m emotion_keras.fit; or name another folder with `--runs-dir`."
            + "".join(f" Not looked into: {path}: {reason}." for path, reason in lost)
        )
    return max(runs, key=lambda directory: read_run(directory)["metrics"]["val"]["macro_f1"])


def check_run(directory):
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


def write_json(path, value):
    """Writes a JSON file in one step: a reader sees the old file, the new file, or none."""
    _write_atomically(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_rows(path, rows):
    """Writes dictionaries of equal keys as CSV in one step.

    Args:
        path: The file's path.
        rows: Non-empty list of dictionaries; floats are written in full precision.
    """
    part = _part(path)
    with open(part, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        flush(file)
    os.replace(part, path)


def read_rows(path):
    """Reads what `write_rows` wrote, as dictionaries of strings."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_run(directory, record):
    """Finishes a run: writes its record, the last file of all.

    Args:
        directory: The run's folder.
        record: JSON-able dictionary; `schema_version` is added.
    """
    write_versioned(Path(directory) / RUN, record)


def write_versioned(path, record):
    """Writes a JSON file that says which version of this software's records it is."""
    write_json(path, {"schema_version": SCHEMA_VERSION, **record})


def read_run(directory):
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
    run = read_versioned(path, _RUN)
    try:
        for split, metrics in run["metrics"].items():
            _check_metrics(metrics, f"metrics.{split}", run["corpus"]["labels"])
    except UserError as error:
        raise _damaged(path, error) from error
    return run


def _check_metrics(metrics, name, labels):
    shape = {**_METRICS, "per_label": dict.fromkeys(labels, _METRICS_OF_LABEL)}
    check_types(metrics, shape, name)
    if len(metrics["per_label"]) != len(labels):
        raise UserError(f"{name}.per_label is about other labels")
    rows = metrics["confusion_matrix"]
    if {len(rows), *map(len, rows)} != {len(labels)}:
        raise UserError(f"{name}.confusion_matrix is not one of the labels")
    for row in rows:
        check_types({"confusion_matrix": row}, {"confusion_matrix": [int]}, name)


def how_to_repeat(directory):
    """The sentence that says how a run is made again that is damaged, or kept in part."""
    command = f"python -m emotion_keras.fit --from-run {shlex.quote(os.fspath(directory))}"
    return (
        f"Delete the folder {directory}, and the command that made it makes it again; or train it "
        f"in another study: {command} --study again"
    )


def read_versioned(path, shape=None):
    """Reads what `write_versioned` wrote.

    Args:
        path: `pathlib.Path` of an existing file.
        shape: Dictionary of what it holds; see `check_types`.

    Returns:
        Dictionary.

    Raises:
        UserError: If the file is damaged, or its schema version is another one.
    """
    check_file(path, _DELETE)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    version = record.get("schema_version") if isinstance(record, dict) else None
    if type(version) is not int or version not in _READ_VERSIONS:
        raise UserError(
            f"{path} was written by another version of this software: expected schema_version "
            f"{' or '.join(map(str, _READ_VERSIONS))}. Read it with that version, or delete it "
            f"and make it again. Received: schema_version={version!r}"
        )
    try:
        check_types(record, shape or {})
    except UserError as error:
        raise _damaged(path, error) from error
    return record


def _damaged(path, reason):
    return UserError(f"{path} is damaged: {reason}. {_DELETE}")


def check_types(values, shape, name=""):
    """Makes sure that a dictionary holds what it should.

    Args:
        values: Any value that JSON can hold.
        shape: Dictionary of types by key, all of which are to be there: a class, or several; a
            dictionary, the shape of a dictionary; or a list of one type, that of a list's items.
        name: What messages call the dictionary.

    Raises:
        UserError: If something is missing or of another type; it says what.
    """
    if not isinstance(values, dict):
        raise UserError(f"{name or 'it'} should be dict, and is {_shown(values)}")
    for key, expected in shape.items():
        path = f"{name}.{key}".removeprefix(".")
        if key not in values:
            raise UserError(f"{path} is missing")
        _check_type(values[key], expected, path)


def _check_type(value, expected, name):
    if isinstance(expected, dict):
        check_types(value, expected, name)
        return
    if isinstance(expected, list):
        _check_type(value, list, name)
        for i, item in enumerate(value):
            _check_type(item, expected[0], f"{name}[{i}]")
        return
    accepted = expected if isinstance(expected, tuple) else (expected,)
    # A whole number is a number, too; and in Python True and False are whole numbers.
    is_right = isinstance(value, (*accepted, int) if float in accepted else accepted)
    if not is_right or (isinstance(value, bool) and bool not in accepted):
        kinds = " or ".join(kind.__name__.replace("NoneType", "null") for kind in accepted)
        raise UserError(f"{name} should be {kinds}, and is {_shown(value)}")


def _shown(value):
    shown = json.dumps(value)
    return shown if len(shown) < 80 else f"{shown[:80]}..."


def check_file(path, remedy):
    """Makes sure that a file is there and is one, not something that stands in for it.

    Args:
        path: The file's path.
        remedy: Sentence that says what to do.

    Raises:
        UserError: If there is none, or it is a folder, empty, or a pointer of Git LFS.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder, and should be a file. {remedy}")
    try:
        with open(path, "rb") as file:
            start = file.read(len(LFS_POINTER))
    except FileNotFoundError:
        raise UserError(f"There is no file {path}. {remedy}") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}. {remedy}") from error
    if not start:
        raise UserError(f"{path} is empty. {remedy}")
    if start == LFS_POINTER:
        raise UserError(
            f"{path} is a pointer of Git LFS in place of the file. Fetch the file: git lfs pull."
        )


def check_archive(path, remedy):
    """Makes sure that a file is a whole ZIP archive, as models are stored.

    Args:
        path: The file's path.
        remedy: Sentence that says what to do.

    Raises:
        UserError: If it is none; see `check_file`, too.
    """
    check_file(path, remedy)
    if not zipfile.is_zipfile(path):  # The list of what is in it comes last.
        raise UserError(f"{path} is damaged: it was cut, or is another file. {remedy}")


@contextlib.contextmanager
def loading(path, remedy):
    """Says of a file that a library cannot load which one it is, and what to do.

    Args:
        path: The file's path.
        remedy: Sentence that says what to do.

    Raises:
        UserError: If the file is missing, damaged, or no file.
    """
    check_file(path, remedy)
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:  # Each library has errors of its own for files that are cut.
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        raise UserError(f"{path} is damaged: {reason}. {remedy}") from error


def _write_atomically(path, text):
    part = _part(path)
    try:
        with open(part, "w", encoding="utf-8") as file:
            file.write(text)
            flush(file)
        os.replace(part, path)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise


def _part(path):
    return f"{os.fspath(path)}.{os.getpid()}.part"


def remove_parts(directory):
    """Removes from a folder what processes were writing of a record when they were killed.

    What else ends in `.part`, such as a table that is being labelled, goes on from there.
    """
    for path in Path(directory).glob("*.part"):
        if path.with_suffix("").suffix[1:].isdecimal():  # Its process; see `_part`.
            path.unlink(missing_ok=True)


def flush(file):
    """Puts on disk what was written to a file.

    Without it a crash of the machine could leave the name of the new file with no content.
    """
    file.flush()
    os.fsync(file.fileno())
