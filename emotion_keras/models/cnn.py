"""The convolutional classifier."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emotion_keras.record.options import COUNT, PART, Options, option

if TYPE_CHECKING:
    import keras

    from emotion_keras.inputs.embedded import Embedded
    from emotion_keras.targets import Target


@dataclass(frozen=True, kw_only=True)
class CNN(Options):
    """Convolutions of several widths, the largest value of each filter, dropout and a dense layer.

    As in Kim, "Convolutional Neural Networks for Sentence Classification" (2014).
    """

    num_filters: int = option(100, "Filters of each width.", COUNT)
    filter_widths: tuple[int, ...] = option((3, 4, 5), "Tokens that a filter sees.", COUNT)
    dropout: float = option(0.5, "Share of features dropped before the classifier.", PART)

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

        mask = keras.ops.expand_dims(embedded.padding_mask, -1)

        def hide_padding(tensor):
            return tensor * keras.ops.cast(mask, tensor.dtype)

        vectors = hide_padding(embedded.vectors)
        largest = []
        for width in self.filter_widths:
            filters = keras.layers.Conv1D(
                self.num_filters,
                width,
                padding="same",
                activation="relu",
                dtype=dtype,
                name=f"filters_{width}",
            )
            find_largest = keras.layers.GlobalMaxPooling1D(dtype=dtype, name=f"largest_{width}")
            # After relu nothing is below zero, so that padding set to zero is never the largest.
            largest.append(find_largest(hide_padding(filters(vectors))))
        features = keras.layers.Concatenate(dtype=dtype, name="features_of_text")(largest)
        return end(embedded, features, target, self.dropout, dtype)
