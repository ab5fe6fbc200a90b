"""What every kind of input hands to a model."""

from typing import NamedTuple

import keras

# The model's input that takes vectors which were computed before.
VECTORS = "features"


class Embedded(NamedTuple):
    """The start of a functional model: its inputs, and the vectors made from them.

    Args:
        inputs: Dictionary of `keras.Input` by name.
        vectors: Symbolic tensor `(batch, length, dim)`.
        padding_mask: Symbolic tensor `(batch, length)` of int32, 1 for what is real.
        pooled: Symbolic tensor `(batch, dim)`, a pretrained encoder's own summary of the text;
            `None` where there is none.
        weights: Symbolic tensor `(batch, length)`, what tokens count in an average, together 1;
            `None` where all count alike.
    """

    inputs: dict
    vectors: keras.KerasTensor
    padding_mask: keras.KerasTensor
    pooled: keras.KerasTensor | None = None
    weights: keras.KerasTensor | None = None


def embedded_features(dim: int) -> Embedded:
    """Vectors that were computed before and are the model's input, `VECTORS`.

    Args:
        dim: Integer, length of a vector.

    Returns:
        `Embedded` of inputs `VECTORS`, `(batch, length, dim)`, and `padding_mask`.
    """
    features = keras.Input((None, dim), dtype="float32", name=VECTORS)
    padding_mask = keras.Input((None,), dtype="int32", name="padding_mask")
    return Embedded({VECTORS: features, "padding_mask": padding_mask}, features, padding_mask)


class Precomputed:
    """What stands for an `Input` whose vectors were computed before.

    Args:
        dim: Integer, length of a vector.
    """

    feature = VECTORS
    fixed_length = None

    def __init__(self, dim: int):
        self.token_shape = (dim,)

    def embed(self, load_weights: bool = True, dtype: str = "float32") -> Embedded:
        """See `Input.embed`."""
        return embedded_features(*self.token_shape)
