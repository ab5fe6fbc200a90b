"""Files that are written whole, and messages about files that are not."""

import contextlib
import csv
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from emotion_keras.errors import UserError

# How Git LFS stands in for a file that was not fetched.
LFS_POINTER = b"version https://git-lfs"


def find_files(
    directory: str | Path, name: str, lost: list[tuple[Path, str]] | None = None
) -> list[Path]:
    """Files of a name in a folder, below it, and where links that lie there lead.

    Each folder is looked into once, however many links lead to it, and a link to a folder that
    holds the link leads nowhere new: so links may form a loop.

    Args:
        directory: Path of the folder.
        name: The files' name.
        lost: List, filled with pairs of a path that could not be followed and the reason, or
            `None`.

    Returns:
        List of `pathlib.Path`, sorted; each below `directory`, by way of the links.
    """
    lost = [] if lost is None else lost

    def note(error):
        lost.append((Path(error.filename), error.strerror))

    directory = Path(directory)
    found, seen, links = [], set(), {Path(os.path.realpath(directory)): directory}
    while links:
        # The highest first: a study is found as one before a link to one of its runs is followed.
        target = min(links, key=lambda path: (len(path.parts), path))
        start = links.pop(target)
        for folder, names, files in os.walk(start, onerror=note):
            real = target / Path(folder).relative_to(start)
            if real in seen:
                names.clear()
                continue
            seen.add(real)
            names.sort()
            for path in map(Path(folder).joinpath, (*names, *files)):
                leads_to = Path(os.path.realpath(path)) if path.is_symlink() else None
                if path.name == name and path.is_file():
                    found.append(path)
                # Editors lock a file by a hidden link that leads nowhere.
                elif leads_to and not path.exists() and not path.name.startswith("."):
                    lost.append((path, f"it is a link to {os.readlink(path)}, which is not there"))
                elif leads_to and path.is_dir() and leads_to not in {*seen, *real.parents}:
                    links.setdefault(leads_to, path)
    return sorted(found)


def write_json(path: str | Path, value: Any) -> None:
    """Writes a JSON file in one step: a reader sees the old file, the new file, or none."""
    _write_atomically(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_rows(path: str | Path, rows: list[dict[str, Any]]) -> None:
    """Writes dictionaries of equal keys as CSV in one step.

    Args:
        path: The file's path.
        rows: Non-empty list of dictionaries; floats are written in full precision.
    """
    part = _part(path)
    with open(part, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        flush(file)
    os.replace(part, path)


def link_file(source: Path, target: Path) -> None:
    """Gives a file a second name, or where the file system cannot, copies it, in one step.

    Args:
        source: The file, or a link to it.
        target: Its second name; where there is such a file already, it is replaced.
    """
    part = Path(_part(target))
    part.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), part)
    except OSError:  # Another disk, or a file system without links.
        shutil.copyfile(source, part)
    os.replace(part, target)
    part.unlink(missing_ok=True)  # Where both were one file already, nothing was replaced.


def read_rows(path: str | Path) -> list[dict[str, str]]:
    """Reads what `write_rows` wrote, as dictionaries of strings."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check_file(path: str | Path, remedy: str) -> None:
    """Makes sure that a file is there and is one, not something that stands in for it.

    Args:
        path: The file's path.
        remedy: Sentence that says what to do.

    Raises:
        UserError: If the file is missing, or it is a folder, empty, or a pointer of Git LFS.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder, and should be a file. {remedy}")
    try:
        with open(path, "rb") as file:
            start = file.read(len(LFS_POINTER))
    except FileNotFoundError:
        raise UserError(f"There is no file {path}. {remedy}") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}. {remedy}") from error
    if not start:
        raise UserError(f"{path} is empty. {remedy}")
    if start == LFS_POINTER:
        raise UserError(
            f"{path} is a pointer of Git LFS in place of the file. Fetch the file: git lfs pull."
        )


def check_archive(path: str | Path, remedy: str) -> None:
    """Makes sure that a file is a whole ZIP archive, as models are stored.

    Args:
        path: The file's path.
        remedy: Sentence that says what to do.

    Raises:
        UserError: If it is no archive; see `check_file`, too.
    """
    check_file(path, remedy)
    if not zipfile.is_zipfile(path):  # The list of what is in it comes last.
        raise UserError(f"{path} is damaged: it was cut, or is another file. {remedy}")


@contextlib.contextmanager
def loading(path: str | Path, remedy: str) -> Iterator[None]:
    """Says of a file that a library cannot load which one it is, and what to do.

    Args:
        path: The file's path.
        remedy: Sentence that says what to do.

    Raises:
        UserError: If the file is missing, damaged, or no file.
    """
    check_file(path, remedy)
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:  # Each library has errors of its own for files that are cut.
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        raise UserError(f"{path} is damaged: {reason}. {remedy}") from error


def _write_atomically(path, text):
    part = _part(path)
    try:
        with open(part, "w", encoding="utf-8") as file:
            file.write(text)
            flush(file)
        os.replace(part, path)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise


def _part(path):
    return f"{os.fspath(path)}.{os.getpid()}.part"


def remove_parts(directory: str | Path) -> None:
    """Removes from a folder what processes were writing of a record when they were killed.

    What else ends in `.part`, such as a table that is being labelled, continues from there.
    """
    for path in Path(directory).glob("*.part"):
        if path.with_suffix("").suffix[1:].isdecimal():  # Its process; see `_part`.
            path.unlink(missing_ok=True)


def flush(file: IO[Any]) -> None:
    """Puts on disk what was written to a file.

    Without it a crash of the machine could leave the name of the new file with no content.
    """
    file.flush()
    os.fsync(file.fileno())
