"""Chooses the columns that matter, and reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from emotion_keras.errors import UserError
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


class Modality(Protocol):
    """What the reading of a table has to know of its cells, as every class of an `Input` does."""

    @property
    def name(self) -> str:
        """What one cell is called."""

    @property
    def column_names(self) -> tuple[str, ...]:
        """Usual names of the cells' column, in lower case."""

    @property
    def column_option(self) -> str:
        """The option that names the cells' column."""

    @property
    def reads_files(self) -> bool:
        """Whether cells may be the bytes of files."""

    def read(self, value: Any) -> Any:
        """Makes a cell of a table's value."""


def read_table(
    table: Table,
    path: Path,
    modality: Modality,
    column: str | None = None,
    label_column: str | None = None,
    group_column: str | None = None,
    split_column: str | None = None,
) -> pd.DataFrame:
    """Reads the columns that matter.

    Args:
        table: What `open_table` returned.
        path: The table's path, for messages.
        modality: Class of an `Input`, which names the column of its cells and reads them.
        column: Column of the cells; guessed from usual names where `None`.
        label_column: Column of the labels; guessed likewise.
        group_column: Column that says which rows belong together (an author, a respondent), or
            `None`.
        split_column: Column that says the split of a row, or `None`.

    Returns:
        A `pandas.DataFrame` with the columns `label` and, if asked for, `subject` and `split`,
        strings, and the cells in a column with the modality's name. A missing value is an empty
        string.

    Raises:
        UserError: If the file is not what its name says, or a column is not there.
    """
    columns, role = table.columns, modality.name
    wanted = {
        role: choose_column(
            path, columns, role, column, modality.column_names, modality.column_option
        ),
        "label": choose_column(path, columns, "label", label_column, LABEL_NAMES),
    }
    if group_column is not None:
        wanted["subject"] = choose_column(path, columns, "group", group_column, ())
    if split_column is not None:
        wanted["split"] = choose_column(path, columns, "split", split_column, ())
    if wanted[role] == wanted["label"]:
        raise UserError(
            f"{path}: {role} and label are the same column. Name two of: "
            f"{', '.join(columns)}. Received: {modality.column_option}={column!r}, "
            f"label_column={label_column!r}"
        )
    indices = {name: columns.index(column) for name, column in wanted.items()}
    readers = {name: modality.read if name == role else as_text for name in wanted}
    for name, index in indices.items():
        check_values(table, index, modality if name == role else None)
    frames, start = [], 0
    for part in table.parts(0, _ROWS_AT_A_TIME):
        cells = {
            name: cells_of(part, index, path, start, wanted[name], readers[name])
            for name, index in indices.items()
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


def cells_of(
    part: Rows | Batch,
    index: int,
    path: Path,
    start: int,
    column: str,
    read: Callable[[Any], Any] = as_text,
) -> list[Any]:
    """The cells of one column of a part of a table.

    Args:
        part: `Rows` or `Batch`.
        index: The column's position.
        path: The table's path, for messages.
        start: Number of rows before the part.
        column: The column's name.
        read: Function that makes a cell of a value, such as `Input.read`.

    Returns:
        List; of strings, empty ones for missing values, unless `read` gives something else.

    Raises:
        UserError: If a value cannot be read as a cell; the message names the row.
    """
    cells = []
    for value in part.column(index):
        try:
            cells.append(read(value))
        except UserError as error:
            row = start + len(cells) + 1
            raise UserError(f"{path}, row {row}, column {column!r}: {error}") from None
    return cells


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
            f"{path} has no column {asked!r}. Its columns: {listed}. Received: {option}={asked!r}"
        )
    found = [column for column in columns if column.strip().lower() in usual]
    if len(found) == 1:
        return found[0]
    why = f"several could hold it ({', '.join(found)})" if found else "none has a usual name"
    raise UserError(
        f"{path}: which column holds the {role}? Of its columns, {why}. Its columns: {listed}. "
        f"The first row must hold the columns' names. Say which with --{option.replace('_', '-')}."
    )
