"""Tables of numbers beside a folder of media files, such as the action units of their faces."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from emotion_keras import tables
from emotion_keras.data import recorded_corpora
from emotion_keras.data.folders import key_of
from emotion_keras.errors import UserError
from emotion_keras.inputs import FeaturesInput
from emotion_keras.inputs.media import listed

_FILE_NAMES = ("file_name", "filename", "file", "name", "clip", "stem")
_ROWS_AT_A_TIME = 100_000


class FeatureTable(NamedTuple):
    """Vectors of numbers by the files that they belong to.

    Args:
        cells: Cells of `FeaturesInput` by the key of a file; see `key_of`.
        sha256: Checksum of the table's bytes.
    """

    cells: dict[str, str]
    sha256: str


def read_feature_table(
    path: Path, columns: str | None, known: recorded_corpora.RecordedCorpus | None
) -> FeatureTable:
    """Reads the vectors of a folder's files.

    Args:
        path: The table.
        columns: What the option `feature_columns` says.
        known: The known corpus that the files are of, or `None`.

    Raises:
        UserError: If it cannot be read, or names a file twice.
    """
    source = tables.scan(path, option="feature_table")
    table = tables.open_table(source)
    chosen = FeaturesInput.choose_columns(path, table.columns, columns)
    file = tables.choose_column(path, table.columns, "file", None, _FILE_NAMES, "feature_table")
    names = tables.CellColumns((file,), lambda values: tables.as_text(values[0]))
    cells: dict[str, str] = {}
    start = 0
    for part in table.parts(0, _ROWS_AT_A_TIME):
        found = [
            tables.cells_of(part, table.columns, of_columns, path, start)
            for of_columns in (names, chosen)
        ]
        for name, cell in zip(*found, strict=True):
            key = key_of(name, known)
            if key in cells:
                raise UserError(
                    f"{path}: column {file!r} names {name!r} twice, by its name without folder and "
                    "ending. Leave one row for each file."
                )
            cells[key] = cell
        start += len(part)
    return FeatureTable(cells, source.sha256)


def join_features(
    keys: Sequence[str], table: FeatureTable, path: Path, notify: Callable[[str], Any] = print
) -> list[str]:
    """The vectors of files, empty cells where there are none.

    Args:
        keys: The files' keys, in their order.
        table: `FeatureTable`.
        path: Its path, for messages.
        notify: Called with messages.

    Raises:
        UserError: If it has vectors of none of them.
    """
    if not {*keys} & table.cells.keys():
        raise UserError(
            f"{path} names none of the folder's files. It names {listed(list(table.cells))}, and "
            f"the files are {listed(list(keys))}."
        )
    if unused := [key for key in table.cells if key not in {*keys}]:
        notify(f"{path}: {len(unused):,} rows are of no file of the folder: {listed(unused)}.")
    return [table.cells.get(key, "") for key in keys]
