"""What a model is made of, and what its gate makes of each token."""

from typing import Any

import keras
import numpy as np

from emotion_keras.inference.outputs import Outputs
from emotion_keras.inputs.batches import PredictionBatches
from emotion_keras.inputs.sequences import Sequences, real_tokens
from emotion_keras.layers import HardConcreteGate
from emotion_keras.targets import Target


def describe_layers(model: keras.Model) -> list[dict[str, Any]]:
    """The layers and operations of a functional model.

    Args:
        model: `keras.Model`.

    Returns:
        List of dictionaries of `name`, `type`, `inputs` (names of the layers that it takes its
        inputs from), `output_shape` (a list, in which `None` stands for any size) and `parameters`
        (their number).
    """
    # Plain operations such as a cast are no layers, and are found here alone.
    parts = {part.name: part for part in model.operations}
    return [
        {
            "name": layer["name"],
            "type": layer["class_name"],
            "inputs": list(dict.fromkeys(_sources(layer["inbound_nodes"]))),
            # Of a layer that gives a mask, too, the vectors come first.
            "output_shape": list(keras.tree.flatten(parts[layer["name"]].output)[0].shape),
            "parameters": parts[layer["name"]].count_params()
            if isinstance(parts[layer["name"]], keras.layers.Layer)
            else 0,
        }
        for layer in model.get_config()["layers"]
    ]


def _sources(node):
    """Names of the layers whose outputs stand in a part of a model's config."""
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            yield node["config"]["keras_history"][0]
            return
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for part in node:
            yield from _sources(part)


def has_gate(model: keras.Model) -> bool:
    """Whether `explain` has something to say of a model: the gate is last, the pooling average.

    `HardConcreteGate` sets what tokens count in the average, and so is last wherever it reads.
    """
    layers = {layer["name"]: layer for layer in describe_layers(model)}
    gate, pooling = (layers.get(name, {}).get("type") for name in ("gate", "pooling"))
    is_average = pooling in ("GlobalAveragePooling1D", "Dot")
    is_gate = gate in ("GatingLayer", "HardConcreteGate")
    return is_gate and is_average and "gate" in layers["pooling"]["inputs"]


def explaining_model(model: keras.Model, target: Target) -> keras.Model:
    """The model with what its gate does as further outputs.

    After the gate a model is linear up to the head's activation, so that the score of a label is a
    sum over tokens: `s_c = b_c + sum_i w_i v_i W_c`, where `v_i` is the gated vector of token `i`
    and `w_i` its weight in the average: of `n` tokens `1 / n`, of several modalities see `Fusion`,
    and of `HardConcreteGate` see there.
    Of a softmax, to which a number added to all scores makes no difference, a score is counted from
    the mean of all labels'.

    Args:
        model: `keras.Model` for which `has_gate` holds.
        target: `Target`, which says from where scores are counted.

    Returns:
        `keras.Model` of the same inputs to a dictionary of `probabilities`, `(batch, num_classes)`;
        `gate`, the mean of a token's gate over features, `(batch, length)`; and `contributions`,
        `w_i v_i W_c` counted from the mean over labels, `(batch, length, num_classes)`, which
        together with `b_c`, counted likewise, are the score. Of padding the contributions are 0.
    """
    weights = target.score_weights(model.get_layer("classifier").get_weights()[0])
    vectors, shares = _averaged(model)
    outputs = {
        "probabilities": model.output,
        "gate": _gates(model.get_layer("gate")),
        "contributions": keras.ops.matmul(vectors, weights)
        * keras.ops.expand_dims(shares, axis=-1),
    }
    explaining = keras.Model(model.input, outputs)
    explaining.jit_compile = model.jit_compile
    return explaining


def _gates(gate):
    """The gate of each token, of several features their mean."""
    if isinstance(gate, HardConcreteGate):
        return gate.output[0]
    return keras.ops.mean(gate.gate(gate.input), axis=-1)


def _averaged(model):
    """The vectors that are averaged, and what each counts."""
    pooling = model.get_layer("pooling")
    if isinstance(pooling, keras.layers.Dot):
        return pooling.input
    mask = keras.ops.cast(model.input["padding_mask"], "float32")
    vectors, *_ = keras.tree.flatten(pooling.input)
    return vectors, mask / keras.ops.sum(mask, axis=-1, keepdims=True)


def explained_outputs(
    explaining: keras.Model,
    sequences: Sequences,
    *,
    sequence_length: int,
    batch_size: int = 64,
) -> Outputs:
    """What a model predicts, with what its gate does to each token.

    Args:
        explaining: What `explaining_model` returned; the backend compiles each new one.
        sequences: `Sequences`.
        sequence_length: Longest padded length.
        batch_size: Texts a step.

    Returns:
        `Outputs`.
    """
    batches = PredictionBatches(
        sequences,
        batch_size=min(batch_size, len(sequences)),
        sequence_length=sequence_length,
    )
    rows = [None] * len(sequences)
    for index in range(len(batches)):
        (inputs,) = batches[index]
        outputs = explaining.predict_on_batch(inputs)
        outputs = [np.asarray(outputs[name], "float32") for name in Outputs._fields]
        for i, is_real, probabilities, gate, contributions in zip(
            batches.indices(index), real_tokens(inputs), *outputs, strict=True
        ):
            rows[i] = probabilities, gate[is_real], contributions[is_real]
    probabilities, gates, contributions = zip(*rows, strict=True)
    return Outputs(np.stack(probabilities), list(gates), list(contributions))
