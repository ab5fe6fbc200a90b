"""Writes a table of any length part by part, so that it can continue after a crash.

`open_sink` gives one of the classes here, which have this in common: `start` continues from a
position, `write` puts a part on disk for good and returns the position behind it, and `finish`
returns the path of the whole table, which is not under its name yet.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.tables.cells import ABSENT, Batch, Rows, as_cell, as_json
from emotion_keras.tables.parquet import parquet_file
from emotion_keras.tables.source import DELIMITED, JSON_LINES, WORKBOOK, format_of

if TYPE_CHECKING:
    import pyarrow

    from emotion_keras.tables import Table

# Of a Parquet file's row groups: small ones are slow to read, large ones need memory.
_GROUP_ROWS = 1 << 16
_GROUP_BYTES = 1 << 24


def open_sink(
    path: Path, table: Table, columns: Sequence[str]
) -> DelimitedSink | JsonLinesSink | ParquetSink:
    """Prepares the writing of a table with new columns.

    Args:
        path: Where the table shall be; its ending says how it is written.
        table: What `open_table` returned.
        columns: Names of the new columns.

    Returns:
        `DelimitedSink`, `JsonLinesSink` or `ParquetSink`.

    Raises:
        UserError: If the format does not allow the columns' names.
    """
    format = output_format(path)
    names = [*table.columns, *columns]
    if format == DELIMITED:
        return DelimitedSink(path, names, _delimiter(path, table))
    if repeated := {name for name in names if names.count(name) > 1}:
        raise UserError(
            f"{path}: of columns that have one name, {path.suffix} holds one. Rename them in the "
            f"input, or write CSV. Received: {', '.join(map(repr, sorted(repeated)))}"
        )
    if format == JSON_LINES:
        return JsonLinesSink(path, names)
    return ParquetSink(path, table.schema(), columns)


def output_format(path: Path) -> tuple[str, ...]:
    """The format that a table's name asks for; or raises `UserError` if none can be written."""
    format = format_of(path)
    if format == WORKBOOK:
        raise UserError(
            f"Workbooks are read, not written. Give a name that ends in .csv, .tsv, .jsonl or "
            f".parquet. Received: output={os.fspath(path)!r}"
        )
    return format


def part_path(path: Path) -> Path:
    """Where a table is written until it is whole."""
    return path.with_name(f"{path.name}.part")


def parts_path(path: Path) -> Path:
    """The folder of the parts of a table that cannot be appended to."""
    return path.with_name(f"{path.name}.parts")


def _delimiter(path, table):
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    found = getattr(table, "delimiter", ",")
    return "," if found == "\t" and path.suffix.lower() == ".csv" else found


class _TextSink:
    """A text file in UTF-8, which grows by lines; a position in it is a number of bytes."""

    def __init__(self, path, names):
        self._part = part_path(path)
        self._names = names
        self._file = None

    def start(self, position):
        if position:
            self._file = open(self._part, "r+b")
            if self._file.seek(0, os.SEEK_END) < position:
                raise UserError(
                    f"{self._part} is shorter than it was when it was last written. It is damaged: "
                    "delete it and start again."
                )
            self._file.truncate(position)
            self._file.seek(position)
        else:
            self._file = open(self._part, "wb")
            self._file.write("".join(self._header()).encode())

    def write(self, part, answers):
        new = zip(*answers, strict=True)
        lines = [self._line([*row, *added]) for row, added in zip(part.rows, new, strict=True)]
        self._file.write("".join(lines).encode())
        record.flush(self._file)
        return self._file.tell()

    def finish(self):
        record.flush(self._file)
        self.close()
        return self._part

    def close(self):
        if self._file:
            self._file.close()


class DelimitedSink(_TextSink):
    """A CSV or TSV.

    Args:
        path: Where it shall be.
        names: Names of its columns.
        delimiter: The delimiter.
    """

    def __init__(self, path: Path, names: Sequence[str], delimiter: str):
        super().__init__(path, names)
        self._delimiter = delimiter
        # `csv` leaves unquoted what not every reader takes for a part of a cell: a carriage return,
        # and blanks at the ends.
        self._special = re.compile(f'["\\r\\n\\0{re.escape(delimiter)}]')

    def _header(self):
        yield self._line(self._names)

    def _line(self, row):
        cells = (self._quote(as_cell(value)) for value in row)
        # A line of one empty cell would be an empty line, which is no row.
        return (self._delimiter.join(cells) or '""') + "\n"

    def _quote(self, cell):
        if not self._special.search(cell) and cell == cell.strip():
            return cell
        # A NUL ends a text for many a reader.
        cell = cell.replace("\0", "\ufffd").replace('"', '""')
        return f'"{cell}"'


class JsonLinesSink(_TextSink):
    """A file of JSON objects.

    Args:
        path: Where it shall be.
        names: Names of its columns.
    """

    def _header(self):
        return ()

    def _line(self, row):
        pairs = zip(self._names, row, strict=True)
        row = {name: value for name, value in pairs if value is not ABSENT}
        return as_json(row) + "\n"


class ParquetSink:
    """A Parquet file. It cannot be appended to: parts are files, joined at the end.

    Args:
        path: Where it shall be.
        schema: `pyarrow.Schema` of the input.
        columns: Names of the new columns.
    """

    def __init__(self, path: Path, schema: pyarrow.Schema, columns: Sequence[str]):
        self._path = path
        self._folder = parts_path(path)
        self._schema = schema
        self._columns = columns
        self._position = 0

    def start(self, position: int) -> None:
        self._folder.mkdir(exist_ok=True)
        self._position = position

    def write(self, part: Rows | Batch, answers: Sequence[list[Any]]) -> int:
        import pyarrow
        from pyarrow import parquet

        arrays = [*part.arrays(self._schema), *map(_as_array, answers)]
        new = zip(self._columns, arrays[len(self._schema) :], strict=True)
        fields = [*self._schema, *(pyarrow.field(name, array.type) for name, array in new)]
        table = pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields))
        with open(self._part(self._position), "wb") as file:
            parquet.write_table(table, file)
            record.flush(file)
        self._position += 1
        return self._position

    def finish(self) -> Path:
        from pyarrow import parquet

        schema = self._whole_schema()
        whole = part_path(self._path)
        with open(whole, "wb") as file:
            with parquet.ParquetWriter(file, schema) as writer:
                for group in self._groups(schema):
                    writer.write_table(group)
            record.flush(file)
        return whole

    def close(self) -> None:
        pass

    def _part(self, number):
        return self._folder / f"{number:06}.parquet"

    def _whole_schema(self):
        """The input's columns, and the new ones of a type that holds what all parts have."""
        import pyarrow
        from pyarrow import parquet

        news = [pyarrow.schema([(name, pyarrow.null()) for name in self._columns])]
        for number in range(self._position):
            schema = parquet.read_schema(self._part(number))
            news.append(pyarrow.schema([schema.field(name) for name in self._columns]))
        whole = self._schema
        for field in pyarrow.unify_schemas(news, promote_options="permissive"):
            whole = whole.append(field)
        return whole

    def _groups(self, schema):
        import pyarrow

        group, rows, size = [], 0, 0
        for number in range(self._position):
            with parquet_file(self._part(number)) as file:
                part = file.read(use_threads=False).cast(schema)
            group.append(part)
            rows, size = rows + part.num_rows, size + part.nbytes
            if rows >= _GROUP_ROWS or size >= _GROUP_BYTES or number == self._position - 1:
                yield pyarrow.concat_tables(group)
                group, rows, size = [], 0, 0


def _as_array(values):
    import pyarrow

    return pyarrow.array([as_cell(v) if isinstance(v, (list, dict)) else v for v in values])


def discard(path: Path) -> None:
    """Removes what a table was written to before it was whole."""
    part_path(path).unlink(missing_ok=True)
    shutil.rmtree(parts_path(path), ignore_errors=True)


def leftovers(path: Path) -> list[Path]:
    """What there is of a table that is not whole, a list of paths."""
    return [found for found in (part_path(path), parts_path(path)) if found.exists()]
