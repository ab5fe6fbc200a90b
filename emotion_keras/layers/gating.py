"""The paper's gate."""

from collections.abc import Sequence
from typing import Any

import keras

from emotion_keras.layers.share_of_words import check_keep, find_words, penalty


@keras.saving.register_keras_serializable(package="emotion_keras")
class GatingLayer(keras.layers.Layer):
    """Scales each feature of each token by a gate that the token itself sets.

    `g(h) = sigmoid(h W + b)` and `h~ = g(h) * h`, element by element (Ellwood, "End-to-End Emotion
    Recognition via Deep Transformer and Gating Mechanisms", section 3).

    Args:
        scalar: Whether a token has one gate for all of its features in place of one for each.
        keep: Float, the mean of the gates of words: while training, what it lacks of that, or has
            beyond it, is a loss. 1 is no loss.
        keep_weight: Float, weight of that loss.
        special: Two integers, how many special tokens, which are no words, each example begins and
            ends with.
        kernel_initializer: Initializer of `W`, `(dim, dim)`; of a scalar gate `(dim, 1)`.
        bias_initializer: Initializer of `b`, `(dim,)`; of a scalar gate `(1,)`. Zeros open every
            gate half way.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, length, dim)`. A mask that it carries is passed on.
        padding_mask: Integer tensor of shape `(batch, length)`, 1 for what is real; needed where
            `keep` is below 1.
        training: Boolean, whether there is a loss.

    Returns:
        Tensor of shape `(batch, length, dim)`.

    Example:

    >>> tuple(GatingLayer()(keras.ops.ones((2, 5, 8))).shape)
    (2, 5, 8)
    """

    def __init__(
        self,
        scalar: bool = False,
        keep: float = 1.0,
        keep_weight: float = 1.0,
        special: Sequence[int] = (0, 0),
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_keep(keep)
        self.scalar = scalar
        self.keep = keep
        self.keep_weight = keep_weight
        before, after = special
        self.special = before, after
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True

    def build(self, inputs_shape: tuple[int | None, ...], *_: Any, **__: Any) -> None:
        dim = inputs_shape[-1]
        num_gates = 1 if self.scalar else dim
        self.kernel = self.add_weight(
            name="kernel", shape=(dim, num_gates), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(
            name="bias", shape=(num_gates,), initializer=self.bias_initializer
        )

    def gate(self, inputs: Any) -> Any:
        """The gate alone: `g(h)`, between 0 and 1, `(batch, length, dim)`, or 1 for `dim`."""
        return keras.ops.sigmoid(keras.ops.matmul(inputs, self.kernel) + self.bias)

    def call(self, inputs: Any, padding_mask: Any = None, training: bool = False) -> Any:
        gates = self.gate(inputs)
        if training and self.keep < 1:
            opened = keras.ops.mean(gates, axis=-1)
            words = find_words(padding_mask, self.special)
            self.add_loss(penalty(opened, words, self.keep, self.keep_weight))
        return gates * inputs

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], *_: Any, **__: Any
    ) -> tuple[int | None, ...]:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            scalar=self.scalar,
            keep=self.keep,
            keep_weight=self.keep_weight,
            special=list(self.special),
        )
        config["kernel_initializer"] = keras.initializers.serialize(self.kernel_initializer)
        config["bias_initializer"] = keras.initializers.serialize(self.bias_initializer)
        return config
