"""Sequences of unequal length: token ids, or the vectors made from them."""

import itertools
from collections.abc import Sequence
from typing import Any, Self

import numpy as np


class Sequences:
    """Sequences of unequal length, stored end to end.

    Args:
        values: Array `(total_length, ...)`, all sequences one after another.
        offsets: Integer array `(num_sequences + 1,)`; sequence `i` is
            `values[offsets[i]:offsets[i + 1]]`.

    Example:

    >>> Sequences.from_list([[2, 7, 3], [2, 3]]).pad([1, 0], length=4)[0]
    array([[2, 3, 0, 0],
           [2, 7, 3, 0]], dtype=int32)
    """

    def __init__(self, values: np.ndarray, offsets: np.ndarray):
        self.values = values
        self.offsets = offsets
        self.lengths = np.diff(offsets)

    @classmethod
    def from_list(cls, sequences: Sequence[Any], dtype: str = "int32") -> Self:
        """Stores a list of sequences of numbers, of type `dtype`, or of arrays of vectors."""
        if len(sequences) and np.ndim(sequences[0]) > 1:
            lengths = [len(sequence) for sequence in sequences]
            return cls(np.concatenate(sequences), np.cumsum([0, *lengths]))
        lengths = np.fromiter((len(sequence) for sequence in sequences), np.int64, len(sequences))
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        values = np.fromiter(itertools.chain.from_iterable(sequences), dtype, offsets[-1])
        return cls(values, offsets)

    @classmethod
    def concatenate(cls, parts: Sequence["Sequences"]) -> Self:
        """Joins several `Sequences` to one."""
        values = np.concatenate([part.values for part in parts])
        lengths = np.concatenate([part.lengths for part in parts])
        return cls(values, np.concatenate([[0], np.cumsum(lengths)]))

    def __len__(self):
        return len(self.lengths)

    def take(self, indices: Any) -> "Sequences":
        """The sequences at some positions, as `Sequences`."""
        lengths = self.lengths[indices]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        return Sequences(self.values[np.repeat(self.offsets[indices], lengths) + within], offsets)

    def pad(self, indices: Any, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Pads sequences with zeros at their end.

        Args:
            indices: Integers, which sequences.
            length: Integer, the common length; longer sequences lose their end.

        Returns:
            The array `(len(indices), length, ...)` and its mask `(len(indices), length)` of int32,
            1 where a sequence is and 0 where padding is.
        """
        indices = np.asarray(indices)
        lengths = np.minimum(self.lengths[indices], length)
        positions = np.arange(length)
        mask = positions < lengths[:, None]
        padded = np.zeros((len(indices), length, *self.values.shape[1:]), self.values.dtype)
        padded[mask] = self.values[(self.offsets[indices][:, None] + positions)[mask]]
        return padded, mask.astype("int32")
