"""Masking of stretches of time and of bands of frequency."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="emotion_keras")
class SpectrogramMasking(keras.layers.Layer):
    """Sets stretches of a spectrogram to zero at random while training.

    This is SpecAugment (Park et al. 2019) without its warping of time. Each example gets masks of
    its own, whose widths are drawn evenly from 0 up to the largest.

    Args:
        frames: Integer, frames that a mask of time covers at most.
        bands: Integer, bands that a mask of frequency covers at most.
        num_masks: Integer, how many masks of each kind an example gets.
        seed: Integer or `None`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Float tensor `(batch, num_frames, num_bands)`, standardized: zero is the mean.
        training: Boolean, whether to mask at all.

    Returns:
        Float tensor of the same shape.

    Example:

    >>> masked = SpectrogramMasking(frames=2, bands=0, num_masks=1, seed=0)(
    ...     keras.ops.ones((1, 8, 4)), training=True
    ... )
    >>> float(keras.ops.sum(masked)) >= 6 * 4
    True
    """

    def __init__(
        self, frames: int, bands: int, num_masks: int = 2, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if min(frames, bands, num_masks) < 0:
            raise ValueError(
                "`frames`, `bands` and `num_masks` must be 0 or more. "
                f"Received: frames={frames}, bands={bands}, num_masks={num_masks}"
            )
        self.frames = frames
        self.bands = bands
        self.num_masks = num_masks
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        shape = keras.ops.shape(inputs)
        kept = keras.ops.ones_like(inputs[:1, :1, :1])
        for _ in range(self.num_masks):
            over_time = self._keep(shape[0], shape[1], self.frames)
            over_bands = self._keep(shape[0], shape[2], self.bands)
            kept = kept * over_time[:, :, None] * over_bands[:, None, :]
        return inputs * kept

    def _keep(self, num_examples, length, widest):
        """1 where an example keeps a position, 0 where the mask is: `(num_examples, length)`."""
        draws = keras.random.uniform((2, num_examples, 1), seed=self.seed_generator)
        # Of the length itself: JAX has to know it while it compiles.
        positions = keras.ops.cast(keras.ops.arange(length), draws.dtype)
        width = keras.ops.floor(draws[0] * (widest + 1))
        space = keras.ops.cast(length, draws.dtype) - width + 1
        start = keras.ops.floor(draws[1] * space)
        is_masked = keras.ops.logical_and(positions >= start, positions < start + width)
        return keras.ops.cast(keras.ops.logical_not(is_masked), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            frames=self.frames, bands=self.bands, num_masks=self.num_masks, seed=self.seed
        )
        return config
