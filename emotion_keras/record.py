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

import csv
import hashlib
import json
import os
import tempfile
from pathlib import Path

from emotion_keras.errors import UserError

SCHEMA_VERSION = 1

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
    """Whether a run's record is complete."""
    return (Path(directory) / RUN).is_file()


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
        UserError: If there is no record, it is broken, or its schema version is another one.
    """
    path = Path(directory) / RUN
    if not path.exists():
        raise UserError(
            f"There is no finished run in {directory}: it holds no {RUN}. Give the folder that "
            "`python -m emotion_keras.fit` named at its end."
        )
    return read_versioned(path)


def read_versioned(path):
    """Reads what `write_versioned` wrote.

    Args:
        path: `pathlib.Path` of an existing file.

    Returns:
        Dictionary.

    Raises:
        UserError: If the file is broken, or its schema version is another one.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(
            f"{path} cannot be read as a record: {error}. Delete it, and it is made anew."
        ) from error
    version = record.get("schema_version") if isinstance(record, dict) else None
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{path} was written by another version of this software: expected schema_version "
            f"{SCHEMA_VERSION}. Delete it to make it anew, or read it with that version. "
            f"Received: schema_version={version!r}"
        )
    return record


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
