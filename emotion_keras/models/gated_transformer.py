"""The paper's model."""

from typing import Literal

import keras

from emotion_keras.errors import UserError
from emotion_keras.layers import GatingLayer
from emotion_keras.models.transformer import classify, encode, pool


def gated_transformer(
    embedded,
    *,
    num_classes: int,
    num_layers: int = 2,
    num_heads: int = 4,
    intermediate_dim: int = 256,
    gate: Literal["features", "scalar", "linear_unit"] = "features",
    gate_after: Literal["embeddings", "blocks", "last"] = "last",
    pooling: Literal["average", "max", "first", "attention"] = "average",
    dropout: float = 0.1,
):
    """Transformer blocks, the gate, pooling over real tokens, dropout and a dense layer.

    With its defaults, the paper's, it differs from `transformer` in the gate alone, so that their
    difference is the gate.

    Args:
        embedded: `Embedded`, the vectors to start from.
        num_classes: Number of labels.
        num_layers: Number of Transformer blocks on top of the vectors.
        num_heads: Attention heads of a block.
        intermediate_dim: Width of a block's feed-forward layer.
        gate: One gate a feature of a token, as in the paper; one a token, `scalar`; or the gated
            linear unit, which gates a linear map of the vector (Dauphin et al. 2017).
        gate_after: Where the gate stands: after the embeddings, after each of the blocks, or after
            the last.
        pooling: What becomes of the tokens' vectors: their average, the largest value of each
            feature, the first token's vector, or the average by gated attention.
        dropout: Share of features dropped in the blocks and before the classifier.

    Returns:
        `keras.Model` from `embedded.inputs` to probabilities, `(batch, num_classes)`.

    Raises:
        UserError: If gates are to be after blocks, and there are none.
    """

    def apply_gate(vectors, name="gate"):
        if gate == "linear_unit":
            dim = vectors.shape[-1]
            opened = keras.layers.Dense(dim, activation="sigmoid", name=f"{name}_opening")(vectors)
            mapped = keras.layers.Dense(dim, name=f"{name}_value")(vectors)
            return keras.layers.Multiply(name=name)([opened, mapped])
        return GatingLayer(scalar=gate == "scalar", name=name)(vectors)

    if gate_after == "blocks" and num_layers < 1:
        raise UserError(
            "There are no blocks to put gates after: set gate_after to last, or num_layers to 1 or "
            f"more. Received: num_layers={num_layers}"
        )

    def after_block(vectors, index):
        return apply_gate(vectors, f"gate_{index}")

    if gate_after == "embeddings":
        embedded = embedded._replace(vectors=apply_gate(embedded.vectors))
    blocks = num_layers, num_heads, intermediate_dim, dropout
    vectors = encode(embedded, *blocks, after_block if gate_after == "blocks" else None)
    if gate_after == "last":
        vectors = apply_gate(vectors)
    return classify(embedded, pool(embedded, vectors, pooling), num_classes, dropout)
