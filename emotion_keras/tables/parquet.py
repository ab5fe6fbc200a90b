"""Parquet, read by pyarrow in parts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_keras.errors import UserError
from emotion_keras.tables.cells import MOST_PART_CHARACTERS, Batch
from emotion_keras.tables.source import Source

if TYPE_CHECKING:
    import pyarrow
    from pyarrow import parquet

_BUFFER_BYTES = 1 << 20


class ParquetTable:
    """A Parquet file. Its types are kept where another Parquet file is written.

    An index that pandas stored is a column like the others.

    Args:
        source: What `scan` returned.
    """

    def __init__(self, source: Source):
        self._path = source.path
        with source.open_bytes() as file:
            self._file = file.name  # Of a pipe, what came through it.
        with parquet_file(self._file, self._path) as file:
            self._schema = file.schema_arrow
            self.num_rows = file.metadata.num_rows
            groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
        self.columns = self._schema.names
        self._row_size = max((g.total_byte_size // max(g.num_rows, 1) for g in groups), default=0)

    def schema(self) -> pyarrow.Schema:
        """`pyarrow.Schema` of the columns."""
        return self._schema

    def check_values(self, index: int) -> None:
        """Raises `UserError` if the cells of a column are lists or structures."""
        from pyarrow import types

        field = self._schema.field(index)
        if types.is_nested(field.type):
            raise UserError(
                f"{self._path}: the column {field.name!r} holds values of the type {field.type}, "
                "where one value a row is needed. Name another column, or write one value a row."
            )

    def parts(self, start: int, most_rows: int) -> Iterator[Batch]:
        """Yields `Batch` of at most so many rows, from one of a number on."""
        most_rows = max(1, min(most_rows, MOST_PART_CHARACTERS // max(self._row_size, 1)))
        with parquet_file(self._file, self._path) as file:
            for batch in file.iter_batches(most_rows):
                skipped = min(start, batch.num_rows)
                start -= skipped
                if skipped < batch.num_rows:
                    yield Batch(batch.slice(skipped))

    def describe(self) -> dict:
        """What the reading did, for the audit."""
        return {}


@contextlib.contextmanager
def parquet_file(path: str | Path, name: str | Path | None = None) -> Iterator[parquet.ParquetFile]:
    """Opens a Parquet file; whatever pyarrow cannot read of it meanwhile is a `UserError`.

    Args:
        path: The file.
        name: What messages call it, unless its path.

    Yields:
        `pyarrow.parquet.ParquetFile`, which reads pages as they are needed, not whole row groups.

    Raises:
        UserError: If the file is none, or damaged, or pyarrow is not installed.
    """
    name = name or path
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise UserError(
            f"{name}: reading Parquet needs pyarrow. Install it with `pip install pyarrow`, or "
            "save the table as CSV."
        ) from None
    try:
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
            yield file
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{name} is not a Parquet file, or damaged: {error}") from error
