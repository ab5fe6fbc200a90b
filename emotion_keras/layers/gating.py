"""The paper's gate."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="emotion_keras")
class GatingLayer(keras.layers.Layer):
    """Scales each feature of each token by a gate that the token itself sets.

    `g(h) = sigmoid(h W + b)` and `h~ = g(h) * h`, element by element (Ellwood, "End-to-End Emotion
    Recognition via Deep Transformer and Gating Mechanisms", section 3).

    Args:
        scalar: Whether a token has one gate for all of its features in place of one for each.
        kernel_initializer: Initializer of `W`, `(dim, dim)`; of a scalar gate `(dim, 1)`.
        bias_initializer: Initializer of `b`, `(dim,)`; of a scalar gate `(1,)`. Zeros open every
            gate half way.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, length, dim)`. A mask that it carries is passed on.

    Returns:
        Tensor of shape `(batch, length, dim)`.

    Example:

    >>> tuple(GatingLayer()(keras.ops.ones((2, 5, 8))).shape)
    (2, 5, 8)
    """

    def __init__(
        self,
        scalar: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.scalar = scalar
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        dim = input_shape[-1]
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

    def call(self, inputs: Any) -> Any:
        return self.gate(inputs) * inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config["scalar"] = self.scalar
        config["kernel_initializer"] = keras.initializers.serialize(self.kernel_initializer)
        config["bias_initializer"] = keras.initializers.serialize(self.bias_initializer)
        return config
