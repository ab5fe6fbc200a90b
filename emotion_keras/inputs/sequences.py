"""Sequences of unequal length: token ids, or the vectors made from them."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

# Name of the model's input that says which positions are real, and the end of such names.
PADDING_MASK = "padding_mask"


def real_tokens(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Which positions of a batch are no padding, in the order in which a model has them.

    Args:
        inputs: What `Sequences.inputs` returned.

    Returns:
        Boolean array `(num_sequences, num_positions)`.
    """
    masks = [values for name, values in inputs.items() if name.endswith(PADDING_MASK)]
    return np.concatenate(masks, axis=1).astype(bool)


class Sequences:
    """Sequences of unequal length, stored end to end.

    Args:
        values: Array `(total_length, ...)`, all sequences one after another.
        offsets: Integer array `(num_sequences + 1,)`; sequence `i` is
            `values[offsets[i]:offsets[i + 1]]`.
        feature: Name of the model's input that takes them.

    Example:

    >>> Sequences.from_list([[2, 7, 3], [2, 3]]).pad([1, 0], length=4)[0]
    array([[2, 3, 0, 0],
           [2, 7, 3, 0]], dtype=int32)
    """

    def __init__(self, values: np.ndarray, offsets: np.ndarray, feature: str = "token_ids"):
        self._values = values
        self.offsets = offsets
        self.feature = feature
        self.lengths = np.diff(offsets)

    @property
    def values(self) -> np.ndarray:
        """All sequences one after another, `(total_length, ...)`."""
        return self._values

    @classmethod
    def from_list(
        cls, sequences: Sequence[Any], feature: str = "token_ids", dtype: str = "int32"
    ) -> Self:
        """Stores a list of sequences of numbers, of type `dtype`, or of arrays of vectors."""
        if len(sequences) and np.ndim(sequences[0]) > 1:
            lengths = [len(sequence) for sequence in sequences]
            return cls(np.concatenate(sequences), np.cumsum([0, *lengths]), feature)
        lengths = np.fromiter((len(sequence) for sequence in sequences), np.int64, len(sequences))
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        values = np.fromiter(itertools.chain.from_iterable(sequences), dtype, offsets[-1])
        return cls(values, offsets, feature)

    @classmethod
    def concatenate(cls, parts: Sequence["Sequences"]) -> Self:
        """Joins several `Sequences` to one."""
        values = np.concatenate([part.values for part in parts])
        lengths = np.concatenate([part.lengths for part in parts])
        return cls(values, np.concatenate([[0], np.cumsum(lengths)]), parts[0].feature)

    def __len__(self):
        return len(self.lengths)

    def take(self, indices: Any) -> "Sequences":
        """The sequences at some positions, as `Sequences`."""
        lengths = self.lengths[indices]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        values = self._values[np.repeat(self.offsets[indices], lengths) + within]
        return Sequences(values, offsets, self.feature)

    def width(self, length: int) -> int:
        """How many positions a sequence takes that is padded to a length."""
        return length

    def inputs(self, indices: Any, length: int) -> dict[str, np.ndarray]:
        """What a model takes of some sequences: what `pad` returns, by the names of its inputs."""
        values, mask = self.pad(indices, length)
        return {self.feature: values, PADDING_MASK: mask}

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
        padded = np.zeros((len(indices), length, *self._values.shape[1:]), self._values.dtype)
        padded[mask] = self._values[(self.offsets[indices][:, None] + positions)[mask]]
        return padded, mask.astype("int32")


class StoredSequences(Sequences):
    """Sequences that are read when they are asked for, such as from files.

    Args:
        lengths: Integer array `(num_sequences,)`.
        read: Function from a sequence's position to its array `(length, ...)`.
        feature: Name of the model's input that takes them.
    """

    def __init__(self, lengths: np.ndarray, read: Callable[[int], np.ndarray], feature: str):
        self.lengths = np.asarray(lengths)
        self.feature = feature
        self.offsets = np.concatenate([[0], np.cumsum(self.lengths)])
        self._read = read

    @property
    def values(self) -> np.ndarray:
        """As of `Sequences`, and as much memory as they take."""
        return np.concatenate([self._read(index) for index in range(len(self))])

    def take(self, indices: Any) -> Sequences:
        positions = np.arange(len(self))[indices]
        lengths = self.lengths[positions]
        return StoredSequences(lengths, lambda i: self._read(positions[i]), self.feature)

    def pad(self, indices: Any, length: int) -> tuple[np.ndarray, np.ndarray]:
        read = Sequences.from_list([self._read(index) for index in np.asarray(indices)])
        return read.pad(np.arange(len(read)), length)


class PartialSequences(Sequences):
    """Sequences some of which are missing: these are padding alone.

    Args:
        sequences: `Sequences`; `None` where all are missing.
        rows: Integer array `(num_sequences,)`: which of `sequences` each is, or -1.
        feature: Name of the model's input that takes them.
        token_shape: Shape of what stands for one token.
        fixed_length: The one length to which they are padded; `None` for any.
    """

    def __init__(
        self,
        sequences: Sequences | None,
        rows: np.ndarray,
        feature: str,
        token_shape: tuple[int, ...],
        fixed_length: int | None = None,
    ):
        self.sequences = sequences
        self.rows = np.asarray(rows)
        self.feature = feature
        self.token_shape = token_shape
        self.fixed_length = fixed_length
        lengths = np.zeros(0, int) if sequences is None else sequences.lengths
        self.lengths = np.append(lengths, 0)[self.rows]

    def take(self, indices: Any) -> "PartialSequences":
        rows = self.rows[indices]
        return PartialSequences(
            self.sequences, rows, self.feature, self.token_shape, self.fixed_length
        )

    def pad(self, indices: Any, length: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.rows[np.asarray(indices)]
        is_there = rows >= 0
        dtype = "float32" if self.token_shape else "int32"
        values = np.zeros((len(rows), length, *self.token_shape), dtype)
        mask = np.zeros((len(rows), length), "int32")
        if self.sequences is not None and is_there.any():
            values[is_there], mask[is_there] = self.sequences.pad(rows[is_there], length)
        return values, mask


class FusedSequences(Sequences):
    """Sequences of several modalities side by side; the length of an example is its longest.

    All modalities of a batch are padded to one length, but none far beyond its own longest
    sequence, which is rounded up to a power of 2: there are few shapes to compile.

    Args:
        parts: `PartialSequences` by modality, of the same examples.
    """

    def __init__(self, parts: Mapping[str, PartialSequences]):
        self.parts = dict(parts)
        self.lengths = np.max([part.lengths for part in self.parts.values()], axis=0)
        self._longest = {
            name: 1 << int(part.lengths.max(initial=1) - 1).bit_length()
            for name, part in self.parts.items()
        }

    def take(self, indices: Any) -> "FusedSequences":
        return FusedSequences({name: part.take(indices) for name, part in self.parts.items()})

    def width(self, length: int) -> int:
        return sum(self._lengths(length).values())

    def inputs(self, indices: Any, length: int) -> dict[str, np.ndarray]:
        lengths = self._lengths(length)
        return {
            f"{name}_{one}": values
            for name, part in self.parts.items()
            for one, values in part.inputs(indices, lengths[name]).items()
        }

    def _lengths(self, length):
        return {
            name: part.fixed_length or min(length, self._longest[name])
            for name, part in self.parts.items()
        }
