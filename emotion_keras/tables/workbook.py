"""Workbooks of Excel and LibreOffice: their first sheet, read by calamine."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emotion_keras.errors import UserError
from emotion_keras.tables.cells import Rows, in_parts
from emotion_keras.tables.source import Source

if TYPE_CHECKING:
    import pyarrow


class WorkbookTable:
    """The first sheet of a workbook, whose first row holds the columns' names.

    Args:
        source: What `scan` returned.
    """

    def __init__(self, source: Source):
        try:
            import python_calamine
        except ImportError:
            raise UserError(
                f"{source.path}: reading workbooks needs a package. Install it with `pip install "
                "python-calamine`, or save the sheet as CSV in UTF-8."
            ) from None
        try:
            with source.open_bytes() as file:
                book = python_calamine.CalamineWorkbook.from_filelike(file)
                self._sheets = book.sheet_names
                # Empty rows at the top are rows of the sheet, but no header.
                rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
        except (python_calamine.CalamineError, IndexError, OSError, ValueError) as error:
            raise UserError(
                f"{source.path} cannot be read as a workbook: {error}. It may be damaged, or need "
                "a password. Save the sheet as CSV in UTF-8."
            ) from error
        rows = [[_plain(cell) for cell in row] for row in rows]
        rows = list(itertools.dropwhile(_is_empty, rows))
        while rows and _is_empty(rows[-1]):
            rows.pop()
        if not rows:
            raise UserError(f"{source.path}: the first sheet is empty. A header is needed.")
        header, *self._rows = rows
        self.columns = ["" if name is None else str(name) for name in header]
        self.num_rows = len(self._rows)

    def schema(self) -> pyarrow.Schema:
        """`pyarrow.Schema` of the columns, all of text."""
        import pyarrow

        return pyarrow.schema([(name, pyarrow.string()) for name in self.columns])

    def check_values(self, index: int) -> None:
        """Raises `UserError` if a cell of a column is no single value: here all are."""

    def parts(self, start: int, most_rows: int) -> Iterator[Rows]:
        """Yields `Rows` of at most so many rows, from one of a number on."""
        rows = itertools.islice(self._rows, start, None)
        return in_parts(((sum(len(str(cell)) for cell in row), row) for row in rows), most_rows)

    def describe(self) -> dict:
        """What the reading did, for the audit."""
        return {"sheet": self._sheets[0], "other_sheets": self._sheets[1:]}


def _plain(cell):
    """A cell's value, with whole numbers as such: a sheet has floats alone."""
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, datetime.timedelta):
        return str(cell)
    return cell


def _is_empty(row):
    return all(cell is None for cell in row)
