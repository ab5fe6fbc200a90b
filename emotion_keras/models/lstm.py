"""The recurrent classifier."""

import keras

from emotion_keras.models.transformer import classify


def lstm(
    embedded,
    *,
    num_classes: int,
    units: int = 128,
    dropout: float = 0.5,
):
    """An LSTM in both directions, its last states, dropout and a dense layer.

    Hochreiter and Schmidhuber (1997); Schuster and Paliwal (1997).

    Args:
        embedded: `Embedded`, the vectors to start from.
        num_classes: Number of labels.
        units: Width of the state in each direction.
        dropout: Share of features dropped before the LSTM and before the classifier.

    Returns:
        `keras.Model` from `embedded.inputs` to probabilities, `(batch, num_classes)`.
    """
    vectors = keras.layers.Dropout(dropout, name="dropout_of_vectors")(embedded.vectors)
    both = keras.layers.Bidirectional(keras.layers.LSTM(units), name="lstm")
    mask = keras.ops.cast(embedded.padding_mask, "bool")
    return classify(embedded, both(vectors, mask=mask), num_classes, dropout)
