"""JSON Lines: an object a row."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emotion_keras.errors import UserError
from emotion_keras.tables.cells import ABSENT, Rows, in_parts, is_missing
from emotion_keras.tables.source import Source

if TYPE_CHECKING:
    import pyarrow

_MOST_COLUMNS = 10_000
_NESTED = "list or object"


class JsonLinesTable:
    """A file of JSON objects; its columns are all keys, in the order in which they come up.

    Empty lines are no rows: the format allows them anywhere.

    Args:
        source: What `scan` returned.
    """

    def __init__(self, source: Source):
        self._source = source
        self._kinds = {}
        self._first_nested = {}
        self.num_rows = 0
        for number, _, record in self._records():
            self.num_rows += 1
            for name, value in record.items():
                kind = _kind(value)
                self._kinds.setdefault(name, set()).add(kind)
                if kind == _NESTED:
                    self._first_nested.setdefault(name, number)
            if len(self._kinds) > _MOST_COLUMNS:
                raise UserError(
                    f"{source.path}: its objects have more than {_MOST_COLUMNS:,} different keys, "
                    "which are no names of columns then."
                )
        self.columns = list(self._kinds)

    def schema(self) -> pyarrow.Schema:
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

    def check_values(self, index: int) -> None:
        """Raises `UserError` if a cell of a column is a list or an object."""
        name = self.columns[index]
        if name in self._first_nested:
            raise UserError(
                f"{self._source.path}, line {self._first_nested[name]}: {name!r} is a list or an "
                "object, where one value is needed. Write one value a row, or name another column."
            )

    def parts(self, start: int, most_rows: int) -> Iterator[Rows]:
        """Yields `Rows` of at most so many rows, from one of a number on."""
        records = itertools.islice(self._records(), start, None)
        rows = (
            (size + len(self.columns), [record.get(name, ABSENT) for name in self.columns])
            for _, size, record in records
        )
        return in_parts(rows, most_rows)

    def describe(self) -> dict:
        """What the reading did, for the audit."""
        return {}

    def _records(self) -> Iterator[tuple[int, int, dict]]:
        """Numbers of lines, their lengths in characters, and their objects."""
        # Not `splitlines`: a JSON string may hold U+2028, which ends a line for Python alone.
        for number, line in enumerate(self._source.lines("\n"), 1):
            if line.strip():
                yield number, len(line), self._parse(number, line)

    def _parse(self, number, line):
        def refuse(problem):
            raise UserError(
                f"{self._source.path}, line {number}: {problem}. JSON Lines has one object a line, "
                f'as in {{"text": "...", "label": "joy"}}. Received: {line.strip()[:60]!r}'
            ) from None

        def as_record(pairs):
            record = dict(pairs)
            if len(record) < len(pairs):
                names = [name for name, _ in pairs]
                name = next(name for name in names if names.count(name) > 1)
                refuse(f"the key {name!r} stands twice in an object")
            return record

        try:
            record = json.loads(line, object_pairs_hook=as_record)
        except (ValueError, RecursionError) as error:
            # Not all are JSON's own errors: numbers may be too long, and lists nested too deeply.
            is_syntax = isinstance(error, json.JSONDecodeError)
            refuse(f"not JSON ({f'{error.msg}, column {error.colno}' if is_syntax else error})")
        if not isinstance(record, dict):
            refuse("a JSON object was expected")
        return record


def _kind(value):
    if is_missing(value):
        return "null" if value is None else "float"
    if type(value) is int:
        # The first are floats without loss, the second int64 alone.
        sizes = {"integer": 1 << 53, "long integer": 1 << 63}
        return next((kind for kind, size in sizes.items() if -size <= value < size), "other")
    if isinstance(value, (list, dict)):
        return _NESTED
    return type(value).__name__ if isinstance(value, (bool, float)) else "other"
