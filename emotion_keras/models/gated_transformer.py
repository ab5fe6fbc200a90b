"""The paper's model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from emotion_keras.errors import UserError
from emotion_keras.record.options import (
    COUNT,
    COUNT_OR_NONE,
    NOT_NEGATIVE,
    PART,
    Limit,
    Options,
    option,
)

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
    gate: Literal["features", "scalar", "linear_unit", "hard_concrete"] = option(
        "features",
        "One gate a feature of a token, as in the paper; one a token, `scalar`; the gated linear "
        "unit, which gates a linear map of the vector (Dauphin et al. 2017); or one a token that "
        "can close for good, `hard_concrete` (Louizos et al. 2018): the average is that of open "
        "tokens.",
    )
    gate_after: Literal["embeddings", "blocks", "last", "first_reading"] = option(
        "last",
        "Where the gate stands: after the embeddings, after each of the blocks, or after the last. "
        "With `first_reading`, for hard_concrete alone, encoder and blocks read an example twice: "
        "the first time to set the gates, the second time only what is open.",
    )
    keep: float = option(
        1.0,
        "Share of the words that hard_concrete leaves open, on average over texts; 1 leaves it to "
        "the gate. Of features and scalar what a loss pulls the mean gate to; 1 is no loss.",
        Limit("above 0 and at most 1", lambda value: 0 < value <= 1),
    )
    keep_weight: float = option(
        2.0, "Weight of the loss by which features and scalar come near `keep`.", NOT_NEGATIVE
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
            UserError: If there is no such gate at that place, or with that pooling.
        """
        from emotion_keras.models.blocks import contextualize, end, make_blocks, pool

        self._check()
        own = self.num_layers, self.num_heads, self.intermediate_dim, self.dropout
        if self.gate == "hard_concrete":
            blocks = make_blocks(embedded, *own, dtype)
            pooled = self._select(embedded, blocks)
            return end(embedded, pooled, target, self.dropout, dtype)

        def apply_gate(vectors, name):
            return self._apply_gate(vectors, embedded, name, dtype)

        def after_block(vectors, index):
            return apply_gate(vectors, f"gate_{index}")

        vectors = embedded.vectors
        if self.gate_after == "embeddings":
            vectors = apply_gate(vectors, "gate")
        blocks = make_blocks(embedded, *own, dtype)
        between = after_block if self.gate_after == "blocks" else None
        vectors = contextualize(blocks, vectors, embedded.padding_mask, between)
        if self.gate_after == "last":
            vectors = apply_gate(vectors, "gate")
        pooled = pool(embedded, vectors, self.pooling)
        return end(embedded, pooled, target, self.dropout, dtype)

    def _check(self):
        if self.gate_after == "blocks" and self.num_layers < 1:
            raise UserError(
                "There are no blocks to put gates after: set gate_after to last, or num_layers to "
                f"1 or more. Received: num_layers={self.num_layers}"
            )
        if self.gate == "linear_unit" and self.keep < 1:
            raise UserError(
                "The gated linear unit has no share of words to keep: leave out `--keep`, or "
                f"choose another `--gate`. Received: gate='linear_unit', keep={self.keep:g}"
            )
        if self.gate != "hard_concrete" and self.gate_after == "first_reading":
            raise UserError(
                "Only a gate that closes can hide words from a second reading: set gate to "
                f"hard_concrete. Received: gate={self.gate!r}, gate_after='first_reading'"
            )
        if self.gate == "hard_concrete" and (
            self.pooling != "average" or self.gate_after == "blocks"
        ):
            raise UserError(
                "The gate hard_concrete stands after the embeddings, the last block or a first "
                "reading, and what it leaves open is averaged: set pooling to average, and "
                "gate_after to embeddings, last or first_reading. Received: "
                f"gate_after={self.gate_after!r}, pooling={self.pooling!r}"
            )

    def _select(self, embedded, blocks):
        """The average of the tokens that a gate leaves open."""
        if self.gate_after == "first_reading" and embedded.weights is not None:
            raise UserError(
                "Examples of several modalities are read once: set gate_after to last or "
                "embeddings. Received: gate_after='first_reading'"
            )
        import keras

        from emotion_keras.layers import HardConcreteGate
        from emotion_keras.models.blocks import add_up, contextualize

        # In float32 at any precision: whether a gate is closed must not depend on rounding.
        gate = HardConcreteGate(self.keep, special=embedded.special, dtype="float32", name="gate")
        vectors, mask = embedded.vectors, embedded.padding_mask
        if self.gate_after != "embeddings":
            vectors = contextualize(blocks, vectors, mask)
        gates, shares, opened = gate(vectors, mask, embedded.weights)
        if self.gate_after == "embeddings":
            gates = keras.ops.expand_dims(gates, -1)
            gated = vectors * keras.ops.cast(gates, vectors.dtype)
            vectors = contextualize(blocks, gated, opened)
        elif self.gate_after == "first_reading":
            again = embedded.read(opened) if embedded.read else embedded.vectors
            vectors = contextualize(blocks, again, opened)
        return add_up(vectors, shares)

    def _apply_gate(self, vectors, embedded, name, dtype):
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
        of_words = {}
        if self.keep < 1:
            of_words = {"padding_mask": embedded.padding_mask}
        gate = GatingLayer(
            scalar=self.gate == "scalar",
            keep=self.keep,
            keep_weight=self.keep_weight,
            special=embedded.special,
            dtype=dtype,
            name=name,
        )
        return gate(vectors, **of_words)
