"""Faster, higher and louder spectrograms, as from other voices."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="emotion_keras")
class SpectrogramVariation(keras.layers.Layer):
    """Changes speed, pitch and loudness of spectrograms at random while training.

    Each example gets changes of its own, drawn evenly from the ranges below. Between frames and
    between bands the layer interpolates linearly. Over mel bands, a shift stands for a voice that
    is higher or lower, and for a shorter or longer vocal tract (Jaitly & Hinton 2013 scale the
    frequencies instead).

    Args:
        speed: Float from 0 to below 1, how much faster or slower at most: 0.1 is 90 to 110 %. What
            is slower than before loses its end where it would get longer than the batch.
        shift: Float, how many bands up or down at most. The outermost bands fill what gets free.
        gain: Float, what is added at most, or taken away: of logarithms, that is loudness.
        seed: Integer or `None`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Float tensor `(batch, num_frames, num_bands)`.
        padding_mask: Integer tensor `(batch, length)`, 1 for what is real; `num_frames` is a
            multiple of `length`.
        training: Boolean, whether to change anything.

    Returns:
        A tuple of the changed float tensor, and of the mask of what is real there, both of the
        shapes of the arguments. A position of the mask that is real in part counts as real.

    Example:

    >>> frames = keras.ops.ones((1, 8, 4))
    >>> louder, _ = SpectrogramVariation(0.0, 0.0, gain=2.0, seed=0)(
    ...     frames, keras.ops.ones((1, 4), "int32"), training=True
    ... )
    >>> bool(keras.ops.all(louder == louder[0, 0, 0]))
    True
    """

    def __init__(
        self, speed: float, shift: float, gain: float, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if not 0 <= speed < 1 or min(shift, gain) < 0:
            raise ValueError(
                "`speed` must be from 0 to below 1, `shift` and `gain` 0 or more. "
                f"Received: speed={speed}, shift={shift}, gain={gain}"
            )
        self.speed = speed
        self.shift = shift
        self.gain = gain
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, padding_mask: Any, training: bool = False) -> tuple[Any, Any]:
        if not training:
            return inputs, padding_mask
        num_examples = keras.ops.shape(inputs)[0]
        draws = keras.random.uniform((3, num_examples, 1, 1), -1.0, 1.0, seed=self.seed_generator)
        frames, mask = inputs, padding_mask
        if self.speed:
            frames, mask = _change_speed(frames, mask, 1 + self.speed * draws[0])
        if self.shift:
            frames = _shift(frames, self.shift * draws[1])
        if self.gain:
            frames = frames + keras.ops.cast(self.gain * draws[2], frames.dtype)
        return frames, mask

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...], padding_mask_shape: Any = None
    ) -> tuple[tuple[int | None, ...], Any]:
        return input_shape, padding_mask_shape

    def compute_output_spec(
        self, inputs: Any, padding_mask: Any, training: bool = False
    ) -> tuple[Any, Any]:
        frames = keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
        return frames, keras.KerasTensor(padding_mask.shape, dtype=padding_mask.dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(speed=self.speed, shift=self.shift, gain=self.gain, seed=self.seed)
        return config


def _change_speed(frames, padding_mask, factor):
    """Frames and mask at `factor` times the speed, `(batch, 1, 1)`."""
    num_frames, length = keras.ops.shape(frames)[1], keras.ops.shape(padding_mask)[1]
    per_token = num_frames // length
    num_real = per_token * keras.ops.sum(padding_mask, axis=1)[:, None, None]
    last = keras.ops.cast(num_real - 1, factor.dtype)
    # Of the lengths themselves: JAX has to know them while it compiles.
    positions = keras.ops.cast(keras.ops.arange(num_frames), factor.dtype)[None, :, None] * factor
    is_real = positions <= last
    positions = keras.ops.clip(positions, 0.0, last)
    before = keras.ops.cast(keras.ops.floor(positions), "int32")
    after = keras.ops.minimum(before + 1, num_real - 1)
    share = keras.ops.cast(positions, frames.dtype) - keras.ops.cast(before, frames.dtype)
    found = (1 - share) * keras.ops.take_along_axis(frames, before, axis=1)
    found = found + share * keras.ops.take_along_axis(frames, after, axis=1)
    starts = keras.ops.cast(keras.ops.arange(length) * per_token, factor.dtype)[None, :]
    mask = keras.ops.cast(starts * factor[:, :, 0] <= last[:, :, 0], padding_mask.dtype)
    return found * keras.ops.cast(is_real, found.dtype), mask


def _shift(frames, by):
    """Frames whose bands are moved up `by` bands, `(batch, 1, 1)`."""
    num_bands = keras.ops.shape(frames)[2]
    bands = keras.ops.cast(keras.ops.arange(num_bands), by.dtype)
    sources = keras.ops.clip(bands[None, None, :] - by, 0.0, num_bands - 1.0)
    # How much of each band, `(batch, from, to)`: a matrix product is fast on every backend.
    shares = keras.ops.relu(1 - keras.ops.abs(bands[None, :, None] - sources))
    return keras.ops.matmul(frames, keras.ops.cast(shares, frames.dtype))
