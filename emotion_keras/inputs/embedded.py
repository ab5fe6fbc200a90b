"""What every kind of input hands to a model."""

from collections.abc import Callable
from typing import NamedTuple

import keras

from emotion_keras.errors import UserError

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
        special: How many special tokens each example begins and ends with.
        read: Function from another mask of the shape of `padding_mask` to the vectors that the same
            encoder makes where that is real; `None` where no token's vector depends on others.
    """

    inputs: dict
    vectors: keras.KerasTensor
    padding_mask: keras.KerasTensor
    pooled: keras.KerasTensor | None = None
    weights: keras.KerasTensor | None = None
    special: tuple[int, int] = (0, 0)
    read: Callable[[keras.KerasTensor], keras.KerasTensor] | None = None


def embedded_features(dim: int, special: tuple[int, int] = (0, 0)) -> Embedded:
    """Vectors that were computed before and are the model's input, `VECTORS`.

    Args:
        dim: Integer, length of a vector.
        special: How many special tokens each example begins and ends with.

    Returns:
        `Embedded` of inputs `VECTORS`, `(batch, length, dim)`, and `padding_mask`.
    """
    features = keras.Input((None, dim), dtype="float32", name=VECTORS)
    padding_mask = keras.Input((None,), dtype="int32", name="padding_mask")
    inputs = {VECTORS: features, "padding_mask": padding_mask}
    return Embedded(inputs, features, padding_mask, special=special, read=_refuse)


def _refuse(mask):
    raise UserError(
        "A frozen encoder reads each example once, before training: leave out `--freeze-encoder` "
        "and `--frozen-layers`, or choose another `--gate-after`. "
        "Received: gate_after='first_reading'"
    )


class Precomputed:
    """What stands for an `Input` whose vectors were computed before.

    Args:
        dim: Integer, length of a vector.
        special: How many special tokens each example begins and ends with.
    """

    feature = VECTORS
    fixed_length = None

    def __init__(self, dim: int, special: tuple[int, int] = (0, 0)):
        self.token_shape = (dim,)
        self.special_ends = special

    def embed(self, load_weights: bool = True, dtype: str = "float32") -> Embedded:
        """See `Input.embed`."""
        return embedded_features(*self.token_shape, self.special_ends)
