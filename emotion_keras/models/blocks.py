"""The blocks that models are built of, from vectors to probabilities."""

from collections.abc import Callable, Sequence

import keras
import keras_hub
from keras import KerasTensor

from emotion_keras.errors import UserError
from emotion_keras.inputs.embedded import Embedded
from emotion_keras.layers import AttentionPooling
from emotion_keras.targets import Target


def make_blocks(
    embedded: Embedded,
    num_layers: int,
    num_heads: int,
    intermediate_dim: int,
    dropout: float,
    dtype: str,
) -> list[keras.layers.Layer]:
    """Makes the blocks (Vaswani et al. 2017) that `contextualize` may apply more than once."""
    vectors = embedded.vectors
    if num_layers and num_heads > vectors.shape[-1]:
        raise UserError(
            f"The vectors have {vectors.shape[-1]} features, and every attention head needs one. "
            f"Received: num_heads={num_heads}"
        )
    blocks = []
    for index in range(num_layers):
        block = keras_hub.layers.TransformerEncoder(
            intermediate_dim=intermediate_dim,
            num_heads=num_heads,
            dropout=dropout,
            activation="gelu",
            dtype=dtype,
            name=f"block_{index}",
        )
        # One after the other: the random numbers that weights begin with come in this order.
        block.build(vectors.shape)
        blocks.append(block)
    return blocks


def contextualize(
    blocks: Sequence[keras.layers.Layer],
    vectors: KerasTensor,
    padding_mask: KerasTensor,
    after_block: Callable[[KerasTensor, int], KerasTensor] | None = None,
) -> KerasTensor:
    """Passes vectors through blocks.

    What leaves a block passes through `after_block`, if there is one: a function of the vectors and
    the block's number.
    """
    for index, block in enumerate(blocks):
        vectors = block(vectors, padding_mask=padding_mask)
        if after_block:
            vectors = after_block(vectors, index)
    return vectors


def pool(embedded: Embedded, vectors: KerasTensor, pooling: str) -> KerasTensor:
    """Makes one vector of those of real tokens."""
    # In float32 at any precision: a mean over many tokens loses most to rounding. The mask is
    # handed on by hand, because arithmetic on tensors loses it.
    mask = embedded.padding_mask
    if pooling == "average" and embedded.weights is not None:
        return add_up(vectors, embedded.weights)
    if pooling == "average":
        layer = keras.layers.GlobalAveragePooling1D(dtype="float32", name="pooling")
        return layer(vectors, mask=mask)
    if pooling == "attention":
        layer = AttentionPooling(vectors.shape[-1], dtype="float32", name="pooling")
        return layer(vectors, mask=mask)
    vectors = keras.ops.cast(vectors, "float32")
    if pooling == "first":
        if embedded.weights is not None:
            raise UserError(
                "Of several modalities the first token is that of one: choose average, max or "
                "attention with `--pooling`. Received: pooling='first'"
            )
        return vectors[:, 0]
    is_real = keras.ops.expand_dims(keras.ops.cast(mask, "bool"), -1)
    return keras.ops.max(keras.ops.where(is_real, vectors, -1e9), axis=1)


def add_up(vectors: KerasTensor, weights: KerasTensor) -> KerasTensor:
    """The sum of vectors, each of its weight, as which an average is written."""
    return keras.layers.Dot(1, dtype="float32", name="pooling")([vectors, weights])


def end(
    embedded: Embedded, pooled: KerasTensor, target: Target, dropout: float, dtype: str
) -> keras.Model:
    """Ends a model: dropout and the target's head, in float32 at any precision."""
    pooled = keras.layers.Dropout(dropout, dtype="float32", name="dropout")(pooled)
    model = keras.Model(embedded.inputs, target.head(pooled))
    model.dtype_policy = dtype  # By it Keras decides whether the loss has to be scaled.
    return model
