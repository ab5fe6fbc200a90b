"""The recurrent classifier."""

from dataclasses import dataclass

from emotion_keras.record.options import COUNT, PART, Options, option


@dataclass(frozen=True, kw_only=True)
class LSTM(Options):
    """An LSTM in both directions, its last states, dropout and a dense layer.

    Hochreiter and Schmidhuber (1997); Schuster and Paliwal (1997).
    """

    units: int = option(128, "Width of the state in each direction.", COUNT)
    dropout: float = option(
        0.5, "Share of features dropped before the LSTM and before the classifier.", PART
    )

    def build(self, embedded, num_classes: int):
        """Builds the model.

        Args:
            embedded: `Embedded`, the vectors to start from.
            num_classes: Number of labels.

        Returns:
            `keras.Model` from `embedded.inputs` to probabilities, `(batch, num_classes)`.
        """
        import keras

        from emotion_keras.models.blocks import classify

        vectors = keras.layers.Dropout(self.dropout, name="dropout_of_vectors")(embedded.vectors)
        both = keras.layers.Bidirectional(keras.layers.LSTM(self.units), name="lstm")
        mask = keras.ops.cast(embedded.padding_mask, "bool")
        return classify(embedded, both(vectors, mask=mask), num_classes, self.dropout)
