"""The model of a finished run, on whichever backend."""

import functools

import keras
import keras_hub  # noqa: F401, with emotion_keras.layers what saved models are made of

import emotion_keras.layers  # noqa: F401
from emotion_keras import record
from emotion_keras.inference.explanation import explained_outputs, explaining_model, has_gate
from emotion_keras.inference.outputs import Outputs
from emotion_keras.inference.prediction import predict
from emotion_keras.inputs.preset_tokenizer import PresetTokenizer
from emotion_keras.inputs.word_pieces import WordPieceTokenizer
from emotion_keras.machine import devices


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
