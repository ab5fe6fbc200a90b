"""Layers that change images while a model trains."""

from typing import Any

import keras

from emotion_keras.machine import devices


@keras.saving.register_keras_serializable(package="emotion_keras")
class Augmentation(keras.layers.Pipeline):
    """Applies a series of layers while training, and nothing otherwise.

    Keras's own layers of augmentation change their inputs unless they are called with
    `training=False`, as nobody calls a model that is exported.

    Args:
        layers: List of layers, such as `keras.layers.RandomFlip`.
        name: String or `None`.

    Call arguments:
        inputs: Float tensor `(batch, height, width, channels)`.
        training: Boolean, whether to apply the layers.

    Returns:
        Float tensor of the same shape.

    Example:

    >>> augment = Augmentation([keras.layers.RandomContrast(0.5)])
    >>> float(keras.ops.sum(augment(keras.ops.ones((1, 2, 2, 1)))))
    4.0
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for layer in self.layers:
            layer.build(input_shape)
            layer.supports_jit |= devices.compiles_moved_pixels()

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        return super().call(inputs, training=True, mask=mask) if training else inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def compute_output_spec(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
