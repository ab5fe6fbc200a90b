"""CSV, TSV and their like: rows of strings, the first of them the header."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emotion_keras.errors import UserError
from emotion_keras.tables.cells import Rows, in_parts
from emotion_keras.tables.source import MOST_CHARACTERS, Source

if TYPE_CHECKING:
    import pyarrow

# A whole cell in quotes, with the quotes within it doubled.
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_NUMBER = re.compile(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?")


class DelimitedTable:
    """A CSV or TSV. Its cells are strings, as they stand there; a row that ends early is filled up.

    An empty line is a row of empty cells, as a spreadsheet shows it, but for those before the
    header and at the end. Quotes are as RFC 4180 says; between tabs they are letters, unless the
    file as a whole is quoted.

    Args:
        source: What `scan` returned.
    """

    def __init__(self, source: Source):
        self.delimiter = detect_delimiter(source)
        self._source = source
        # Where blanks stand before quotes, they are no part of the cells; elsewhere they are.
        self._skip_blanks = bool(re.search(f'{re.escape(self.delimiter)} +"', source.beginning))
        # Lone carriage returns end lines where nothing else does.
        self._line_end = "\n" if "\n" in source.beginning else ""
        self.is_quoted = self.delimiter != "\t" or self._tabs_are_quoted()
        # How many lines quotes have joined to others, and the first of these rows.
        self.num_joined = 0
        self.first_joined = None
        self.columns = [name.lstrip(" ") for name in next(self._rows())]

    @functools.cached_property
    def num_rows(self) -> int:
        """Number of rows below the header; the table is read through for it."""
        return sum(1 for _ in self._rows()) - 1

    def schema(self) -> pyarrow.Schema:
        """`pyarrow.Schema` of the columns."""
        import pyarrow

        return pyarrow.schema([(name, pyarrow.string()) for name in self.columns])

    def check_values(self, index: int) -> None:
        """Raises `UserError` if a cell of a column is no single value: here all are."""

    def parts(self, start: int, most_rows: int) -> Iterator[Rows]:
        """Yields `Rows` of at most so many rows, from one of a number on."""
        width = len(self.columns)
        rows = itertools.islice(self._rows(), 1 + start, None)
        filled = (row + [""] * (width - len(row)) for row in rows)
        # Cells without a character take memory, too.
        return in_parts(((sum(map(len, row)) + width, row) for row in filled), most_rows)

    def describe(self) -> dict:
        """What the reading did, for the audit; complete once all rows have been read."""
        return {
            "delimiter": self.delimiter,
            "joined_lines": self.num_joined,
            "first_joined": self.first_joined,
        }

    def _rows(self) -> Iterator[list[str]]:
        """The rows with the header, without what stands empty before it and at the end."""
        width, waiting = 0, 0
        for line, row in self._quoted() if self.is_quoted else self._literal():
            if not row:
                waiting += bool(width)
                continue
            width = width or len(row)
            if len(row) > width:
                raise self._fault(line, f"{len(row)} fields, where the header has {width}")
            for _ in range(waiting):
                yield [""]
            waiting = 0
            yield row

    def _literal(self):
        for number, line in enumerate(self._source.lines(self._line_end), 1):
            line = line.rstrip("\r\n")
            yield number, line.split(self.delimiter) if line else []

    def _quoted(self):
        """Numbers of lines and rows, parsed by `csv`."""
        is_open = False

        def lines():
            nonlocal is_open
            for line in self._source.lines(self._line_end):
                is_open = True
                yield line
            if is_open:
                raise csv.Error("a quote opens that nothing closes")

        # A setting of the whole process, whose default a long text exceeds.
        csv.field_size_limit(MOST_CHARACTERS)
        rows = csv.reader(
            lines(), delimiter=self.delimiter, skipinitialspace=self._skip_blanks, strict=True
        )
        line, joined, first = 1, 0, None
        try:
            for row in rows:
                is_open = False
                if rows.line_num > line:
                    joined += rows.line_num - line
                    first = first or [line, rows.line_num]
                yield line, row
                line = rows.line_num + 1
        except csv.Error as error:
            raise self._fault(line, _in_words(error, self.delimiter)) from None
        self.num_joined, self.first_joined = joined, first

    def _fault(self, line, reason):
        return UserError(
            f"{self._source.path}, line {line}: {reason}. A text that holds the delimiter "
            f"{self.delimiter!r} or a line break must stand in double quotes, and a double quote "
            'within it doubled ("").'
        )

    def _tabs_are_quoted(self):
        """Whether quotes of a file with tabs enclose cells, or are letters of them.

        They enclose cells if each text stands in them, if they stand around such cells alone as
        need them, or if so more rows have the header's width.
        """
        width = None
        is_open = False
        needs = throughout = True
        num_quoted = num_ragged = 0
        for _, row in self._literal():
            if not row:
                continue
            width = width or len(row)
            num_ragged += len(row) != width
            for cell in row:
                if not cell.startswith('"'):
                    throughout &= not cell or bool(_NUMBER.fullmatch(cell))
                elif _QUOTED.fullmatch(cell):
                    num_quoted += 1
                    inner = cell[1:-1]
                    needs &= '"' in inner or inner != inner.strip() or not inner
                else:
                    is_open = True
        if num_ragged and (num_quoted or is_open):
            return self._num_ragged_if_quoted(width) < num_ragged
        return bool(num_quoted) and not is_open and (needs or throughout)

    def _num_ragged_if_quoted(self, width):
        try:
            return sum(len(row) != width for _, row in self._quoted() if row)
        except UserError:
            return math.inf


def _in_words(error, delimiter):
    """What `csv` says, for people."""
    message = str(error)
    if "expected after" in message:
        return f"a quote closes before the cell ends: behind it {delimiter!r} was expected"
    if "new-line character" in message:
        return "a carriage return stands in a cell without quotes"
    return message


def _sample_rows(source, delimiter):
    text = io.StringIO(source.beginning, newline="")
    rows = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
    return (row for row in rows if row)


def detect_delimiter(source: Source) -> str:
    """The delimiter that cuts the header into the most fields, and the next rows into as many.

    That there is a header, which seldom holds a delimiter of another kind, makes this simple rule
    more reliable than the guesses of `csv.Sniffer`, which knows no header.
    """
    if source.suffix in (".tsv", ".tab"):
        return "\t"
    best, most = ",", 0
    for delimiter in ",;\t|":
        try:
            rows = list(_sample_rows(source, delimiter))
        except csv.Error:
            continue
        # The sample ends in the middle of its last row.
        widths = [len(row) for row in rows[:-1] or rows or [[]]]
        score = widths[0] * widths.count(widths[0]) / len(widths) if widths[0] > 1 else 0
        if score > most:
            best, most = delimiter, score
    return best
