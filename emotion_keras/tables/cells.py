"""Cells of a table: what they are as text, and parts of tables made of them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from emotion_keras.errors import UserError

if TYPE_CHECKING:
    import pyarrow

# Of a part, whatever number of rows that is; a single row may be longer.
MOST_PART_CHARACTERS = 1 << 22
_SURROGATES = re.compile("[\ud800-\udfff]")


class _Absent:
    """A key that a JSON object does not have; `None` is one that it has."""


ABSENT = _Absent()


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: no value, or the number that stands for none."""
    return value is None or value is ABSENT or (isinstance(value, float) and math.isnan(value))


def as_text(value: Any) -> str:
    """A cell's value as the text, label or group that it stands for.

    Args:
        value: What a table holds: a string, a number, a date, bytes or nothing.

    Returns:
        String; of nothing the empty one, of bytes what they are in UTF-8.

    Raises:
        UserError: If the value is a list, an object, or bytes that are no text.
    """
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, (list, dict, tuple)):
        raise UserError(f"a list or an object, where one value is needed: {as_json(value)[:60]}")
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise UserError(f"bytes that are not UTF-8, and so no text: {value[:20]!r}") from None
    return as_cell(value)


def as_cell(value: Any) -> str:
    """A value as it is written into a delimited file: strings as they are, dates in ISO's form,
    nothing as an empty string, and all else as JSON.
    """
    if isinstance(value, str):
        pass
    elif is_missing(value):
        value = ""
    elif isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    elif isinstance(value, (bool, int, float, list, dict)):
        value = as_json(value)
    elif hasattr(value, "isoformat"):
        value = value.isoformat()
    return without_surrogates(value if isinstance(value, str) else str(value))


def as_json(value: Any) -> str:
    """A value as JSON on one line; what JSON does not know is text."""
    text = json.dumps(value, ensure_ascii=False, default=as_cell)
    # Half a surrogate pair is no character, and can only be written as an escape.
    return text if without_surrogates(text) == text else json.dumps(value, default=as_cell)


def without_surrogates(text: str) -> str:
    """A string without halves of surrogate pairs: legal in JSON, but nothing could store them."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def in_parts(rows: Iterable[tuple[int, list[Any]]], most_rows: int) -> Iterator[Rows]:
    """Puts rows together in parts that take little memory.

    Args:
        rows: Iterable of pairs of a row's size in characters and its cells.
        most_rows: Most rows of a part.

    Yields:
        `Rows`.
    """
    part, size = [], 0
    for characters, row in rows:
        part.append(row)
        size += characters
        if len(part) >= most_rows or size >= MOST_PART_CHARACTERS:
            yield Rows(part)
            part, size = [], 0
    if part:
        yield Rows(part)


class Rows:
    """A part of a table as lists of cells.

    Args:
        rows: List of the rows, lists of values.
    """

    def __init__(self, rows: list[list[Any]]):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def column(self, index: int) -> list[Any]:
        """Values of one column; `None` where there is none."""
        return [None if row[index] is ABSENT else row[index] for row in self.rows]

    def arrays(self, schema: pyarrow.Schema) -> list[pyarrow.Array]:
        """The columns as arrays of pyarrow, of the types of a schema."""
        import pyarrow

        arrays = []
        for index, field in enumerate(schema):
            values = self.column(index)
            if field.type == pyarrow.string():
                values = [None if value is None else as_cell(value) for value in values]
            arrays.append(pyarrow.array(values, field.type))
        return arrays


class Batch:
    """A part of a table as a `pyarrow.RecordBatch`.

    Args:
        batch: The batch.
    """

    def __init__(self, batch: pyarrow.RecordBatch):
        self._batch = batch

    def __len__(self):
        return self._batch.num_rows

    @property
    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The part as an iterator over tuples of cells."""
        return zip(*map(self.column, range(self._batch.num_columns)), strict=True)

    def column(self, index: int) -> list[Any]:
        """Values of one column; `None` where there is none."""
        return self._batch.column(index).to_pylist()

    def arrays(self, schema: pyarrow.Schema) -> list[pyarrow.Array]:
        """The columns as arrays of pyarrow."""
        return self._batch.columns
