"""A model that answers: the one face of a network, a baseline and an exported model."""

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emotion_keras.inference.outputs import Explanation, Outputs, explain_units, unit_names
from emotion_keras.inputs import Input
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.targets import Target


class Reading(NamedTuple):
    """What a model has read of cells, and what it says of them.

    Args:
        held: Positions of the cells that say something to the model, ascending.
        flags: By cell `"truncated"`, `"split"` or `""`.
        outputs: `Outputs` of the cells that are held; `None` where there are none.
    """

    held: Sequence[int]
    flags: list[str]
    outputs: Outputs | None


class Model(abc.ABC):
    """A model that answers, whether it was just trained, is loaded from a run or was exported.

    Predictors, the service, explanations, exports and measurements of a run know no more of it.

    Attributes:
        modality: Class of the `Input` that reads its cells.
        input: The `Input` that has learned from the training split; `None` of a baseline, which
            takes cells as they are.
        target: The `Target`, the kind of label that it gives.
        can_explain: Whether it says what its gate does to each token.
        has_gradients: Whether it has `integrate_gradients`.
        num_parallel: How many threads may ask at the same time.
    """

    modality: type[Input]
    input: Input | None
    target: Target
    can_explain: bool = False
    has_gradients: bool = False
    num_parallel: int = 1

    @abc.abstractmethod
    def outputs(self, sequences: Sequences, explain: bool = False) -> Outputs:
        """What the model says of encoded examples.

        Args:
            sequences: `Sequences`, none longer than the input's `sequence_length`.
            explain: Whether gates and contributions are wanted, too.
        """

    def probabilities(self, cells: Sequence[Any]) -> np.ndarray:
        """Probabilities of prepared cells, `(num_examples, num_labels)` in float32, unscaled."""
        return self.outputs(self.input.encode(cells)).probabilities

    def read(self, cells: Sequence[Any], explain: bool = False, long: str = "truncate") -> Reading:
        """Reads prepared cells of any length.

        Args:
            cells: The cells.
            explain: Whether gates and contributions are wanted, too.
            long: What becomes of a cell of more tokens than `sequence_length`: `"truncate"` reads
                its beginning, `"split"` averages over windows, each weighted by its tokens.

        Returns:
            `Reading`.
        """
        if self.input is None:
            outputs = Outputs(self.probabilities(cells))
            return Reading(range(len(cells)), [""] * len(cells), outputs)
        reader = self.input
        sequences, is_long = reader.encode_and_mark(cells)
        flag = "truncated" if long == "truncate" else "split"
        flags = [flag if is_one else "" for is_one in is_long]
        cell_of = np.arange(len(cells))
        if is_long.any() and long == "split":
            sequences, cell_of = reader.windows(cells)
        is_silent = reader.are_silent(sequences)
        if is_silent.any():
            sequences, cell_of = sequences.take(np.flatnonzero(~is_silent)), cell_of[~is_silent]
        if not len(sequences):
            return Reading([], flags, None)
        outputs = self.outputs(sequences, explain)
        held, starts = np.unique(cell_of, return_index=True)
        if len(held) < len(cell_of):
            lengths = sequences.lengths[:, None]
            sums = np.add.reduceat(outputs.probabilities * lengths, starts)
            outputs = Outputs(sums / np.add.reduceat(lengths, starts))
        return Reading(held.tolist(), flags, outputs)

    def explain(self, cells: Sequence[Any]) -> list[Explanation]:
        """What the units of prepared cells add to the labels' scores; see `explain_units`."""
        outputs = self.outputs(self.input.encode(cells), explain=True)
        return explain_units(self.input, cells, outputs, self.target)

    def units(self, cells: Sequence[Any]) -> list[list[str]]:
        """The units of prepared cells without special ones; none where it takes cells whole."""
        if self.input is None:
            return [self.modality.pieces(cell) for cell in cells]
        return unit_names(self.input.units(cells), self.input.special_units)

    def integrate_gradients(self, cells: Sequence[Any]) -> list[np.ndarray]:
        """What each unit of prepared cells adds to the score of the label that is predicted.

        Returns:
            List, by cell, of float arrays `(num_units,)`; see `integrated_gradients`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no gradients")


class TrainedModel(Model):
    """A model with what only training and records need to know."""

    @property
    @abc.abstractmethod
    def num_parameters(self) -> int:
        """The number of numbers that it has learned."""

    @property
    @abc.abstractmethod
    def layers(self) -> list[dict] | None:
        """What `describe_layers` returns; `None` of a baseline."""

    @abc.abstractmethod
    def save(self, directory: Path) -> None:
        """Writes it to a run's folder, from which `load_model` reads it."""

    @property
    def state(self) -> dict:
        """What the record has to hold so that the learned state of the input can be loaded."""
        return {} if self.input is None else self.input.state()
