"""Sequences in, a Keras model's outputs out, in their order."""

from pathlib import Path

import keras
import numpy as np

from emotion_keras.inputs.batches import PredictionBatches
from emotion_keras.inputs.embedded import VECTORS
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.machine import devices


def predict(
    model: keras.Model,
    sequences: Sequences,
    *,
    sequence_length: int,
    batch_size: int = 64,
) -> np.ndarray:
    """Probabilities of texts, in their order.

    Args:
        model: `keras.Model` from what `Sequences.inputs` gives.
        sequences: `Sequences`.
        sequence_length: Longest padded length.
        batch_size: Texts a step at most.

    Returns:
        Float array `(len(sequences), num_classes)`.
    """
    batches = PredictionBatches(
        sequences,
        batch_size=min(batch_size, len(sequences)),
        sequence_length=sequence_length,
    )
    if len(batches) == 1:  # A few texts are not worth the machinery of many batches.
        outputs = model.predict_on_batch(*batches[0])
        # With several devices on TensorFlow each has predicted all of them.
        outputs = outputs[: len(sequences)]
    elif len(devices.list_devices()) == 1:
        # On a CPU the machinery takes from the model a fifth of its time, on one core a third.
        outputs = np.concatenate([model.predict_on_batch(*batches[i]) for i in range(len(batches))])
    else:
        devices.reuse_memory()
        outputs = model.predict(batches, verbose=0)
    return batches.restore_order(np.asarray(outputs, "float32"))


def compute_vectors(
    encoder: keras.Model,
    sequences: Sequences,
    *,
    sequence_length: int,
    path: str | Path,
    batch_size: int = 64,
) -> Sequences:
    """Outputs of an encoder, a vector a token, in a file that stays on disk.

    Args:
        encoder: `keras.Model` from what `Sequences.inputs` gives to `(batch, length, dim)`.
        sequences: `Sequences`.
        sequence_length: Longest padded length.
        path: The file to hold the vectors.
        batch_size: Texts a step.

    Returns:
        `Sequences` of float32 vectors.
    """
    offsets = np.concatenate([[0], np.cumsum(np.minimum(sequences.lengths, sequence_length))])
    shape = (offsets[-1], encoder.output_shape[-1])
    vectors = np.lib.format.open_memmap(path, "w+", "float32", shape)
    batches = PredictionBatches(sequences, batch_size=batch_size, sequence_length=sequence_length)
    for index in range(len(batches)):
        (inputs,) = batches[index]
        outputs = np.asarray(encoder.predict_on_batch(inputs), "float32")
        for i, output in zip(batches.indices(index), outputs, strict=True):
            start, end = offsets[i], offsets[i + 1]
            vectors[start:end] = output[: end - start]
    return Sequences(vectors, offsets, VECTORS)
