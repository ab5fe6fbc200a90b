"""The part of a functional model that turns log-mel frames into vectors."""

import math

import keras

from emotion_keras.inputs.mel import HOP_LENGTH, NUM_MEL_BINS, SAMPLING_RATE
from emotion_keras.inputs.speech import SpeechOptions
from emotion_keras.layers import ClearPadding, SpectrogramMasking, SpectrogramVariation

_KERNEL_SIZE = 5


def embed_frames(
    frames: keras.KerasTensor,
    padding_mask: keras.KerasTensor,
    options: SpeechOptions,
    scale: float,
    dtype: str = "float32",
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Vectors of tokens, by convolutions over time of stride 2, one after another.

    Args:
        frames: Symbolic float32 tensor `(batch, length, frames_per_token * NUM_MEL_BINS)`: for each
            token its frames, standardized.
        padding_mask: Symbolic int32 tensor `(batch, length)`, 1 for what is real.
        options: `SpeechOptions`.
        scale: By how much the logarithms of power were divided to standardize them.
        dtype: Name of the Keras dtype policy of the layers.

    Returns:
        Symbolic tensors: the vectors, `(batch, length, embedding_dim)`, and the padding mask, which
        is another than before where recordings change their speed in training.
    """
    vectors = keras.layers.Reshape((-1, NUM_MEL_BINS), dtype=dtype, name="frames_of_tokens")(frames)
    if options.change_speed or options.shift_bands or options.change_loudness:
        vectors, padding_mask = SpectrogramVariation(
            options.change_speed,
            options.shift_bands,
            options.change_loudness * math.log(10) / 10 / scale,
            dtype=dtype,
            name="variation",
        )(vectors, padding_mask)
    if options.mask_seconds or options.mask_bands:
        vectors = SpectrogramMasking(
            round(options.mask_seconds * SAMPLING_RATE / HOP_LENGTH),
            options.mask_bands,
            dtype=dtype,
            name="masking",
        )(vectors)
    per_token = options.frames_per_token
    for index in range(int(math.log2(per_token))):
        per_token //= 2
        vectors = _convolve(vectors, options.embedding_dim, dtype, f"stem_{index}")
        clear = ClearPadding(per_token, dtype=dtype, name=f"stem_{index}_cleared")
        vectors = clear(vectors, padding_mask=padding_mask)
    return vectors, padding_mask


def _convolve(vectors, dim, dtype, name):
    """Halves the length. Padded by hand: `same` pads a sequence by its length, even or odd."""
    vectors = keras.layers.ZeroPadding1D(_KERNEL_SIZE // 2, dtype=dtype, name=f"{name}_padding")(
        vectors
    )
    vectors = keras.layers.Conv1D(
        dim, _KERNEL_SIZE, strides=2, dtype=dtype, name=f"{name}_convolution"
    )(vectors)
    vectors = keras.layers.LayerNormalization(dtype=dtype, name=f"{name}_normalization")(vectors)
    return keras.layers.Activation("silu", dtype=dtype, name=f"{name}_activation")(vectors)
