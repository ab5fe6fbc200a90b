"""Evaluations on disk: what models say of other corpora, beside their runs and never in them."""

from pathlib import Path
from typing import Any

from emotion_keras.record.files import find_files
from emotion_keras.record.names import EVALUATION, EVALUATIONS
from emotion_keras.record.schema import (
    EVALUATION_SHAPE,
    check_evaluation_values,
    check_types,
    read_versioned,
    write_versioned,
)


def evaluations_directory(directory: str | Path) -> Path:
    """The folder of the evaluations of a run or an export, existing or not."""
    return Path(directory) / EVALUATIONS


def is_evaluated(directory: str | Path) -> bool:
    """Whether an evaluation's record is complete."""
    return (Path(directory) / EVALUATION).exists()


def find_evaluations(runs_dir: str | Path) -> list[Path]:
    """Folders of the evaluations below a folder, sorted by path; see `find_files`."""
    return [path.parent for path in find_files(runs_dir, EVALUATION)]


def write_evaluation(directory: str | Path, evaluation: dict[str, Any]) -> None:
    """Finishes an evaluation: writes its record, the last file of all.

    Args:
        directory: The evaluation's folder.
        evaluation: JSON-able dictionary, as `read_evaluation` expects it.

    Raises:
        UserError: If a value is missing or of a wrong type.
    """
    check_types(evaluation, EVALUATION_SHAPE)
    check_evaluation_values(evaluation)
    write_versioned(Path(directory) / EVALUATION, evaluation)


def read_evaluation(directory: str | Path) -> dict[str, Any]:
    """Reads the record of an evaluation.

    Args:
        directory: The evaluation's folder.

    Returns:
        Dictionary.

    Raises:
        UserError: If it is damaged, or its schema version is another one.
    """
    return read_versioned(Path(directory) / EVALUATION, EVALUATION_SHAPE, check_evaluation_values)
