"""Reads the labels of an example from the columns of a table."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize

from emotion_keras.data.options import Reading
from emotion_keras.errors import UserError
from emotion_keras.inputs.normalization import clean_text
from emotion_keras.record.options import join_names
from emotion_keras.tables import LABEL_NAMES, CellColumns, as_text, choose_column, match_columns
from emotion_keras.targets import find_target
from emotion_keras.targets.multi import NONE

_HOLDS = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


def choose_label_columns(path: Path, columns: Sequence[str], options: Reading) -> CellColumns:
    """Chooses the columns of the labels of a table.

    Args:
        path: The table's file, for messages.
        columns: Names of its columns.
        options: `Reading`.

    Returns:
        `CellColumns`, which reads the label of a row as it is shown and compared, or of a kind
        with several labels a cell as `MultiLabel` has it, whose names may be in any order. An
        empty cell says nothing.

    Raises:
        UserError: If there are no such columns.
    """
    if options.label_columns is not None:
        names = label_columns(path, columns, options.label_columns)
        return CellColumns(tuple(names), _reader_of_columns([as_label(name) for name in names]))
    name = choose_column(path, columns, "label", options.label_column, LABEL_NAMES)
    if not find_target(str(options.target)).several:
        return CellColumns((name,), lambda values: as_label(as_text(values[0])))
    return CellColumns((name,), _reader_of_lists(options.label_separator or ","), True)


def label_columns(path: Path, columns: Sequence[str], asked: str) -> list[str]:
    """The columns of a table that hold a label each.

    Args:
        path: The table's file, for messages.
        columns: Names of its columns.
        asked: Names with commas between them, or patterns such as `emotion_*`.

    Raises:
        UserError: If a name or a pattern is of no column, or of several.
    """
    found = match_columns(path, columns, asked, "label_columns")
    if len({as_label(name) for name in found}) < len(found):
        raise UserError(
            f"{path}: each label is the name of one column, given once. "
            f"Received: label_columns={asked!r}"
        )
    return found


def as_label(cell: str) -> str:
    """A label as it is shown and compared; nothing where only what is not seen stands in a cell."""
    return normalize("NFC", cell).strip() if clean_text(cell) else ""


def _reader_of_columns(labels: Sequence[str]) -> Callable[[Sequence[Any]], str]:
    def read(values):
        texts = [as_text(value).strip().lower() for value in values]
        if not any(texts):
            return ""
        if wrong := [pair for pair in zip(labels, texts, strict=True) if pair[1] not in _HOLDS]:
            label, text = wrong[0]
            raise UserError(
                f"a column of a label holds 1 where the label holds, and 0 where it does not; "
                f"{label!r} is {text[:40]!r}. Write 0 and 1, or leave all of them empty where the "
                "labels are not known"
            )
        return _cell(label for label, text in zip(labels, texts, strict=True) if _HOLDS[text])

    return read


def _reader_of_lists(separator: str) -> Callable[[Sequence[Any]], str]:
    def read(values):
        value = values[0]
        if isinstance(value, list | tuple):
            return _cell(_label_of(one) for one in value)
        text = as_text(value).strip()
        if not clean_text(text):
            return ""
        if text == NONE:
            return NONE
        if text.startswith("["):
            return _cell(_label_of(one) for one in _json_list(text))
        # Blanks at the ends may be a part of the separator.
        names = [as_label(part) for part in as_text(value).split(separator)]
        return _cell(names) if any(names) else ""

    return read


def _json_list(text):
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise UserError(
            f"it begins with a bracket and is no JSON list of labels: {text[:60]!r}. Write it as "
            '["joy", "fear"], or the labels with a separator between them'
        )
    return found


def _label_of(value):
    """One of a list of labels, as it is shown and compared."""
    label = as_label(as_text(value))
    if not label:
        raise UserError("a list of labels holds an empty one")
    return label


def _cell(labels):
    """The cell of the labels that hold; each counts once."""
    return join_names(dict.fromkeys(label for label in labels if label)) or NONE
