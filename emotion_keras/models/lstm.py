"""The recurrent classifier."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emotion_keras.record.options import COUNT, PART, Options, option

if TYPE_CHECKING:
    import keras

    from emotion_keras.inputs.embedded import Embedded
    from emotion_keras.targets import Target


@dataclass(frozen=True, kw_only=True)
class LSTM(Options):
    """An LSTM in both directions, its last states, dropout and a dense layer.

    Hochreiter and Schmidhuber (1997); Schuster and Paliwal (1997).
    """

    units: int = option(128, "Width of the state in each direction.", COUNT)
    dropout: float = option(
        0.5, "Share of features dropped before the LSTM and before the classifier.", PART
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
        import keras

        from emotion_keras.models.blocks import end

        drop = keras.layers.Dropout(self.dropout, dtype=dtype, name="dropout_of_vectors")
        vectors = drop(embedded.vectors)
        one_way = keras.layers.LSTM(self.units, dtype=dtype)
        both = keras.layers.Bidirectional(one_way, dtype=dtype, name="lstm")
        mask = keras.ops.cast(embedded.padding_mask, "bool")
        return end(embedded, both(vectors, mask=mask), target, self.dropout, dtype)
