"""What attention adds to a score for how far two tokens are apart."""

import math
from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="emotion_keras")
class RelativePositionBias(keras.layers.Layer):
    """Learns a number for each attention head and each distance between two tokens.

    Distances fall into buckets (Raffel et al. 2020, T5): half of them for tokens before, half for
    tokens after. In each half the near distances have a bucket each, and those up to
    `max_distance` share the other buckets, ever more of them one; all beyond share the last.

    Args:
        num_heads: Integer, number of attention heads.
        num_buckets: Integer, number of buckets; a multiple of 4.
        max_distance: Integer, the distance from which on all share one bucket.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, length, ...)`, of which the length alone matters.

    Returns:
        Tensor of shape `(num_heads, length, length)`: what the score of the second position, as
        the first one sees it, is raised by.

    Example:

    >>> tuple(RelativePositionBias(num_heads=2)(keras.ops.ones((1, 5, 8))).shape)
    (2, 5, 5)
    """

    def __init__(
        self, num_heads: int, num_buckets: int = 32, max_distance: int = 128, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if num_buckets < 4 or num_buckets % 4:
            raise ValueError(
                f"`num_buckets` must be a multiple of 4. Received: num_buckets={num_buckets}"
            )
        if max_distance <= num_buckets // 4:
            raise ValueError(
                "`max_distance` must be more than a quarter of `num_buckets`. Received: "
                f"max_distance={max_distance}, num_buckets={num_buckets}"
            )
        self.num_heads = num_heads
        self.num_buckets = num_buckets
        self.max_distance = max_distance
        distances = np.arange(-max_distance, max_distance + 1)
        self._buckets = [self._bucket(distance) for distance in distances.tolist()]

    def _bucket(self, distance):
        """The bucket of a token that stands `distance` after another, or before, if negative."""
        half = self.num_buckets // 2
        num_exact = half // 2
        size = abs(distance)
        if size >= num_exact:
            share = math.log(size / num_exact) / math.log(self.max_distance / num_exact)
            # Where the share is a whole number of buckets, it must not be rounded below it.
            size = min(half - 1, num_exact + int(share * (half - num_exact) + 1e-9))
        return size + half if distance > 0 else size

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.bias = self.add_weight(
            name="bias", shape=(self.num_buckets, self.num_heads), initializer="glorot_uniform"
        )

    def call(self, inputs: Any) -> Any:
        ops = keras.ops
        positions = ops.arange(ops.shape(inputs)[1], dtype="int32")
        distances = ops.expand_dims(positions, 0) - ops.expand_dims(positions, 1)
        distances = ops.clip(distances, -self.max_distance, self.max_distance) + self.max_distance
        of_distances = ops.take(self.bias, ops.convert_to_tensor(self._buckets, "int32"), axis=0)
        return ops.transpose(ops.take(of_distances, distances, axis=0), (2, 0, 1))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (self.num_heads, input_shape[1], input_shape[1])

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            num_heads=self.num_heads,
            num_buckets=self.num_buckets,
            max_distance=self.max_distance,
        )
        return config
