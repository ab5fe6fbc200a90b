"""Batches of like length, made from sequences of any length."""

import math
from collections.abc import Callable

import keras
import numpy as np

from emotion_keras.inputs.sequences import Sequences

# Few, so that a compiled training step is made once each; close together where most texts are.
LENGTHS = (8, 16, 24, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512)

# Where a new length costs no compilation, less padding is worth more than few lengths.
_MULTIPLE = 4

# An epoch's order is sorted by length within windows of so many batches: wide enough that a batch
# holds texts of like length, narrow enough that the order stays random.
_WINDOW = 50


def bucket_length(length: int, longest: int, compiled: bool = True) -> int:
    """The padded length for sequences of up to `length` items.

    Args:
        length: Integer, items of the longest sequence.
        longest: Integer, more than this it never is.
        compiled: Whether each padded length costs a compilation: few are used then.

    Returns:
        Integer.
    """
    if compiled:
        bucket = next((bucket for bucket in LENGTHS if bucket >= length), longest)
    else:
        bucket = math.ceil(length / _MULTIPLE) * _MULTIPLE
    return min(bucket, longest)


class TrainingBatches(keras.utils.PyDataset):
    """Batches of like length, in an order that follows from `(seed, epoch)` alone.

    Every batch has `batch_size` texts, so that no step is compiled again for a remainder: an epoch
    shows each text once, and at its end as many a second time as fill the last batch.

    Args:
        sequences: `Sequences`.
        targets: Array `(len(sequences), ...)`, what the loss compares the output with.
        batch_size: Integer; not more than there are sequences is used.
        sequence_length: Integer, longest padded length; longer sequences are cut.
        seed: Integer.
        sample_weight: Optional float array `(len(sequences),)`.
        compiled: Whether the training step is compiled, once for each padded length.
        resample: Optional function of the epoch, counted from 0, that gives the `Sequences` to show
            in place of `sequences`, as many.
    """

    def __init__(
        self,
        sequences: Sequences,
        targets: np.ndarray,
        *,
        batch_size: int,
        sequence_length: int,
        seed: int,
        sample_weight: np.ndarray | None = None,
        compiled: bool = True,
        resample: Callable[[int], Sequences] | None = None,
    ):
        super().__init__()
        self.sequences = sequences
        self.targets = targets
        self.batch_size = min(batch_size, len(sequences))
        self.sequence_length = sequence_length
        self.seed = seed
        self.sample_weight = sample_weight
        self.compiled = compiled
        self.resample = resample
        self.set_epoch(0)
        # Keras on TensorFlow takes the shape of all batches from the first two, before the first
        # epoch: if all are of one length there, and another comes up later, it must see both.
        shortest, longest = self._lengths.argmin(), self._lengths.argmax()
        if resample:  # Which lengths come up later is not known.
            shortest, longest = 0, len(sequences) - 1
            self._lengths[[shortest, longest]] = 1, sequence_length
        lengths = {self._padded_length(indices) for indices in self._batches}
        unseen = len(lengths) == 1 and self._padded_length([shortest]) not in lengths
        if len(self) > 1 and (resample or unseen):
            self._batches[:2] = [np.full(self.batch_size, i) for i in (shortest, longest)]

    def set_epoch(self, epoch: int) -> None:
        """Lays out the batches of an epoch, counted from 0."""
        if self.resample:
            self.sequences = self.resample(epoch)
        self._lengths = np.minimum(self.sequences.lengths, self.sequence_length)
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.sequences))
        missing = -len(order) % self.batch_size
        order = np.concatenate([order, order[:missing]])
        window = self.batch_size * _WINDOW
        batches = []
        for start in range(0, len(order), window):
            part = order[start : start + window]
            part = part[np.argsort(self._lengths[part], kind="stable")]
            batches.extend(part.reshape(-1, self.batch_size))
        batches = [batches[i] for i in rng.permutation(len(batches))]
        self._batches = _unequal_first(batches, self._padded_length)

    def _padded_length(self, indices):
        if self.resample and len(self.sequences) == self.batch_size:
            return self.sequence_length  # One batch has one length, or Keras refuses the next.
        longest = self._lengths[indices].max()
        return bucket_length(longest, self.sequence_length, self.compiled)

    def __len__(self):
        return len(self._batches)

    def num_tokens(self) -> int:
        """Positions that the epoch computes, padding included."""
        return sum(map(self.num_tokens_of, range(len(self))))

    def num_tokens_of(self, index: int) -> int:
        """Positions that one of its batches computes, padding included."""
        length = self._padded_length(self._batches[index])
        return self.batch_size * self.sequences.width(length)

    def __getitem__(self, index):
        indices = self._batches[index]
        inputs = self.sequences.inputs(indices, self._padded_length(indices))
        batch = (inputs, self.targets[indices])
        if self.sample_weight is not None:
            batch += (self.sample_weight[indices],)
        return batch


class PredictionBatches(keras.utils.PyDataset):
    """All sequences from short to long, for `predict`; the last batch is filled up.

    Args:
        sequences: `Sequences`.
        batch_size: Integer.
        sequence_length: Integer, longest padded length; longer sequences are cut.
    """

    def __init__(self, sequences: Sequences, *, batch_size: int, sequence_length: int):
        super().__init__()
        self.sequences = sequences
        self.sequence_length = sequence_length
        lengths = np.minimum(sequences.lengths, sequence_length)
        order = np.argsort(lengths, kind="stable")
        self._order = order
        order = np.concatenate([order, np.repeat(order[-1:], -len(order) % batch_size)])
        self._lengths = lengths
        self._batches = _unequal_first(order.reshape(-1, batch_size), self._padded_length)

    def _padded_length(self, indices):
        return bucket_length(self._lengths[indices].max(), self.sequence_length)

    def __len__(self):
        return len(self._batches)

    def __getitem__(self, index):
        indices = self._batches[index]
        return (self.sequences.inputs(indices, self._padded_length(indices)),)

    def indices(self, index: int) -> np.ndarray:
        """Which sequences a batch holds."""
        return self._batches[index]

    def restore_order(self, outputs: np.ndarray) -> np.ndarray:
        """Puts rows that were predicted batch by batch back into the sequences' order."""
        restored = np.empty((len(self.sequences), *outputs.shape[1:]), outputs.dtype)
        # A sequence that filled up the last batch was predicted twice, to the same result.
        restored[np.concatenate(self._batches)] = outputs
        return restored


def _unequal_first(batches, padded_length):
    """Moves a batch of another length to the second place.

    Keras on TensorFlow takes the shape of all batches from the first two: if they are of one
    length, it refuses any other.
    """
    batches = list(batches)
    for i in range(1, len(batches)):
        if padded_length(batches[i]) != padded_length(batches[0]):
            batches[1], batches[i] = batches[i], batches[1]
            break
    return batches
