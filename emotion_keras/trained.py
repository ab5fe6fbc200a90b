"""The model of a finished run, on whichever backend."""

import functools
from pathlib import Path

import keras
import keras_hub  # noqa: F401, with emotion_keras.layers what saved models are made of

import emotion_keras.layers  # noqa: F401
from emotion_keras import devices, record
from emotion_keras.anchor import load_anchor, predict_probabilities
from emotion_keras.errors import UserError
from emotion_keras.explanation import explained_outputs, explaining_model, has_gate
from emotion_keras.inputs.preset_tokenizer import PresetTokenizer
from emotion_keras.inputs.word_pieces import WordPieceTokenizer
from emotion_keras.models.anchors import ANCHORS
from emotion_keras.outputs import Outputs
from emotion_keras.training import predict


class TrainedNetwork:
    """A Keras model with its tokenizer.

    Args:
        directory: Folder of a finished run.

    Attributes:
        tokenizer: The tokenizer.
        sequence_length: Longest padded length in tokens.
        can_explain: Whether it has a gate that can be explained.
    """

    num_parallel = 1  # A prediction has all cores.

    @devices.known_numbers()
    def __init__(self, directory):
        again = record.how_to_repeat(directory)
        record.check_archive(directory / record.MODEL, again)
        with record.loading(directory / record.MODEL, again):
            self.network = keras.saving.load_model(directory / record.MODEL, compile=False)
        # Unless told, Keras compiles with XLA what a model predicts, on CPU too.
        self.network.jit_compile = devices.resolve_jit("auto")
        is_of_preset = (directory / PresetTokenizer.FOLDER).exists()
        tokenizer = PresetTokenizer if is_of_preset else WordPieceTokenizer
        with record.loading(directory / tokenizer.FILE, again):
            self.tokenizer = tokenizer.load(directory)
        with record.loading(directory / record.RUN, again):
            inputs = record.read_run(directory)["inputs"]
            record.check_types(inputs, {"sequence_length": int}, "inputs")
        self.sequence_length = inputs["sequence_length"]
        self.can_explain = has_gate(self.network)

    @devices.known_numbers()
    def outputs(self, sequences, explain=False):
        """What the model says of sequences of token ids.

        Args:
            sequences: `Sequences`, none longer than `sequence_length`.
            explain: Whether gates and contributions are wanted, too.

        Returns:
            `Outputs`.
        """
        if explain:
            return explained_outputs(
                self._explaining, sequences, sequence_length=self.sequence_length
            )
        return Outputs(
            predict(
                self.network,
                sequences,
                feature="token_ids",
                sequence_length=self.sequence_length,
            )
        )

    @functools.cached_property
    def _explaining(self):
        return explaining_model(self.network)

    def probabilities(self, texts):
        """Probabilities of texts as they are, `(num_texts, num_classes)` in float32."""
        sequences = self.tokenizer.encode(texts, self.sequence_length)
        return self.outputs(sequences).probabilities


class TrainedAnchor:
    """A model of scikit-learn, which takes texts of any length as they are.

    Args:
        directory: Folder of a finished run.
    """

    tokenizer = None
    sequence_length = None
    can_explain = False
    num_parallel = 1

    def __init__(self, directory):
        self.estimator = load_anchor(directory / record.ESTIMATOR)
        self.num_classes = len(record.read_run(directory)["corpus"]["labels"])

    def probabilities(self, texts):
        """Probabilities of texts as they are, `(num_texts, num_classes)` in float32."""
        return predict_probabilities(self.estimator, texts, self.num_classes)


def load_trained(directory):
    """Loads what a run has trained; no code of the files is run.

    Args:
        directory: A finished run's folder.

    Returns:
        `TrainedNetwork` or `TrainedAnchor`.

    Raises:
        UserError: If the run is not finished, or its folder holds no model.
    """
    directory = Path(directory)
    run = record.read_run(directory)
    is_anchor = run["model"] in ANCHORS
    name = record.ESTIMATOR if is_anchor else record.MODEL
    if not (directory / name).exists():
        raise UserError(
            f"The run {directory} is kept without its model: there is no {name}. "
            f"{record.how_to_repeat(directory)}"
        )
    return (TrainedAnchor if is_anchor else TrainedNetwork)(directory)
