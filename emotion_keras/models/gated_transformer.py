"""The paper's model."""

from emotion_keras.layers import GatingLayer
from emotion_keras.models.transformer import average, classify, encode


def gated_transformer(
    embedded,
    *,
    num_classes: int,
    num_layers: int = 2,
    num_heads: int = 4,
    intermediate_dim: int = 256,
    dropout: float = 0.1,
):
    """Transformer blocks, the gate, average pooling over real tokens, dropout and a dense layer.

    It differs from `transformer` in the gate alone, so that their difference is the gate.

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
    gated = GatingLayer(name="gate")(vectors)
    return classify(embedded, average(embedded, gated), num_classes, dropout)
