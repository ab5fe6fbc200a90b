"""The convolutional classifier."""

import keras

from emotion_keras.models.transformer import classify


def cnn(
    embedded,
    *,
    num_classes: int,
    num_filters: int = 100,
    filter_widths: tuple[int, ...] = (3, 4, 5),
    dropout: float = 0.5,
):
    """Convolutions of several widths, the largest value of each filter, dropout and a dense layer.

    As in Kim, "Convolutional Neural Networks for Sentence Classification" (2014).

    Args:
        embedded: `Embedded`, the vectors to start from.
        num_classes: Number of labels.
        num_filters: Filters of each width.
        filter_widths: Tokens that a filter sees.
        dropout: Share of features dropped before the classifier.

    Returns:
        `keras.Model` from `embedded.inputs` to probabilities, `(batch, num_classes)`.
    """
    mask = keras.ops.expand_dims(embedded.padding_mask, -1)

    def hide_padding(tensor):
        return tensor * keras.ops.cast(mask, tensor.dtype)

    vectors = hide_padding(embedded.vectors)
    largest = []
    for width in filter_widths:
        filtered = keras.layers.Conv1D(
            num_filters, width, padding="same", activation="relu", name=f"filters_{width}"
        )(vectors)
        # After relu nothing is below zero, so that padding set to zero is never the largest.
        largest.append(
            keras.layers.GlobalMaxPooling1D(name=f"largest_{width}")(hide_padding(filtered))
        )
    features = keras.layers.Concatenate(name="features_of_text")(largest)
    return classify(embedded, features, num_classes, dropout)
