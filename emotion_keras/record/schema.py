"""What records hold: their versions and the types of their values."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emotion_keras.errors import UserError
from emotion_keras.record.files import check_file, write_json
from emotion_keras.record.names import COMBINATION, MEMBERS

# Version 2 names the columns of `predictions.csv` so that no label's name can be another column's.
SCHEMA_VERSION = 2
_READ_VERSIONS = (1, SCHEMA_VERSION)
# What a run's record holds, with the types that `check_types` takes.
RUN_SHAPE = {
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
# Of a run whose model is a combination, its list of `members`.
_MEMBER = {
    "run_id": str,
    "model": str,
    "encoder": (str, type(None)),
    "seed": int,
    "weight": float,
    "sha256": str,
}
_METRICS = {
    **dict.fromkeys(("accuracy", "macro_f1", "weighted_f1", "log_loss", "brier_score"), float),
    "auc": (float, type(None)),
    "ece": float,
    "num_examples": int,
    "confusion_matrix": [list],
}
_NAME = (str, type(None))
_SCORE = {"mean": float, "low": (float, type(None)), "high": (float, type(None))}
# What the record of an evaluation holds, and each of its scores.
EVALUATION_SHAPE = {
    "name": str,
    "question": str,
    "model": {
        "name": str,
        "run_id": _NAME,
        "seed": (int, type(None)),
        "sha256": str,
        "labels": [str],
        "corpus": _NAME,
        "corpus_sha256": _NAME,
        "temperature": float,
    },
    "corpus": {"name": str, "sha256": str, "labels": [str], "reading": dict},
    "map": {"model": dict, "data": dict},
    "adaptation": (dict, type(None)),
    "left_out": dict,
    "said": dict,
    "metrics": dict,
    "scores": {"shared": dict, "open": dict},
    "confusion": {"rows": [str], "columns": [str], "counts": [list]},
    "calibration": dict,
    "by_coverage": [{"coverage": float, **_SCORE}],
    "at_home": (dict, type(None)),
    "by_attribute": [
        {"attribute": str, "value": str, "num_examples": int, "accuracy": _SCORE},
    ],
}
# What it holds besides where an example has several labels.
_OF_SEVERAL = {
    "model": {"label_thresholds": [float]},
    "unknown": {"labels": dict, "examples_without_shared": int},
    "at_best_thresholds": {"macro_f1": float, "thresholds": dict},
    "metrics": {"micro_f1": float},
}
_TEMPERED = dict.fromkeys(("temperature", "log_loss", "brier_score", "ece"), float)
_METRICS_OF_LABEL = {"precision": float, "recall": float, "f1": float, "support": int}
_DELETE = "Delete it, and the command that wrote it makes it again."


def write_versioned(path: str | Path, record: dict[str, Any]) -> None:
    """Writes a JSON file that says which version of this software's records it is."""
    write_json(path, {"schema_version": SCHEMA_VERSION, **record})


def check_run_values(run: dict[str, Any]) -> None:
    """Raises `UserError` if what a run's record holds does not fit together."""
    check_metrics(run)
    if run["model"] == COMBINATION:
        check_types(run, {MEMBERS: [_MEMBER]})


def check_metrics(run: dict[str, Any]) -> None:
    """Raises `UserError` if the metrics in a run's record are not those of its labels."""
    for split, metrics in run["metrics"].items():
        _check_metrics(metrics, f"metrics.{split}", run["corpus"]["labels"])


def check_evaluation_values(evaluation: dict[str, Any]) -> None:
    """Raises `UserError` if what the record of an evaluation holds does not fit together."""
    shared = {name for name in evaluation["map"]["model"].values() if name is not None}
    _check_metrics(evaluation["metrics"], "metrics", shared)
    if evaluation["model"].get("target") == "multi":
        check_types(evaluation, _OF_SEVERAL)
        _check_thresholds(evaluation["model"])
    for name, scores in evaluation["scores"].items():
        check_types(scores, dict.fromkeys(("accuracy", "macro_f1"), _SCORE), f"scores.{name}")
    calibration = dict.fromkeys(("none", "own", "fitted"), _TEMPERED)
    check_types(evaluation["calibration"], calibration, "calibration")
    confusion = evaluation["confusion"]
    sizes = {len(row) for row in confusion["counts"]}
    if len(confusion["counts"]) != len(confusion["rows"]) or sizes != {len(confusion["columns"])}:
        raise UserError("confusion.counts is not one of its rows and columns")


def _check_thresholds(model):
    if len(model["label_thresholds"]) != len(model["labels"]):
        raise UserError("model.label_thresholds are not one for each of its labels")


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


def read_versioned(
    path: Path,
    shape: dict[str, Any] | None = None,
    check: Callable[[dict[str, Any]], None] = lambda record: None,
) -> dict[str, Any]:
    """Reads what `write_versioned` wrote.

    Args:
        path: `pathlib.Path` of an existing file.
        shape: Dictionary of what it holds; see `check_types`.
        check: Function of the dictionary that raises `UserError` if it is wrong otherwise.

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
        check(record)
    except UserError as error:
        raise _damaged(path, error) from error
    return record


def _damaged(path, reason):
    return UserError(f"{path} is damaged: {reason}. {_DELETE}")


def check_types(values: Any, shape: dict[str, Any], name: str = "") -> None:
    """Makes sure that a dictionary holds what it should.

    Args:
        values: Any value that JSON can hold.
        shape: Dictionary of types by key, all of which must be there: a class, or several; a
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
