"""Pooling by gated attention."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="emotion_keras")
class AttentionPooling(keras.layers.Layer):
    """Averages tokens with weights that each token's own gated attention sets.

    `a_i = softmax_i(w . (tanh(V h_i) * sigmoid(U h_i)))` over the real tokens, and the sum of
    `a_i h_i` (Ilse, Tomczak and Welling, "Attention-based Deep Multiple Instance Learning", 2018,
    equation 9).

    Args:
        units: Integer, width of `V h` and `U h`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, length, dim)`.
        mask: Optional tensor `(batch, length)`, zero or false for padding.

    Returns:
        Tensor of shape `(batch, dim)`.

    Example:

    >>> tuple(AttentionPooling(16)(keras.ops.ones((2, 5, 8))).shape)
    (2, 8)
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"`units` must be 1 or more. Received: units={units}")
        self.units = units
        self.content = keras.layers.Dense(units, "tanh", use_bias=False, dtype=self.dtype_policy)
        self.gate = keras.layers.Dense(units, "sigmoid", use_bias=False, dtype=self.dtype_policy)
        self.score = keras.layers.Dense(1, use_bias=False, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.content.build(input_shape)
        self.gate.build(input_shape)
        self.score.build((*input_shape[:-1], self.units))

    def attention(self, inputs: Any, mask: Any = None) -> Any:
        """The weights `a_i`, `(batch, length)`, which sum to 1 over real tokens."""
        scores = self.score(self.content(inputs) * self.gate(inputs))[..., 0]
        if mask is not None:
            # So low that its exponential is zero, and still a number of float16.
            scores = keras.ops.where(keras.ops.cast(mask, "bool"), scores, -30_000.0)
        return keras.ops.softmax(scores, axis=-1)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return keras.ops.einsum("bl,bld->bd", self.attention(inputs, mask), inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None  # The length is gone.

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}
