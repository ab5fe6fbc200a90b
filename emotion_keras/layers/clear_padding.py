"""Zeros in place of padding."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="emotion_keras")
class ClearPadding(keras.layers.Layer):
    """Sets vectors to zero where padding is, before a convolution carries them into what is real.

    Args:
        per_token: Integer, how many vectors stand for one position of the mask.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Float tensor `(batch, per_token * length, dim)`.
        padding_mask: Integer tensor `(batch, length)`, 1 for what is real.

    Returns:
        Float tensor of the shape of `inputs`.

    Example:

    >>> vectors = keras.ops.ones((1, 4, 1))
    >>> cleared = ClearPadding(per_token=2)(vectors, keras.ops.array([[1, 0]]))
    >>> keras.ops.convert_to_numpy(cleared).ravel().tolist()
    [1.0, 1.0, 0.0, 0.0]
    """

    def __init__(self, per_token: int = 1, **kwargs: Any):
        super().__init__(**kwargs)
        if per_token < 1:
            raise ValueError(f"`per_token` must be 1 or more. Received: per_token={per_token}")
        self.per_token = per_token

    def call(self, inputs: Any, padding_mask: Any) -> Any:
        mask = keras.ops.cast(padding_mask, inputs.dtype)
        return inputs * keras.ops.expand_dims(keras.ops.repeat(mask, self.per_token, axis=1), -1)

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...], padding_mask_shape: Any = None
    ) -> tuple[int | None, ...]:
        return input_shape

    def compute_output_spec(self, inputs: Any, padding_mask: Any) -> Any:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(per_token=self.per_token)
        return config
