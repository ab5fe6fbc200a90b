"""A Keras model that answers, on whichever backend."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import keras_hub  # noqa: F401, with emotion_keras.layers what saved models are made of
import numpy as np

import emotion_keras.layers  # noqa: F401
from emotion_keras import record
from emotion_keras.inference.base import TrainedModel
from emotion_keras.inference.explanation import (
    describe_layers,
    explained_outputs,
    explaining_model,
    has_gate,
)
from emotion_keras.inference.gradients import integrated_gradients
from emotion_keras.inference.outputs import Outputs, merge_tokens
from emotion_keras.inference.prediction import predict
from emotion_keras.inputs import Input, load_input
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.machine import devices
from emotion_keras.targets import Target, target_of


class KerasModel(TrainedModel):
    """A Keras model with its input and its target.

    Args:
        network: `keras.Model` from what `Sequences.inputs` gives to probabilities.
        input: `Input` that has learned from the training split.
        target: `Target`.
    """

    has_gradients = True

    def __init__(self, network: keras.Model, input: Input, target: Target):
        self.network = network
        self.modality = type(input)
        self.input = input
        self.target = target
        self.can_explain = has_gate(network)

    @classmethod
    @devices.known_numbers()
    @devices.chosen_kernels()
    def load(cls, directory: Path, run: dict) -> "KerasModel":
        """Loads the model of a finished run.

        Args:
            directory: The run's folder.
            run: Its record.

        Raises:
            UserError: If a file is missing or damaged.
        """
        again = record.how_to_repeat(directory)
        record.check_archive(directory / record.MODEL, again)
        with record.loading(directory / record.MODEL, again):
            network = keras.saving.load_model(directory / record.MODEL, compile=False)
        # Unless it is set, Keras compiles with XLA what a model predicts, on CPU too.
        network.jit_compile = devices.resolve_jit("auto")
        return cls(network, load_input(directory, run, again), target_of(run))

    @devices.known_numbers()
    @devices.chosen_kernels()
    def outputs(self, sequences: Sequences, explain: bool = False) -> Outputs:
        if explain:
            return explained_outputs(
                self._explaining,
                sequences,
                sequence_length=self.input.sequence_length,
            )
        return Outputs(predict(self.network, sequences, sequence_length=self.input.sequence_length))

    @devices.known_numbers()
    @devices.chosen_kernels()
    def integrate_gradients(self, cells: Sequence[Any]) -> list[np.ndarray]:
        sequences = self.input.encode(cells)
        probabilities = self.outputs(sequences).probabilities
        class_ids = self.target.explained(probabilities)
        of_tokens = integrated_gradients(
            self.network, self.input, self.target, sequences, class_ids
        )
        units, special = self.input.units(cells), self.input.special_units
        return merge_tokens(units, special, of_tokens, np.sum)

    @functools.cached_property
    def _explaining(self):
        return explaining_model(self.network, self.target)

    @property
    def num_parameters(self) -> int:
        return self.network.count_params()

    @property
    def layers(self) -> list[dict]:
        return describe_layers(self.network)

    def save(self, directory: Path) -> None:
        self.network.save(directory / record.MODEL)
        self.input.save(directory)
