"""Chooses the columns that matter, and reads them."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pandas as pd

from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.record import ATTRIBUTE
from emotion_keras.record.options import split_names
from emotion_keras.tables.cells import Batch, Rows, as_text

if TYPE_CHECKING:
    from emotion_keras.tables import Table

LABEL_NAMES = (
    "label",
    "labels",
    "emotion",
    "emotions",
    "emot",
    "field1",
    "sentiment",
    "feeling",
    "category",
    "class",
    "target",
)

_ROWS_AT_A_TIME = 100_000


class CellColumns(NamedTuple):
    """The columns of a table that make up its cells.

    Args:
        names: The columns' names.
        read: Function from their values in a row, a sequence, to the row's cell.
        takes_lists: Whether a value may be a list.
    """

    names: tuple[str, ...]
    read: Callable[[Sequence[Any]], Any]
    takes_lists: bool = False


class Modality(Protocol):
    """What the reading of a table has to know of its cells, as every class of an `Input` does."""

    @property
    def name(self) -> str:
        """What one cell is called."""

    @property
    def column_option(self) -> str:
        """The option that names the cells' column."""

    @property
    def reads_files(self) -> bool:
        """Whether cells may be the bytes of files."""

    def choose_columns(self, path: Path, columns: Sequence[str], asked: Any) -> CellColumns:
        """Chooses the columns of the cells."""


def read_table(
    table: Table,
    path: Path,
    modality: Modality,
    column: Any = None,
    label_column: str | CellColumns | None = None,
    group_column: str | None = None,
    split_column: str | None = None,
    attributes: Sequence[str] = (),
) -> pd.DataFrame:
    """Reads the columns that matter.

    Args:
        table: What `open_table` returned.
        path: The table's path, for messages.
        modality: Class of an `Input`, which chooses the columns of its cells and reads them.
        column: What `Input.asked_columns` gives; `None` for a guess.
        label_column: Column of the labels, guessed likewise; or what reads them from one or more.
        group_column: Column that says which rows belong together (an author, a respondent), or
            `None`.
        split_column: Column that says the split of a row, or `None`.
        attributes: Columns that say what else is known of a row.

    Returns:
        A `pandas.DataFrame` with the columns `label` and, if asked for, `subject` and `split`,
        and the attributes, with `ATTRIBUTE` before their names, strings, and the cells in a column
        with the modality's name. A missing value is an empty string.

    Raises:
        UserError: If the file is not what its name says, or a column is not there.
    """
    columns, role = table.columns, modality.name
    chosen = modality.choose_columns(path, columns, column)
    labels = label_column
    if not isinstance(labels, CellColumns):
        name = choose_column(path, columns, "label", labels, LABEL_NAMES)
        labels = CellColumns((name,), _read_text)
    wanted = {}
    if group_column is not None:
        wanted["subject"] = choose_column(path, columns, "group", group_column, ())
    if split_column is not None:
        wanted["split"] = choose_column(path, columns, "split", split_column, ())
    for name in attributes:
        column = choose_column(path, columns, "attribute", name, (), "attributes")
        wanted[f"{ATTRIBUTE}{name}"] = column
    if both := [name for name in labels.names if name in chosen.names]:
        raise UserError(
            f"{path}: {role} and label are the same column. Name two of: {', '.join(columns)}, "
            f"with `--{modality.column_option.replace('_', '-')}` and `--label-column`. "
            f"Received: {both[0]!r} as both"
        )
    of_names = {name: CellColumns((column,), _read_text) for name, column in wanted.items()}
    for name in chosen.names:
        check_values(table, columns.index(name), modality)
    for column in wanted.values():
        check_values(table, columns.index(column), None)
    if not labels.takes_lists:
        for column in labels.names:
            check_values(table, columns.index(column), None)
    frames, start = [], 0
    for part in table.parts(0, _ROWS_AT_A_TIME):
        cells = {
            name: cells_of(part, table.columns, of_name, path, start)
            for name, of_name in {role: chosen, "label": labels, **of_names}.items()
        }
        frames.append(pd.DataFrame({name: pd.Series(c, dtype="str") for name, c in cells.items()}))
        start += len(part)
    if not frames:
        raise UserError(f"{path} has a header and no rows.")
    return pd.concat(frames, ignore_index=True)


def check_values(table: Table, index: int, modality: Modality | None) -> None:
    """Raises `UserError` if a column cannot hold what is read of it.

    Args:
        table: What `open_table` returned.
        index: The column's position.
        modality: Class of the `Input` that reads it; `None` of labels and the like. Where it reads
            files, a value may be a structure with a file's bytes.
    """
    if modality is None or not modality.reads_files:
        table.check_values(index)


def _read_text(values):
    return as_text(values[0])


def cells_of(
    part: Rows | Batch, columns: Sequence[str], chosen: CellColumns, path: Path, start: int
) -> list[Any]:
    """The cells of a part of a table.

    Args:
        part: `Rows` or `Batch`.
        columns: Names of all columns.
        chosen: `CellColumns`, those that make up the cells.
        path: The table's path, for messages.
        start: Number of rows before the part.

    Returns:
        List of what `chosen.read` gives.

    Raises:
        UserError: If values cannot be read as a cell; the message names the row.
    """
    cells = []
    for values in zip(*(part.column(columns.index(name)) for name in chosen.names), strict=True):
        try:
            cells.append(chosen.read(values))
        except UserError as error:
            row = start + len(cells) + 1
            raise UserError(f"{path}, row {row}, {_in_words(chosen.names)}: {error}") from None
    return cells


def _in_words(names):
    if len(names) == 1:
        return f"column {names[0]!r}"
    return f"columns {names[0]!r} to {names[-1]!r}"


def match_columns(path: Path, columns: Sequence[str], asked: str, option: str) -> list[str]:
    """The columns that names and patterns stand for, in the order in which they are asked for.

    Args:
        path: The table's file, for messages.
        columns: Names of its columns.
        asked: Names with commas between them, or patterns such as `AU*`.
        option: The option that names them, for messages.

    Raises:
        UserError: If a name or a pattern is of no column, or a column is asked for twice.
    """
    found = []
    for pattern in split_names(option, asked):
        # A name with brackets or a question mark is first of all a name.
        named = [name for name in columns if name == pattern] or fnmatch.filter(columns, pattern)
        if not named:
            raise UserError(
                f"{path} has no column {pattern!r}.{did_you_mean(pattern, columns)} "
                f"Its columns: {', '.join(columns)}. Received: {option}={asked!r}"
            )
        found += named
    if twice := [name for name in found if found.count(name) > 1]:
        raise UserError(
            f"{path}: the column {twice[0]!r} is asked for twice, or there are several of that "
            f"name. Received: {option}={asked!r}"
        )
    return found


def choose_column(
    path: Path,
    columns: Sequence[str],
    role: str,
    asked: str | None,
    usual: Sequence[str],
    option: str | None = None,
) -> str:
    """Chooses one of a table's columns.

    Args:
        path: The table's file.
        columns: Names of its columns.
        role: What the column is to hold, such as `text`.
        asked: The column's name, or `None` for a guess.
        usual: The names to guess by, in lower case.
        option: Option that names the column; `<role>_column` where it is `None`.

    Returns:
        The column's name.

    Raises:
        UserError: If there is no such column, or no one of a usual name.
    """
    option = option or f"{role}_column"
    listed = ", ".join(column or "'' (without a name)" for column in columns)
    if asked is not None and columns.count(asked) > 1:
        raise UserError(f"{path} has several columns {asked!r}. Its columns: {listed}.")
    if asked is not None:
        if asked in columns:
            return asked
        raise UserError(
            f"{path} has no column {asked!r}.{did_you_mean(asked, columns)} Its columns: {listed}. "
            f"Received: {option}={asked!r}"
        )
    found = [column for column in columns if column.strip().lower() in usual]
    if len(found) == 1:
        return found[0]
    why = f"several could hold it ({', '.join(found)})" if found else "none has a usual name"
    raise UserError(
        f"{path}: which column holds the {role}? Of its columns, {why}. Its columns: {listed}. "
        f"The first row must hold the columns' names. Say which with --{option.replace('_', '-')}."
    )
