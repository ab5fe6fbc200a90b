"""The plain Transformer classifier."""

import keras
import keras_hub


def transformer(
    embedded,
    *,
    num_classes: int,
    num_layers: int = 2,
    num_heads: int = 4,
    intermediate_dim: int = 256,
    dropout: float = 0.1,
):
    """Transformer blocks, average pooling over real tokens, dropout and a dense layer.

    Args:
        embedded: `Embedded`, the vectors to start from.
        num_classes: Number of labels.
        num_layers: Number of Transformer blocks on top of the vectors.
        num_heads: Attention heads of a block.
        intermediate_dim: Width of a block's feed-forward layer.
        dropout: Share of features dropped in the blocks and before the classifier.

    Returns:
        `keras.Model` from `embedded.inputs` to probabilities, `(batch, num_classes)`.
    """
    vectors = encode(embedded, num_layers, num_heads, intermediate_dim, dropout)
    return classify(embedded, average(embedded, vectors), num_classes, dropout)


def encode(embedded, num_layers, num_heads, intermediate_dim, dropout):
    """Passes the vectors through Transformer blocks (Vaswani et al. 2017)."""
    vectors = embedded.vectors
    for index in range(num_layers):
        block = keras_hub.layers.TransformerEncoder(
            intermediate_dim=intermediate_dim,
            num_heads=num_heads,
            dropout=dropout,
            activation="gelu",
            name=f"block_{index}",
        )
        vectors = block(vectors, padding_mask=embedded.padding_mask)
    return vectors


def average(embedded, vectors):
    """Averages the vectors of real tokens."""
    # In float32 at any precision: a mean over many tokens loses most to rounding. The mask is
    # handed on by hand, because arithmetic on tensors loses it.
    return keras.layers.GlobalAveragePooling1D(dtype="float32", name="pooling")(
        vectors, mask=embedded.padding_mask
    )


def classify(embedded, pooled, num_classes, dropout):
    """Ends a model: dropout, and a dense layer to probabilities, in float32 at any precision."""
    pooled = keras.layers.Dropout(dropout, dtype="float32", name="dropout")(pooled)
    classifier = keras.layers.Dense(
        num_classes, activation="softmax", dtype="float32", name="classifier"
    )
    return keras.Model(embedded.inputs, classifier(pooled))
