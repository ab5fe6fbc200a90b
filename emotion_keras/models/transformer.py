"""The plain Transformer classifier."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from emotion_keras.record.options import COUNT, COUNT_OR_NONE, PART, Options, option

if TYPE_CHECKING:
    import keras

    from emotion_keras.inputs.embedded import Embedded
    from emotion_keras.targets import Target


@dataclass(frozen=True, kw_only=True)
class Transformer(Options):
    """Transformer blocks, pooling over real tokens, dropout and a dense layer."""

    num_layers: int = option(
        2, "Number of Transformer blocks on top of the vectors.", COUNT_OR_NONE
    )
    num_heads: int = option(4, "Attention heads of a block.", COUNT)
    intermediate_dim: int = option(256, "Width of a block's feed-forward layer.", COUNT)
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
        """
        from emotion_keras.models.blocks import contextualize, end, make_blocks, pool

        own = self.num_layers, self.num_heads, self.intermediate_dim, self.dropout
        blocks = make_blocks(embedded, *own, dtype)
        vectors = contextualize(blocks, embedded.vectors, embedded.padding_mask)
        pooled = pool(embedded, vectors, self.pooling)
        return end(embedded, pooled, target, self.dropout, dtype)
