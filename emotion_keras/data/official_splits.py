"""The splits that a corpus comes with: how they are spelt, and what leaks between them."""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from emotion_keras.errors import UserError

# From what must not be in any other to what may lose an example to all others.
SPLITS = ("test", "val", "train")
# Without case, blanks and marks. FER-2013's test is the private one of its challenge.
_SPELLINGS = {
    "test": ("test", "tst", "testing", "testset", "privatetest"),
    "val": ("val", "valid", "validation", "dev", "devel", "development", "publictest"),
    "train": ("train", "trn", "training", "trainset"),
}


def read_split(name: str) -> str | None:
    """The split that a name stands for, or `None` if it stands for none.

    Example:

    >>> read_split("Training"), read_split("PublicTest"), read_split("fold 1")
    ('train', 'val', None)
    """
    spelt = "".join(filter(str.isalnum, name.lower()))
    return next((split for split in SPLITS if spelt in _SPELLINGS[split]), None)


def read_splits(names: Sequence[str], path: Path, column: str) -> list[str]:
    """The splits of examples, from what stands in a column of their table.

    Args:
        names: What stands there.
        path: The table's path, for messages.
        column: The column's name, likewise.

    Raises:
        UserError: If a name stands for no split, or train or test is missing.
    """
    known = {name: read_split(name) for name in dict.fromkeys(names)}
    if unclear := [name for name, split in known.items() if split is None]:
        listed = ", ".join(repr(name) for name in unclear[:5])
        more = f" and {len(unclear) - 5} more" if len(unclear) > 5 else ""
        accepted = "; ".join(f"{split}: {', '.join(_SPELLINGS[split])}" for split in SPLITS[::-1])
        raise UserError(
            f"{path}: the column {column!r} is to say the split of each example, and these stand "
            f"for none: {listed}{more}. Accepted, in any case: {accepted}. Received: "
            f"split_column={column!r}"
        )
    if missing := [split for split in ("train", "test") if split not in known.values()]:
        raise UserError(
            f"{path}: no example is in {' and '.join(missing)} by the column {column!r}. An "
            "official split has both; where it has no val, a part of train becomes that. "
            f"Received: split_column={column!r}"
        )
    return [str(known[name]) for name in names]


def count_leaks(splits: Iterable[str], numbers: np.ndarray) -> dict[str, int]:
    """How many examples of a split have the content of one in another.

    Args:
        splits: The split of each example.
        numbers: The number of each example's content, the same where it is the same.

    Returns:
        Dictionary of counts by names such as `train in test`.
    """
    splits = np.asarray(list(splits))
    pairs = itertools.combinations(reversed(SPLITS), 2)
    return {
        f"{first} in {second}": int(
            np.isin(numbers[splits == first], numbers[splits == second]).sum()
        )
        for first, second in pairs
    }
