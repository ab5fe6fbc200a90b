"""Reads a table of texts and labels: CSV, TSV, JSON Lines or Parquet."""

import codecs
import contextlib
import csv
import hashlib
import io
import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from emotion_keras.errors import UserError

DELIMITED = (".csv", ".tsv", ".tab", ".txt")
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet",)
ACCEPTED = ", ".join(DELIMITED + JSON_LINES + PARQUET)

TEXT_NAMES = (
    "text",
    "sentence",
    "content",
    "sit",
    "situation",
    "utterance",
    "tweet",
    "message",
    "comment",
    "review",
    "document",
)
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

_BLOCK = 1 << 20
_SAMPLE = 1 << 16
# No cell and no line is longer: a quote that nothing closes would take in the rest of the file.
_MOST_CHARACTERS = 1 << 24
_ROWS_AT_A_TIME = 100_000
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Source:
    """What one pass over a file tells: its checksum, its encoding and how it begins."""

    path: Path
    sha256: str
    encoding: str
    beginning: str


def scan(path, option="data", accepted=f"the path of a file ({ACCEPTED})"):
    """Passes over a file once, in blocks, before anything parses it.

    Args:
        path: The file.
        option: Name of the option that gave the path, for what is said where it is wrong.
        accepted: What the option accepts, likewise.

    Returns:
        A `Source`. The encoding is UTF-8 if all of the file is, UTF-16 if it begins with that
        byte order mark, and Windows-1252 otherwise.

    Raises:
        UserError: If the file is missing, a folder, unreadable, empty, holds NUL bytes or is in
            none of these encodings.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            return _scan(path, file)
    except FileNotFoundError:
        problem = "No such file"
    except IsADirectoryError:
        problem = "This is a folder, not a file"
    except OSError as error:
        problem = f"The file cannot be read ({error.strerror})"
    raise UserError(f"{problem}: {path}. Accepted: {accepted}. Received: {option}={str(path)!r}")


def _scan(path, file):
    beginning = file.read(_SAMPLE)
    if not beginning:
        raise UserError(f"{path} is empty. A header is needed, and rows below it.")
    if path.suffix.lower() in PARQUET:
        return Source(path, hashlib.file_digest(_rewound(file), "sha256").hexdigest(), "", "")
    # Nearly every file is valid Windows-1252, almost none is valid UTF-8 by accident: the order
    # of trying is what tells them apart.
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif beginning.startswith(codecs.BOM_UTF8):
        encodings = ["utf-8-sig", "cp1252"]
    else:
        encodings = ["utf-8", "cp1252"]
    failures = []
    for encoding in encodings:
        digest = hashlib.sha256()
        line = _decode(path, _rewound(file), encoding, digest)
        if line is None:
            break
        failures.append(f"as {encoding} it fails on line {line}")
    else:
        raise UserError(
            f"{path} is text in none of the accepted encodings (UTF-8, UTF-16 with a byte order "
            f"mark, Windows-1252): {'; '.join(failures)}. Save the file as UTF-8."
        )
    text = codecs.getincrementaldecoder(encoding)().decode(beginning)
    if not text.strip():
        raise UserError(f"{path} begins with nothing but blanks. A header is needed.")
    return Source(path, digest.hexdigest(), encoding, text)


def _rewound(file):
    file.seek(0)
    return file


def _decode(path, file, encoding, digest):
    """Decodes a file in blocks; returns the line where that fails, or `None`."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    while True:
        block = file.read(_BLOCK)
        digest.update(block)
        if encoding != "utf-16" and (position := block.find(b"\0")) >= 0:
            line += block.count(b"\n", 0, position)
            raise UserError(
                f"{path}, line {line}: a NUL byte, which no text holds. The file is damaged, or "
                "UTF-16 without a byte order mark. Accepted: UTF-8, UTF-16 with a byte order mark, "
                "Windows-1252. Save it as UTF-8, or remove the bytes: "
                "`tr -d '\\000' < file > clean_file`."
            )
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            return line + error.object.count(b"\n", 0, error.start)
        if not block:
            return None
        line += text.count("\n")


def read_table(source, text_column=None, label_column=None, group_column=None):
    """Reads the columns that matter.

    Args:
        source: What `scan` returned.
        text_column: Column of the texts; guessed from usual names where `None`.
        label_column: Column of the labels; guessed likewise.
        group_column: Column that says which rows belong together (an author, a respondent), or
            `None`.

    Returns:
        A `pandas.DataFrame` of strings with the columns `text`, `label` and, if asked for,
        `subject`. A missing value is an empty string.

    Raises:
        UserError: If the file is not what its name says, or a column is not there.
    """
    readers = {
        DELIMITED: _open_delimited,
        JSON_LINES: _open_json_lines,
        PARQUET: _open_parquet,
    }
    columns, read = readers[format_of(source.path)](source)
    wanted = {
        "text": choose_column(source.path, columns, "text", text_column, TEXT_NAMES),
        "label": choose_column(source.path, columns, "label", label_column, LABEL_NAMES),
    }
    if group_column is not None:
        wanted["subject"] = choose_column(source.path, columns, "group", group_column, ())
    if wanted["text"] == wanted["label"]:
        raise UserError(
            f"{source.path}: text and label are the same column. Name two of: "
            f"{', '.join(columns)}. Received: text_column={text_column!r}, "
            f"label_column={label_column!r}"
        )
    table = read(list(dict.fromkeys(wanted.values())))
    if table.empty:
        raise UserError(f"{source.path} has a header and no rows.")
    return pd.DataFrame({name: table[column] for name, column in wanted.items()})


def format_of(path):
    """Which of `DELIMITED`, `JSON_LINES` and `PARQUET` a file is; or raises `UserError`."""
    suffix = path.suffix.lower()
    for endings in (DELIMITED, JSON_LINES, PARQUET):
        if suffix in endings:
            return endings
    raise UserError(
        f"{path}: the name's ending says what is in a file, and {suffix!r} is not known. "
        f"Accepted: {ACCEPTED}. Rename or convert the file."
    )


def choose_column(path, columns, role, asked, usual):
    """Chooses one of a table's columns.

    Args:
        path: The table's file.
        columns: Names of its columns.
        role: What the column is to hold, such as `text`.
        asked: The column's name, or `None` for a guess.
        usual: The names to guess by, in lower case.

    Returns:
        The column's name.

    Raises:
        UserError: If there is no such column, or no one of a usual name.
    """
    listed = ", ".join(columns)
    if (asked or "") in columns and columns.count(asked) > 1:
        raise UserError(f"{path} has several columns {asked!r}. Its columns: {listed}.")
    if asked is not None:
        if asked in columns:
            return asked
        raise UserError(
            f"{path} has no column {asked!r}. Its columns: {listed}. "
            f"Received: {role}_column={asked!r}"
        )
    found = [column for column in columns if column.strip().lower() in usual]
    if len(found) == 1:
        return found[0]
    why = f"several could hold it ({', '.join(found)})" if found else "none has a usual name"
    raise UserError(
        f"{path}: which column holds the {role}? Of its columns, {why}. Its columns: {listed}. "
        f"The first row must hold the columns' names. Say which with --{role}-column."
    )


def _open_delimited(source):
    delimiter = detect_delimiter(source)
    header = next(_sample_rows(source, delimiter), [])

    def read(columns):
        try:
            with warnings.catch_warnings():
                # Said where the first row has more fields than the header: pandas would cut it.
                warnings.simplefilter("error", pd.errors.ParserWarning)
                # All columns are parsed, and in parts: with `usecols` pandas takes a later row with
                # too many fields in silence, and a wide file whole needs much memory.
                parts = pd.read_csv(
                    source.path,
                    sep=delimiter,
                    encoding=source.encoding,
                    dtype=str,
                    na_filter=False,
                    skipinitialspace=True,
                    index_col=False,
                    chunksize=_ROWS_AT_A_TIME,
                )
                with parts:
                    return pd.concat([part[columns] for part in parts], ignore_index=True)
        except (pd.errors.ParserWarning, pd.errors.ParserError) as error:
            # pandas counts records, where an editor counts lines: the fault is found anew.
            for _ in delimited_rows(source, delimiter):
                pass
            raise UserError(f"{source.path} cannot be read: {error}") from error

    return header, read


def delimited_rows(source, delimiter, skip_blanks=True):
    """Reads the rows of a delimited file one after the other.

    Args:
        source: What `scan` returned.
        delimiter: The delimiter.
        skip_blanks: Whether blanks at the beginning of a cell are left out.

    Yields:
        Lists of strings, the header first; empty lines are passed over.

    Raises:
        UserError: If a row has more fields than the header, or a quote opens that nothing closes.
    """
    is_open = False

    def lines():
        nonlocal is_open
        for line in _lines(source, newline=""):
            is_open = True
            yield line
        if is_open:
            raise csv.Error("a quote opens that nothing closes")

    # A setting of the whole process, whose default a long text exceeds.
    csv.field_size_limit(_MOST_CHARACTERS)
    rows = csv.reader(lines(), delimiter=delimiter, skipinitialspace=skip_blanks)
    width, line = 0, 1
    try:
        for row in rows:
            is_open = False
            width = width or len(row)
            if len(row) > width:
                raise csv.Error(f"{len(row)} fields, where the header has {width}")
            if row:
                yield row
            line = rows.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{source.path}, line {line}: {error}. A text that holds the delimiter {delimiter!r} "
            'must stand in double quotes, and a double quote within it doubled ("").'
        ) from None


def _lines(source, newline):
    """The lines of a text file; one without an end is not taken into memory."""
    with open(source.path, encoding=source.encoding, newline=newline) as file:
        number = 0
        while line := file.readline(_MOST_CHARACTERS):
            number += 1
            if len(line) == _MOST_CHARACTERS:
                raise UserError(
                    f"{source.path}, line {number} is longer than {_MOST_CHARACTERS:,} characters: "
                    "this is no table with a row a line."
                )
            yield line


def _sample_rows(source, delimiter):
    text = io.StringIO(source.beginning, newline="")
    rows = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
    return (row for row in rows if row)


def detect_delimiter(source):
    """The delimiter that cuts the header into the most fields, and the next rows into as many.

    That there is a header, which seldom holds a delimiter of another kind, makes this simple rule
    more reliable than the guesses of `csv.Sniffer`, which knows no header.
    """
    if source.path.suffix.lower() in (".tsv", ".tab"):
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


def _open_json_lines(source):
    def read(columns):
        cells = {column: [] for column in columns}
        for _, record in json_records(source):
            for column, values in cells.items():
                values.append(as_text(record.get(column)))
        return pd.DataFrame(
            {name: pd.Series(values, dtype="str") for name, values in cells.items()}
        )

    _, first = next(json_records(source), (0, ()))
    return list(first), read


def json_records(source):
    """Reads the objects of a JSON Lines file one after the other.

    Args:
        source: What `scan` returned.

    Yields:
        The length of a line in characters, and the line's object, a dictionary.

    Raises:
        UserError: If a line is no JSON object.
    """
    # Not `splitlines`: a JSON string may hold U+2028, which ends a line for Python alone.
    for number, line in enumerate(_lines(source, newline="\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            # Not all are JSON's own errors: numbers may be too long, and lists nested too deeply.
            is_syntax = isinstance(error, json.JSONDecodeError)
            reason = f"{error.msg}, column {error.colno}" if is_syntax else error
            raise UserError(
                f"{source.path}, line {number}: not JSON ({reason}). JSON Lines has one object a "
                'line, as in {"text": "...", "label": "joy"}. '
                f"Received: {line.strip()[:60]!r}"
            ) from None
        if not isinstance(record, dict):
            raise UserError(
                f"{source.path}, line {number}: a JSON object was expected, as in "
                f'{{"text": "...", "label": "joy"}}. Received: {line.strip()[:60]!r}'
            )
        yield len(line), record


def as_text(value):
    """A value as the text that is classified: nothing is an empty one."""
    if value is None:
        return ""
    value = value if isinstance(value, str) else str(value)
    # "\ud83d" alone is legal JSON, but no text: nothing could store it.
    return value if value.isascii() else _SURROGATES.sub("\ufffd", value)


def _open_parquet(source):
    with parquet_file(source.path) as file:
        columns = file.schema_arrow.names

    def read(names):
        with _parquet_faults(source.path):
            table = pd.read_parquet(source.path, columns=names)
        return pd.DataFrame({name: table[name].astype("str").fillna("") for name in names})

    return columns, read


@contextlib.contextmanager
def parquet_file(path):
    """Opens a Parquet file; whatever pyarrow cannot read of it meanwhile is a `UserError`.

    Args:
        path: The file.

    Yields:
        `pyarrow.parquet.ParquetFile`, which reads pages as they are needed, not whole row groups.

    Raises:
        UserError: If the file is none, or damaged, or pyarrow is not installed.
    """
    with _parquet_faults(path):
        from pyarrow import parquet

        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BLOCK) as file:
            yield file


@contextlib.contextmanager
def _parquet_faults(path):
    try:
        from pyarrow import ArrowException
    except ImportError:
        raise UserError(
            f"{path}: reading Parquet needs pyarrow. Install it with `pip install pyarrow`, or "
            "save the table as CSV."
        ) from None
    try:
        yield
    except (ArrowException, OSError) as error:
        raise UserError(f"{path} is not a Parquet file, or damaged: {error}") from error
