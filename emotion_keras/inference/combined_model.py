"""A model that combines others: the probabilities of the weighted mean of their scores."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from emotion_keras.inference.base import Model, Reading
from emotion_keras.inference.outputs import Outputs
from emotion_keras.inputs import Input
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.targets import Target


class CombinedModel(Model):
    """Models that answer together; see `Target.combine`.

    It reads cells as a whole, because its members may have different tokens. Where all of them read
    alike and can be explained, it can, too: its scores are weighted sums of theirs, and so are what
    a word adds to them.

    Args:
        members: List of `Model` with the same modality and the same labels.
        weights: List of floats by member that sums to 1.
        target: `Target` of the combination, whose decisions may be its own; that of the members
            unless given.

    Example:

    >>> from emotion_keras.inference.load import load_model
    >>> members = [load_model("runs/fit/RUN"), load_model("runs/fit/RUN")]
    >>> model = CombinedModel(members, [0.75, 0.25])
    >>> model.probabilities(["I broke her cup"]).shape
    (1, 7)
    """

    def __init__(
        self, members: Sequence[Model], weights: Sequence[float], target: Target | None = None
    ):
        self.members = tuple(members)
        self.weights = np.asarray(weights, np.float64)
        self.modality = members[0].modality
        self.target = target or members[0].target
        readers = [member.input for member in members if member.input is not None]
        # What is longer than this one reads, some member does not read to its end.
        self.input = min(readers, key=lambda reader: reader.sequence_length, default=None)
        self._reads_alike = len(readers) == len(members) and all(
            _read_alike(readers[0], reader) for reader in readers[1:]
        )
        self.can_explain = self._reads_alike and all(member.can_explain for member in members)
        self.num_parallel = min(member.num_parallel for member in members)

    def outputs(self, sequences: Sequences, explain: bool = False) -> Outputs:
        if not self._reads_alike:
            raise TypeError("Its members read differently: call `probabilities` or `read`.")
        of_members = [member.outputs(sequences, explain) for member in self.members]
        probabilities = self.target.combine([one.probabilities for one in of_members], self.weights)
        if not explain:
            return Outputs(probabilities)
        return Outputs(
            probabilities,
            self._mean_by_text([one.gate for one in of_members]),
            self._mean_by_text([one.contributions for one in of_members]),
        )

    def _mean_by_text(self, values):
        """The weighted mean over members of arrays by text."""
        return [np.tensordot(self.weights, parts, axes=1) for parts in zip(*values, strict=True)]

    def probabilities(self, cells: Sequence[Any]) -> np.ndarray:
        of_members = [member.probabilities(cells) for member in self.members]
        return self.target.combine(of_members, self.weights)

    def read(self, cells: Sequence[Any], explain: bool = False, long: str = "truncate") -> Reading:
        if self._reads_alike:
            return super().read(cells, explain, long)
        readings = [member.read(cells, long=long) for member in self.members]
        # What says nothing to one member, the others answer.
        scores = np.zeros((len(cells), len(self.target.labels)))
        weights = np.zeros(len(cells))
        for weight, (held, _, outputs) in zip(self.weights, readings, strict=True):
            if outputs is not None:
                scores[held] += weight * self.target.scores(outputs.probabilities)
                weights[held] += weight
        flags = [max(of_cell) for of_cell in zip(*(one.flags for one in readings), strict=True)]
        held = np.flatnonzero(weights)
        if not len(held):
            return Reading([], flags, None)
        probabilities = self.target.probabilities(scores[held] / weights[held, None])
        return Reading(held.tolist(), flags, Outputs(probabilities.astype("float32")))


def _read_alike(reader: Input, other: Input) -> bool:
    """Whether two inputs make the same tokens of a cell."""
    if type(reader) is not type(other) or reader.options != other.options:
        return False
    samples = list(reader.fitting_samples())
    tokens, others = reader.encode(samples).values, other.encode(samples).values
    return np.array_equal(tokens, others)
