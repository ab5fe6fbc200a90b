"""Whether the words that a gate keeps are the right ones: how often models are right on them alone.

A model reads the words that the gate keeps and nothing else, then as many random words, and as many
of those that add most to the score of the same model with the paper's gate, which lets all pass.
Two models read: the gate's own, which was trained for such words, and that one, which was not.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emotion_keras.evaluation.faithfulness import rank
from emotion_keras.evaluation.significance import (
    Difference,
    interval,
    paired_difference,
    spread_over_seeds,
    spread_over_subjects,
)

# Beside the record of a run whose gate selects: a row a test text.
SELECTION = "selection.csv"

# Who reads, and what.
READERS = ("own", "plain")
CHOSEN = ("kept", "random", "contribution")
_COUNTS = ("kept", "words")
COLUMNS: dict[str, type] = {
    "id": str,
    **dict.fromkeys(_COUNTS, float),
    **{f"{reader}:{chosen}": float for reader in READERS for chosen in ("all", *CHOSEN)},
}


def choose_words(
    words: Sequence[Mapping[str, Any]],
) -> tuple[int, dict[str, list[int]]]:
    """The words of a text that a gate keeps, and as many others.

    Args:
        words: Dictionaries of `word`, `gate` and `contribution`, which is `None` of a mark.

    Returns:
        How many words the text has, without marks; and by name of `CHOSEN` positions in `words`,
        ascending.
    """
    is_word = [row["contribution"] is not None for row in words]
    kept = [i for i, row in enumerate(words) if is_word[i] and row["gate"] > 0]
    others = {order: sorted(rank(words, order)[: len(kept)]) for order in CHOSEN[1:]}
    return sum(is_word), {"kept": kept, **others}


def selection_path(directory: str | Path) -> Path:
    """The file of a run's selection, which may be compressed."""
    path = Path(directory) / SELECTION
    return path if path.exists() else path.with_name(f"{path.name}.gz")


class Selection:
    """What gates of one form keep, from the frames of its runs.

    Args:
        frames: Non-empty list, by seed, of data frames with the columns `COLUMNS`, of the same
            texts.
        groups: Dictionary of the subject of a text by its id; a text that is missing is its own.
    """

    def __init__(self, frames: Sequence[pd.DataFrame], groups: Mapping[str, Any]):
        self._frames = [frame.set_index("id").sort_index() for frame in frames]
        ids = self._frames[0].index
        self._groups = [groups.get(one, one) for one in ids]

    @property
    def share(self) -> float:
        """The share of all words that is kept."""
        kept, words = (sum(frame[name].sum() for frame in self._frames) for name in _COUNTS)
        return float(kept / words)

    def accuracy(self, reader: str, chosen: str) -> tuple[float, float, float]:
        """How often a reader is right, with its 95 % interval over texts and seeds.

        Args:
            reader: One of `READERS`.
            chosen: One of `CHOSEN`, or `all`.
        """
        correct = self._correct(reader, chosen)
        of_texts = correct.mean(axis=0)
        mean = float(of_texts.mean())
        of_subjects = pd.Series((of_texts - mean) / len(of_texts)).groupby(self._groups).sum()
        spreads = [
            spread_over_subjects(of_subjects.to_numpy()),
            spread_over_seeds(correct.mean(axis=1)),
        ]
        return mean, *interval(mean, spreads)

    def difference(self, reader: str, other: str) -> Difference:
        """How much more often a reader is right on kept words than on others.

        The seeds are those of both, so that the difference of each seed counts.

        Args:
            reader: One of `READERS`.
            other: `random` or `contribution`.
        """
        gains = self._correct(reader, "kept") - self._correct(reader, other)
        # Paired by seed, too: the difference of one to nothing.
        return paired_difference(gains, np.zeros((1, gains.shape[1])), self._groups)

    def _correct(self, reader, chosen):
        return np.stack([frame[f"{reader}:{chosen}"].to_numpy(float) for frame in self._frames])
