"""Whether an example is unlike those of a training split, by how rare its words are there.

A network's own confidence, or the distance of its vectors from those of the training split, tells
this less well: `tests/benchmarks/unfamiliar.py` compares them. It needs no model at all, so that
baselines and exports have it, too. NumPy only.
"""

import collections
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from emotion_keras import record
from emotion_keras.inputs import Input

# The share of the validation split that is less strange than the limit, and how many examples there
# have to be: what 99 of 100 are below, fewer do not say.
_SHARE, _FEWEST_EXAMPLES = 0.99, 100
# As many words of average rarity are added to each example, so that one rare word is no alarm.
_ADDED = 5
# A word that stands once in the training split says little, and is often a name.
_FEWEST_TIMES = 2
_MOST_WORDS = 50_000


class Familiarity:
    """How often words stand in a training split, and how strange an example may be.

    Args:
        modality: Class of the `Input` whose cells it takes, whose `pieces` are the words.
        counts: Dictionary of how often a word stands there, by word.
        average: Float, the average rarity of the words there.
        limit: Float, the strangeness from which on an example is unfamiliar.

    Example:

    >>> from emotion_keras.inputs import TextInput
    >>> familiarity = Familiarity(TextInput, {"we": 5, "laughed": 3}, average=1.0, limit=1.3)
    >>> familiarity.is_unfamiliar("We laughed."), familiarity.is_unfamiliar("import numpy as np")
    (False, True)
    """

    def __init__(self, modality: type[Input], counts: dict[str, int], average: float, limit: float):
        self.modality = modality
        self.counts = counts
        self.average = average
        self.limit = limit
        # As if each word, and one for all that are unknown, stood there once more.
        self._total = sum(counts.values()) + len(counts) + 1

    @classmethod
    def learn(cls, modality: type[Input], train: Iterable[Any], val: Sequence[Any]) -> Self | None:
        """Learns from a training split, with a limit from the validation split.

        Args:
            modality: Class of the `Input`.
            train: Prepared cells.
            val: Prepared cells.

        Returns:
            `Familiarity`; `None` where cells have no words, or the validation split has too few.
        """
        if len(val) < _FEWEST_EXAMPLES:
            return None
        counts = collections.Counter(word for cell in train for word in _words(modality, cell))
        if not counts:
            return None
        kept = {word: n for word, n in counts.most_common(_MOST_WORDS) if n >= _FEWEST_TIMES}
        found = cls(modality, kept, 0.0, math.inf)
        rarities = [found._rarity(word) * number for word, number in counts.items()]
        found.average = sum(rarities) / counts.total()
        found.limit = float(np.quantile([found.strangeness(cell) for cell in val], _SHARE))
        return found

    def strangeness(self, cell: Any) -> float:
        """How rare the words of a prepared cell are: the mean of their negative log frequencies."""
        rarities = [self._rarity(word) for word in _words(self.modality, cell)]
        return (sum(rarities) + _ADDED * self.average) / (len(rarities) + _ADDED)

    def is_unfamiliar(self, cell: Any) -> bool:
        """Whether a prepared cell is stranger than 99 of 100 of the validation split."""
        return self.strangeness(cell) > self.limit

    def save(self, directory: Path) -> None:
        """Writes it to the folder of a run or of an export."""
        found = {"average": self.average, "limit": self.limit, "counts": self.counts}
        record.write_json(directory / record.FAMILIAR, found)

    @classmethod
    def load(cls, directory: Path, modality: type[Input], remedy: str) -> Self | None:
        """Loads what `save` wrote; `None` where there is none, as in runs of earlier versions.

        Args:
            directory: Folder of a run or of an export.
            modality: Class of the `Input`.
            remedy: Sentence that says what to do about a damaged file.

        Raises:
            UserError: If the file is damaged.
        """
        path = directory / record.FAMILIAR
        if not path.exists():
            return None
        with record.loading(path, remedy):
            found = json.loads(path.read_text(encoding="utf-8"))
            counts = {word: int(number) for word, number in found["counts"].items()}
            return cls(modality, counts, float(found["average"]), float(found["limit"]))

    def _rarity(self, word):
        return math.log(self._total / (self.counts.get(word, 0) + 1))


def _words(modality, cell):
    return [piece.lower() for piece in modality.pieces(cell)]
