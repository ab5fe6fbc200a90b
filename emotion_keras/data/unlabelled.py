"""Examples without labels, for a teacher to answer."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from emotion_keras import tables
from emotion_keras.data.dataset import Dataset
from emotion_keras.data.options import Preparation, Reading
from emotion_keras.errors import UserError


class Unlabelled(NamedTuple):
    """Examples without labels.

    Args:
        cells: Their prepared cells.
        sha256: Checksum of the bytes of their table.
    """

    cells: list[Any]
    sha256: str


def read_unlabelled(
    path: str,
    dataset: Dataset,
    reading: Reading,
    preparation: Preparation,
    notify: Callable[[str], Any] = print,
) -> Unlabelled:
    """Reads and prepares examples of which only the cells are taken.

    Args:
        path: Path of a table.
        dataset: The `Dataset` that is learned with them.
        reading: Its `Reading`; the columns of cells that it names are read here, too, where they
            are there.
        preparation: Its `Preparation`.
        notify: Called with a line about what was read and what was left out.

    Returns:
        `Unlabelled`. Cells with a flaw, repeated ones, and those that a split of the dataset has
        are not in it.

    Raises:
        UserError: If the table cannot be read, or nothing is left of it.
    """
    modality = dataset.corpus.modality
    file = Path(os.path.expanduser(path))
    source = tables.scan(file, option="unlabelled", accepted=f"a table ({tables.ACCEPTED})")
    table = tables.open_table(source)
    asked = {name: getattr(reading, name) for name in modality.column_options()}
    of_table = {name: one for name, one in asked.items() if one in table.columns}
    chosen = modality.choose_columns(file, table.columns, modality.asked_columns(of_table))
    for name in chosen.names:
        tables.check_values(table, table.columns.index(name), modality)
    cells, start = [], 0
    for part in table.parts(0, _ROWS_AT_A_TIME):
        cells += tables.cells_of(part, table.columns, chosen, file, start)
        start += len(part)
    located = [modality.locate(cell, file.parent) for cell in cells]
    modality.fetch(located, notify)
    prepared = modality.prepare(located, preparation.to_dict())
    seen = {modality.fold(c) for name in ("train", "val", "test") for c in dataset.cells(name)}
    counts = {"with a flaw": 0, "in a split of the data": 0, "repeated": 0}
    kept: dict[str, Any] = {}
    for cell in prepared:
        folded = modality.fold(cell)
        if modality.flaw(cell):
            counts["with a flaw"] += 1
        elif folded in seen:
            counts["in a split of the data"] += 1
        elif folded in kept:
            counts["repeated"] += 1
        else:
            kept[folded] = cell
    left_out = "; ".join(f"{number:,} {why}" for why, number in counts.items() if number)
    notify(
        f"{file}: {len(kept):,} of {len(prepared):,} {modality.plural} without labels are learned "
        f"from{f' (left out: {left_out})' if left_out else ''}."
    )
    if not kept:
        raise UserError(
            f"{file} holds no {modality.plural} to learn from. Received: unlabelled={path!r}"
        )
    return Unlabelled(list(kept.values()), source.sha256)


_ROWS_AT_A_TIME = 100_000
