"""Turns a Keras model into one of ONNX, with Transformer blocks that ONNX Runtime is fast at."""

import contextlib
import io
import logging
import re
import tempfile
import warnings
from pathlib import Path

import keras
import keras_hub
import numpy as np
import onnx
from onnx import helper, numpy_helper

from emotion_keras.layers import BiasedTransformerEncoder, RelativePositionBias

# LayerNormalization is an operator from 17 on; the converter knows up to 18.
_OPSET = 18
_OF_RUNTIME = "com.microsoft"  # Operators that ONNX Runtime has beyond the standard.
_ACTIVATIONS = {
    "gelu": ("Gelu", _OF_RUNTIME),
    "keras_hub>gelu_approximate": ("FastGelu", _OF_RUNTIME),
    "relu": ("Relu", ""),
}
_MARK = "marked_block_"
_BIAS = "bias_of_positions"


class _Mark(keras.layers.Layer):
    """Stands for a Transformer block while the rest of a model is converted.

    It becomes an operator that no layer of ours becomes, `Pow`, from the block's vectors and its
    mask to vectors of the same shape.
    """

    def call(self, inputs, padding_mask, bias=None):
        mask = keras.ops.cast(keras.ops.expand_dims(padding_mask, -1), "float32")
        return keras.ops.power(inputs, mask)


def to_onnx(model: keras.Model) -> onnx.ModelProto:
    """Converts a functional model; only with the TensorFlow backend.

    What the general conversion makes of a Transformer block are many small operators, which cost a
    fifth of the time of a single text, and in int8 most of it. So it does not see the blocks: they
    are written in operators that ONNX Runtime computes as a whole.

    Args:
        model: `keras.Model` of named inputs to a dictionary of outputs.

    Returns:
        `onnx.ModelProto` with the model's inputs and outputs by their names, for any number of
        examples of any length.
    """
    blocks, biases = [], []

    def mark(layer):
        if isinstance(layer, RelativePositionBias):
            biases.append((layer, RelativePositionBias.from_config(layer.get_config())))
            return biases[-1][1]
        if not _is_block(layer):
            return layer
        blocks.append(layer)
        return _Mark(name=f"{_MARK}{len(blocks)}")

    # Recursive: a pretrained encoder is a model within the model.
    marked = keras.models.clone_model(model, clone_function=mark, recursive=True)
    for layer, copy in biases:
        copy.set_weights(layer.get_weights())
        # An output, since no mark depends on it: all blocks of an encoder share one.
        marked = keras.Model(marked.input, {**marked.output, _BIAS: copy.output})
    converted = _convert(marked)
    outputs = [output for output in converted.graph.output if output.name != _BIAS]
    nodes, constants = [], {}
    for node in converted.graph.node:
        number = re.search(f"{_MARK}([0-9]+)", node.name)
        if node.op_type == "Pow" and number:
            block = blocks[int(number[1]) - 1]
            # A block may be applied twice, with the same weights.
            vectors, mask = node.input
            own_nodes, own_constants = _block(block, node.name, vectors, mask, node.output[0])
            nodes += own_nodes
            constants |= {constant.name: constant for constant in own_constants}
        else:
            nodes.append(node)
    graph = helper.make_graph(
        nodes,
        "emotion_keras",
        list(converted.graph.input),
        outputs,
        [*converted.graph.initializer, *constants.values()],
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_OF_RUNTIME, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=converted.ir_version)


def input_signature(model: keras.Model) -> list[dict[str, keras.InputSpec]]:
    """The inputs of a functional model as `keras.Model.export` takes them."""
    return [
        {
            name: keras.InputSpec(shape=tensor.shape, dtype=tensor.dtype, name=name)
            for name, tensor in model.input.items()
        }
    ]


def _is_block(layer):
    return (
        isinstance(layer, (keras_hub.layers.TransformerEncoder, BiasedTransformerEncoder))
        and not layer.normalize_first
        and _activation(layer) in _ACTIVATIONS
    )


def _activation(layer):
    """Name of a block's activation."""
    found = keras.activations.serialize(layer.activation)
    return found["config"] if isinstance(found, dict) else found


def _convert(model):
    """Keras's own conversion, without what its libraries print."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        with contextlib.redirect_stdout(io.StringIO()):
            model.export(
                path,
                format="onnx",
                input_signature=input_signature(model),
                opset_version=_OPSET,
                verbose=False,
            )
        return onnx.load(path)


def _block(layer, prefix, vectors, mask, output):
    """A Transformer block (Vaswani et al. 2017) as nodes and constants of a graph.

    Args:
        layer: `keras_hub.layers.TransformerEncoder`, or `BiasedTransformerEncoder`, for which the
            graph has an output `_BIAS`.
        prefix: What the names of its nodes begin with; those of constants begin with the layer's.
        vectors: Name of what goes in.
        mask: Name of the mask as `_Mark` makes it, `(batch, length, 1)` of float32.
        output: Name of what comes out.
    """
    nodes, constants = [], []
    (
        *projections,
        output_kernel,
        output_bias,
        gamma,
        beta,
        last_gamma,
        last_beta,
        inner_kernel,
        inner_bias,
        outer_kernel,
        outer_bias,
    ) = layer.get_weights()
    dim = projections[0].shape[0]
    # One product for queries, keys and values: their heads lie side by side.
    kernel = np.concatenate([part.reshape(dim, -1) for part in projections[::2]], axis=1)
    bias = np.concatenate([part.reshape(-1) for part in projections[1::2]])

    def constant(name, value):
        constants.append(numpy_helper.from_array(value, f"{layer.name}/{name}"))
        return constants[-1].name

    def apply(operator, inputs, name, domain="", **attributes):
        outputs = [f"{prefix}/{one}" for one in name.split()]
        # Quantization tells nodes by their names.
        nodes.append(
            helper.make_node(operator, inputs, outputs, outputs[0], domain=domain, **attributes)
        )
        return outputs[0] if len(outputs) == 1 else outputs

    def dense(inputs, name, kernel, bias):
        product = apply("MatMul", [inputs, constant(f"{name}_kernel", kernel)], f"{name}_product")
        return apply("Add", [product, constant(f"{name}_bias", bias)], name)

    def add_and_normalize(first, second, name, gamma, beta):
        inputs = [apply("Add", [first, second], f"{name}_sum")]
        inputs += [constant(f"{name}_gamma", gamma), constant(f"{name}_beta", beta)]
        return apply("LayerNormalization", inputs, name, epsilon=layer.layer_norm_epsilon)

    axis = constant("mask_axis", np.array([-1]))
    mask = apply("Squeeze", [mask, axis], "float_mask")
    mask = apply("Cast", [mask], "mask", to=onnx.TensorProto.INT32)
    projected = apply("MatMul", [vectors, constant("projection_kernel", kernel)], "projection")
    heads = apply("Split", [projected], "query key value", axis=-1, num_outputs=3)
    inputs = [*heads, constant("projection_bias", bias), mask]
    if isinstance(layer, BiasedTransformerEncoder):
        axis = constant("bias_axis", np.array([0]))
        inputs.append(apply("Unsqueeze", [_BIAS, axis], "position_bias"))
    attended = apply(
        "MultiHeadAttention",
        inputs,
        "attention",
        _OF_RUNTIME,
        num_heads=layer.num_heads,
    )
    attended = dense(attended, "attention_output", output_kernel.reshape(-1, dim), output_bias)
    attended = add_and_normalize(attended, vectors, "attention_norm", gamma, beta)
    operator, domain = _ACTIVATIONS[_activation(layer)]
    inner = dense(attended, "inner", inner_kernel, inner_bias)
    inner = apply(operator, [inner], "activation", domain)
    outer = dense(inner, "outer", outer_kernel, outer_bias)
    normalized = add_and_normalize(outer, attended, "norm", last_gamma, last_beta)
    nodes.append(helper.make_node("Identity", [normalized], [output]))
    return nodes, constants
