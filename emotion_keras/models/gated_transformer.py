"""The paper's model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from emotion_keras.errors import UserError
from emotion_keras.record.options import COUNT, COUNT_OR_NONE, PART, Options, option

if TYPE_CHECKING:
    import keras

    from emotion_keras.inputs.embedded import Embedded
    from emotion_keras.targets import Target


@dataclass(frozen=True, kw_only=True)
class GatedTransformer(Options):
    """Transformer blocks, the gate, pooling over real tokens, dropout and a dense layer.

    With its defaults, the paper's, it differs from `Transformer` in the gate alone, so that their
    difference is the gate.
    """

    num_layers: int = option(
        2, "Number of Transformer blocks on top of the vectors.", COUNT_OR_NONE
    )
    num_heads: int = option(4, "Attention heads of a block.", COUNT)
    intermediate_dim: int = option(256, "Width of a block's feed-forward layer.", COUNT)
    gate: Literal["features", "scalar", "linear_unit"] = option(
        "features",
        "One gate a feature of a token, as in the paper; one a token, `scalar`; or the gated "
        "linear unit, which gates a linear map of the vector (Dauphin et al. 2017).",
    )
    gate_after: Literal["embeddings", "blocks", "last"] = option(
        "last",
        "Where the gate stands: after the embeddings, after each of the blocks, or after the last.",
    )
    pooling: Literal["average", "max", "first", "attention"] = option(
        "average",
        "What becomes of the tokens' vectors: their average, the largest value of each feature, "
        "the first token's vector, or the average by gated attention.",
    )
    dropout: float = option(
        0.1, "Share of features dropped in the blocks and before the classifier.", PART
    )

    def build(
        self, embedded: "Embedded", target: "Target", dtype: str = "float32"
    ) -> "keras.Model":
        """Builds the model.

        Args:
            embedded: `Embedded`, the vectors to start from.
            target: `Target`, which ends the model.
            dtype: Name of the Keras dtype policy of its layers.

        Returns:
            `keras.Model` from `embedded.inputs` to probabilities, `(batch, num_labels)`.

        Raises:
            UserError: If gates are to be after blocks, and there are none.
        """
        from emotion_keras.models.blocks import encode, end, pool

        if self.gate_after == "blocks" and self.num_layers < 1:
            raise UserError(
                "There are no blocks to put gates after: set gate_after to last, or num_layers to "
                f"1 or more. Received: num_layers={self.num_layers}"
            )

        def after_block(vectors, index):
            return self._apply_gate(vectors, f"gate_{index}", dtype)

        if self.gate_after == "embeddings":
            embedded = embedded._replace(vectors=self._apply_gate(embedded.vectors, "gate", dtype))
        blocks = self.num_layers, self.num_heads, self.intermediate_dim, self.dropout
        between = after_block if self.gate_after == "blocks" else None
        vectors = encode(embedded, *blocks, dtype, between)
        if self.gate_after == "last":
            vectors = self._apply_gate(vectors, "gate", dtype)
        pooled = pool(embedded, vectors, self.pooling)
        return end(embedded, pooled, target, self.dropout, dtype)

    def _apply_gate(self, vectors, name, dtype):
        import keras

        from emotion_keras.layers import GatingLayer

        if self.gate == "linear_unit":
            dim = vectors.shape[-1]
            opening = keras.layers.Dense(
                dim, activation="sigmoid", dtype=dtype, name=f"{name}_opening"
            )
            value = keras.layers.Dense(dim, dtype=dtype, name=f"{name}_value")
            multiply = keras.layers.Multiply(dtype=dtype, name=name)
            return multiply([opening(vectors), value(vectors)])
        return GatingLayer(scalar=self.gate == "scalar", dtype=dtype, name=name)(vectors)
