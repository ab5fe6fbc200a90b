"""The model of a finished run, ready to predict."""

from pathlib import Path

import joblib
import keras
import keras_hub  # noqa: F401, with emotion_keras.layers what saved models are made of

import emotion_keras.layers  # noqa: F401
from emotion_keras import devices, record
from emotion_keras.anchor import predict_probabilities
from emotion_keras.errors import UserError
from emotion_keras.inputs.preset_tokenizer import PresetTokenizer
from emotion_keras.inputs.word_pieces import WordPieceTokenizer
from emotion_keras.models.anchors import ANCHORS
from emotion_keras.training import predict


def load_predictor(directory):
    """Loads what a run has trained, on whichever backend it was.

    A model of scikit-learn is stored as Python's pickle, which runs code when it is loaded: load
    only runs that you trust.

    Args:
        directory: A finished run's folder.

    Returns:
        Function from a list of texts to probabilities, `(num_texts, num_classes)` in float32.

    Raises:
        UserError: If the run is not finished, or its folder holds no model.
    """
    directory = Path(directory)
    run = record.read_run(directory)
    name = record.ESTIMATOR if run["model"] in ANCHORS else record.MODEL
    if not (directory / name).exists():
        raise UserError(
            f"The run {directory} is kept without its model: there is no {name}. Train it anew: "
            f"python -m emotion_keras.fit --from-run {directory}"
        )
    if run["model"] in ANCHORS:
        estimator, num_classes = joblib.load(directory / name), len(run["corpus"]["labels"])
        return lambda texts: predict_probabilities(estimator, texts, num_classes)
    model = keras.saving.load_model(directory / name, compile=False)
    # Unless told, Keras compiles with XLA what a model predicts, on CPU too.
    model.jit_compile = devices.resolve_jit("auto")
    tokenizer = _load_tokenizer(directory)
    sequence_length = run["inputs"]["sequence_length"]

    def predictor(texts):
        sequences = tokenizer.encode(texts, sequence_length)
        return predict(model, sequences, feature="token_ids", sequence_length=sequence_length)

    return predictor


def _load_tokenizer(directory):
    has_word_pieces = (directory / WordPieceTokenizer.FILE).exists()
    return (WordPieceTokenizer if has_word_pieces else PresetTokenizer).load(directory)
