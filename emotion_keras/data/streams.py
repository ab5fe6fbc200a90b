"""Reads a table of any length with all its columns, part by part.

`open_table` reads a table through once, so that what is wrong with it is said before any work
begins, and gives one of the classes here, which have `columns`, `num_rows`, `schema()` and
`parts(start, most_rows)` in common. What a part takes in memory has a bound, however long the table
and however wide its rows.
"""

import itertools
import json
import re

from emotion_keras.data import tables
from emotion_keras.errors import UserError

# Of a part, whatever number of rows that is; a single row may be longer.
_MOST_CHARACTERS = 1 << 22
_MOST_COLUMNS = 10_000


class _Absent:
    """A key that a JSON object does not have; `None` is one that it has."""


ABSENT = _Absent()


def open_table(source):
    """Reads a table through once, and says what is in it.

    Args:
        source: What `tables.scan` returned.

    Returns:
        `DelimitedTable`, `JsonLinesTable` or `ParquetTable`.

    Raises:
        UserError: If the table is broken; the message names the line.

    Example:

    >>> table = open_table(tables.scan("reviews.csv"))
    >>> for part in table.parts(start=0, most_rows=1000):
    ...     texts = part.column(table.columns.index("text"))
    """
    readers = {
        tables.DELIMITED: DelimitedTable,
        tables.JSON_LINES: JsonLinesTable,
        tables.PARQUET: ParquetTable,
    }
    return readers[tables.format_of(source.path)](source)


class DelimitedTable:
    """A CSV or TSV. Its cells are strings, as they stand there; a row that ends early is filled up.

    Args:
        source: What `tables.scan` returned.
    """

    def __init__(self, source):
        self.delimiter = tables.detect_delimiter(source)
        # Where blanks stand before quotes, they are no part of the cells; elsewhere they are.
        self._skip_blanks = bool(re.search(f'{re.escape(self.delimiter)} +"', source.beginning))
        self._source = source
        rows = self._rows()
        self.columns = [name.lstrip(" ") for name in next(rows)]
        self.num_rows = sum(1 for _ in rows)

    def _rows(self):
        return tables.delimited_rows(self._source, self.delimiter, self._skip_blanks)

    def schema(self):
        """`pyarrow.Schema` of the columns."""
        import pyarrow

        return pyarrow.schema([(name, pyarrow.string()) for name in self.columns])

    def parts(self, start, most_rows):
        """Yields `Rows` of at most so many rows, from one of a number on."""
        width = len(self.columns)
        rows = itertools.islice(self._rows(), 1 + start, None)
        filled = (row + [""] * (width - len(row)) for row in rows)
        return _in_parts(((sum(map(len, row)), row) for row in filled), most_rows)


class JsonLinesTable:
    """A file of JSON objects; its columns are all keys, in the order in which they come up.

    Args:
        source: What `tables.scan` returned.
    """

    def __init__(self, source):
        self._source = source
        self._kinds = {}
        self.num_rows = 0
        for _, record in tables.json_records(source):
            self.num_rows += 1
            for name, value in record.items():
                self._kinds.setdefault(name, set()).add(_kind(value))
            if len(self._kinds) > _MOST_COLUMNS:
                raise UserError(
                    f"{source.path}: its objects have more than {_MOST_COLUMNS:,} different keys, "
                    "which are no names of columns then."
                )
        self.columns = list(self._kinds)

    def schema(self):
        """`pyarrow.Schema` of the columns: what is not of one simple kind is text, JSON's."""
        import pyarrow

        types = {
            frozenset(["bool"]): pyarrow.bool_(),
            frozenset(["integer"]): pyarrow.int64(),
            frozenset(["long integer"]): pyarrow.int64(),
            frozenset(["integer", "long integer"]): pyarrow.int64(),
            frozenset(["float"]): pyarrow.float64(),
            frozenset(["integer", "float"]): pyarrow.float64(),
        }
        return pyarrow.schema(
            [
                (name, types.get(frozenset(kinds - {"null"}), pyarrow.string()))
                for name, kinds in self._kinds.items()
            ]
        )

    def parts(self, start, most_rows):
        """Yields `Rows` of at most so many rows, from one of a number on."""
        records = itertools.islice(tables.json_records(self._source), start, None)
        rows = (
            (size, [record.get(name, ABSENT) for name in self.columns]) for size, record in records
        )
        return _in_parts(rows, most_rows)


def _kind(value):
    if value is None:
        return "null"
    if type(value) is int:
        # The first are floats without loss, the second int64 alone.
        sizes = {"integer": 1 << 53, "long integer": 1 << 63}
        return next((kind for kind, size in sizes.items() if -size <= value < size), "other")
    return type(value).__name__ if isinstance(value, (bool, float)) else "other"


class ParquetTable:
    """A Parquet file. Its types are kept where another Parquet file is written.

    Args:
        source: What `tables.scan` returned.
    """

    def __init__(self, source):
        self._path = source.path
        with tables.parquet_file(self._path) as file:
            self._schema = file.schema_arrow
            self.num_rows = file.metadata.num_rows
            groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
        self.columns = self._schema.names
        self._row_size = max((g.total_byte_size // max(g.num_rows, 1) for g in groups), default=0)

    def schema(self):
        """`pyarrow.Schema` of the columns."""
        return self._schema

    def parts(self, start, most_rows):
        """Yields `Batch` of at most so many rows, from one of a number on."""
        most_rows = max(1, min(most_rows, _MOST_CHARACTERS // max(self._row_size, 1)))
        with tables.parquet_file(self._path) as file:
            for batch in file.iter_batches(most_rows):
                skipped = min(start, batch.num_rows)
                start -= skipped
                if skipped < batch.num_rows:
                    yield Batch(batch.slice(skipped))


def _in_parts(rows, most_rows):
    part, size = [], 0
    for characters, row in rows:
        part.append(row)
        size += characters
        if len(part) >= most_rows or size >= _MOST_CHARACTERS:
            yield Rows(part)
            part, size = [], 0
    if part:
        yield Rows(part)


class Rows:
    """A part of a table as lists of cells."""

    def __init__(self, rows):
        self.rows = rows

    def column(self, index):
        """Values of one column; `None` where there is none."""
        return [None if row[index] is ABSENT else row[index] for row in self.rows]

    def arrays(self, schema):
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
    """A part of a table as a `pyarrow.RecordBatch`."""

    def __init__(self, batch):
        self._batch = batch

    @property
    def rows(self):
        """The part as an iterator over tuples of cells."""
        return zip(*map(self.column, range(self._batch.num_columns)), strict=True)

    def column(self, index):
        """Values of one column; `None` where there is none."""
        return self._batch.column(index).to_pylist()

    def arrays(self, schema):
        """The columns as arrays of pyarrow."""
        return self._batch.columns


def as_cell(value):
    """A value as text: strings as they are, dates in ISO's form, nothing as an empty one, and all
    else as JSON.
    """
    if isinstance(value, str):
        pass
    elif value is None or value is ABSENT:
        value = ""
    elif isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    elif isinstance(value, (bool, int, float, list, dict)):
        value = as_json(value)
    elif hasattr(value, "isoformat"):
        value = value.isoformat()
    return tables.as_text(value)


def as_json(value):
    """A value as JSON on one line; what JSON does not know is text."""
    text = json.dumps(value, ensure_ascii=False, default=as_cell)
    # Half a surrogate pair is no character, and can only be written as an escape.
    return text if tables.as_text(text) == text else json.dumps(value, default=as_cell)
