"""Opens what holds a table: a file, also compressed, a pipe or standard input."""

import bz2
import contextlib
import functools
import gzip
import hashlib
import io
import lzma
import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.tables.encodings import Encoding, find_encoding

DELIMITED = (".csv", ".tsv", ".tab", ".txt")
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet",)
WORKBOOK = (".xlsx", ".xlsm", ".xls", ".ods")
ACCEPTED = ", ".join(DELIMITED + JSON_LINES + PARQUET + WORKBOOK)

# No cell and no line is longer: a quote that nothing closes would take in the rest of the file.
MOST_CHARACTERS = 1 << 24

_SAMPLE = 1 << 16
_TEXT = DELIMITED + JSON_LINES
_COMPRESSIONS = {
    ".gz": b"\x1f\x8b",
    ".bz2": b"BZh",
    ".xz": b"\xfd7zXZ\0",
    ".zst": b"\x28\xb5\x2f\xfd",
}
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class Source:
    """What holds a table, and what one pass over it found.

    Args:
        path: Its path, as the user named it.
        sha256: Checksum of its bytes as they are stored.
        format: `DELIMITED`, `JSON_LINES`, `PARQUET` or `WORKBOOK`.
        encoding: The `Encoding` of a text; of no meaning for Parquet and workbooks.
        beginning: The first characters of a text.
        suffix: The name's ending that says the format, in lower case and without a compression's.
        open_bytes: Function that opens it for reading, without the compression.
        is_stored: Whether it is a file that stays, and not a pipe.
    """

    path: Path
    sha256: str
    format: tuple
    encoding: Encoding
    beginning: str
    suffix: str
    open_bytes: Callable[[], BinaryIO] = field(repr=False)
    is_stored: bool = True

    @property
    def stem(self) -> str:
        """The name without its endings."""
        name = self.path.name
        if not self.is_stored:
            return "piped"
        if self.path.suffix.lower() in _COMPRESSIONS:
            name = self.path.stem
        return Path(name).stem

    @contextlib.contextmanager
    def open_text(self, newline: str | None) -> Iterator[TextIO]:
        """Opens it as text; `newline` is that of `open`."""
        with _readable(self.path), self.open_bytes() as file:
            # What decompresses gives a few bytes at a time.
            buffered = io.BufferedReader(cast(io.RawIOBase, file), 1 << 18)
            yield io.TextIOWrapper(
                buffered,
                encoding=self.encoding.name,
                errors=self.encoding.errors,
                newline=newline,
            )

    def lines(self, newline: str | None) -> Iterator[str]:
        """Yields the lines of a text; a line without an end is not taken into memory."""
        with self.open_text(newline) as file:
            number = 0
            while line := file.readline(MOST_CHARACTERS):
                number += 1
                if len(line) == MOST_CHARACTERS:
                    raise UserError(
                        f"{self.path}, line {number} is longer than {MOST_CHARACTERS:,} "
                        "characters: this is no table with a row a line."
                    )
                yield line


def scan(
    path: str | os.PathLike,
    option: str = "data",
    accepted: str = f"the path of a file ({ACCEPTED})",
    encoding: str | None = None,
) -> Source:
    """Passes over a table's bytes once, before anything parses them.

    Args:
        path: A file, also compressed by gzip, bzip2, xz or Zstandard; or a pipe. Where a name has
            no ending, the content says the format.
        option: Name of the option that gave the path, for what is said where it is wrong.
        accepted: What the option accepts, likewise.
        encoding: The encoding of a text, where the user named it; else it is found out.

    Returns:
        A `Source`.

    Raises:
        UserError: If the file is missing, a folder, unreadable, empty, in no format that can be
            read, or a text whose encoding has to be named.
    """
    path = Path(path)
    try:
        return _scan(path, encoding)
    except FileNotFoundError:
        problem = "No such file"
    except IsADirectoryError:
        problem = "This is a folder, not a file"
    except OSError as error:
        problem = f"The file cannot be read ({error.strerror or error})"
    except ValueError as error:  # A path that holds a NUL.
        problem = f"This is no path ({error})"
    raise UserError(f"{problem}: {path}. Accepted: {accepted}. Received: {option}={str(path)!r}")


def is_pipe(path: str | os.PathLike) -> bool:
    """Whether a path is that of a pipe or a terminal, which can be read once alone."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def format_of(path: Path) -> tuple[str, ...]:
    """The format that a file's name says; or raises `UserError`."""
    suffix = path.suffix.lower()
    for endings in (DELIMITED, JSON_LINES, PARQUET, WORKBOOK):
        if suffix in endings:
            return endings
    raise UserError(
        f"{path}: the name's ending says what is in a file, and {suffix!r} is not known. "
        f"Accepted: {ACCEPTED}; texts also compressed ({', '.join(_COMPRESSIONS)}). Rename or "
        "convert the file."
    )


def _scan(path, encoding):
    mode = path.stat().st_mode
    is_stored = stat.S_ISREG(mode)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    if stat.S_ISBLK(mode) or stat.S_ISCHR(mode):  # Which may have no end.
        raise UserError(f"{path} is a device, not a file.")
    stored = path if is_stored else _spooled(path)
    with open(stored, "rb") as file:
        beginning = file.read(_SAMPLE)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if not beginning:
        raise UserError(f"{path} is empty. A header is needed, and rows below it.")
    compression = _compression(beginning)
    open_bytes = functools.partial(_open, stored, compression)
    if compression:
        with _readable(path), open_bytes() as file:
            beginning = file.read(_SAMPLE)
    name = path
    if name.suffix.lower() in _COMPRESSIONS:
        name = name.with_suffix("")
    known = is_stored and name.suffix
    format = format_of(name) if known else _sniffed(beginning)
    _check_signature(path, format, beginning, compression)
    suffix = name.suffix.lower() if known else ""
    if format not in (DELIMITED, JSON_LINES):
        nothing = Encoding("")
        return Source(path, sha256, format, nothing, "", suffix, open_bytes, is_stored)
    with _readable(path):
        found = find_encoding(path, open_bytes, encoding)
    source = Source(path, sha256, format, found, "", suffix, open_bytes, is_stored)
    with source.open_text(newline="") as file:
        text = file.read(_SAMPLE)
    if not text.strip():
        raise UserError(f"{path} begins with nothing but blanks. A header is needed.")
    return Source(path, sha256, format, found, text, suffix, open_bytes, is_stored)


# Folders that are removed at the end of the process.
_SPOOLS = []


def _spooled(pipe):
    """A file with what a pipe gives: it comes once, and is read several times."""
    folder = tempfile.TemporaryDirectory(prefix="emotion_keras-")
    _SPOOLS.append(folder)
    path = Path(folder.name) / "piped"
    with open(pipe, "rb") as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target)
    return path


def _compression(beginning):
    return next((name for name, mark in _COMPRESSIONS.items() if beginning.startswith(mark)), None)


def _open(path, compression):
    openers = {None: open, ".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zst": _open_zstd}
    return openers[compression](path, "rb")


class _Zstandard(io.RawIOBase):
    """A file that Zstandard compressed."""

    def __init__(self, path):
        import pyarrow

        self._file = pyarrow.input_stream(str(path), compression="zstd")

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self):
        self._file.close()
        super().close()


def _open_zstd(path, mode):
    return io.BufferedReader(_Zstandard(path))


@contextlib.contextmanager
def _readable(path):
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: the compressed file is damaged or cut: {error}.") from error
    except OSError as error:
        if error.errno is None:  # Of a library, not of the system.
            raise UserError(f"{path}: the compressed file is damaged or cut: {error}.") from error
        raise


def _sniffed(beginning):
    """The format of what has no ending, by its content."""
    if beginning.startswith(b"PAR1"):
        return PARQUET
    if beginning.startswith((_ZIP, _OLE)):
        return WORKBOOK
    return JSON_LINES if beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else DELIMITED


def _check_signature(path, format, beginning, compression):
    """Refuses what is something else than its name says."""
    if beginning.startswith(record.LFS_POINTER):
        raise UserError(
            f"{path} is a pointer of Git LFS, not the file itself. Fetch it: `git lfs pull`."
        )
    if compression and format in (PARQUET, WORKBOOK):
        raise UserError(f"{path}: a compressed {format[0]} cannot be read. Unpack it first.")
    if format == WORKBOOK:
        return
    found = None
    if beginning.startswith(b"PAR1") and format != PARQUET:
        found = "a Parquet file: rename it so that its name ends in .parquet"
    elif beginning.startswith(_ZIP):
        found = (
            "a ZIP archive, or a workbook of Excel or LibreOffice. Unpack the archive, or rename "
            f"the workbook to what it is ({', '.join(WORKBOOK)})"
        )
    elif beginning.startswith(_OLE):
        found = "an old Excel workbook: rename it so that its name ends in .xls"
    elif _compression(beginning):
        found = "compressed twice: unpack it"
    elif beginning.startswith(b"%PDF"):
        found = "a PDF document, from which no table can be read"
    if found:
        raise UserError(f"{path} is {found}.")
