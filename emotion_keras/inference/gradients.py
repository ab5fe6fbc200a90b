"""Integrated gradients: what each token adds to a score, of any network and on any backend."""

import keras
import numpy as np

from emotion_keras.inputs import Input
from emotion_keras.inputs.batches import PredictionBatches
from emotion_keras.inputs.sequences import Sequences, real_tokens
from emotion_keras.machine import devices
from emotion_keras.targets import Target

# Places on the way from no vectors to those of the text.
NUM_STEPS = 16


def integrated_gradients(
    network: keras.Model,
    reader: Input,
    target: Target,
    sequences: Sequences,
    class_ids: np.ndarray,
    *,
    num_steps: int = NUM_STEPS,
    batch_size: int = 16,
) -> list[np.ndarray]:
    """What each token adds to the score of a label, counted from vectors that are all 0.

    After Sundararajan et al. 2017 («Axiomatic Attribution for Deep Networks»): the gradient of the
    score by the vectors that the network looks up for tokens or takes, such as frames of sound,
    averaged along the straight way from zeros to these vectors, times the vectors. What it gives
    for the tokens of a text adds up to the difference that the vectors make to the score, unless
    layers normalize their inputs: what they make of zeros is no limit of what they make of small
    vectors.

    Args:
        network: `keras.Model`.
        reader: Its `Input`.
        target: Its `Target`.
        sequences: `Sequences` of what the network takes.
        class_ids: Integer array `(num_texts,)`, the label of each.
        num_steps: Places on the way at which the gradient is taken.
        batch_size: Texts a step; what a gradient passes back through takes memory.

    Returns:
        List, by text, of float arrays `(length,)`.
    """
    tensors = _find_vectors(network, reader)
    embed = keras.Model(network.input, tensors)
    classify = keras.Model(tensors, network.output)
    batches = PredictionBatches(
        sequences,
        batch_size=min(batch_size, len(sequences)),
        sequence_length=reader.sequence_length,
    )

    def score(vectors, labels, *others):
        probabilities = classify([vectors, *others], training=False)
        return keras.ops.sum(_scores(probabilities, target) * labels)

    slope = devices.gradient(score)
    places = (np.arange(num_steps) + 0.5) / num_steps
    chosen = np.eye(len(target.labels), dtype="float32")[class_ids]
    found: list[np.ndarray] = [np.zeros(0)] * len(sequences)
    for index in range(len(batches)):
        (inputs,) = batches[index]
        labels = chosen[batches.indices(index)]
        values, *others = map(np.asarray, embed.predict_on_batch(inputs))
        values = values.astype("float32")
        total = sum(slope((place * values).astype("float32"), labels, *others) for place in places)
        of_tokens = (values * total / num_steps).sum(axis=-1)
        for i, row, is_real in zip(
            batches.indices(index), of_tokens, real_tokens(inputs), strict=True
        ):
            found[i] = row[is_real]
    return found


def _find_vectors(network, reader):
    """The first vectors of a network, and what it knows of them: a list of tensors.

    The vectors are its input, or what it makes of the token ids in it; of several modalities, where
    they meet.
    """
    if "fusion" in [layer.name for layer in network.layers]:
        return list(network.get_layer("fusion").output)
    feature, mask = network.input[reader.feature], network.input["padding_mask"]
    if "float" in feature.dtype:
        return [feature, mask]
    layers = (layer for layer in network.layers if layer.weights)
    return [next(layer.output for layer in layers if len(layer.output.shape) == 3), mask]


def _scores(probabilities, target):
    """What `Target.scores` computes, of tensors."""
    ops = keras.ops
    logs = ops.log(ops.maximum(probabilities, 1e-30))
    if target.activation == "softmax":
        return logs - ops.mean(logs, axis=-1, keepdims=True)
    return logs - ops.log(ops.maximum(1 - probabilities, 1e-30))
