"""The parts of a functional model that turn frames of sound into vectors."""

import math
from pathlib import Path

import keras
from keras import KerasTensor

from emotion_keras.inputs.mel import HOP_LENGTH, LOG_MEL, SAMPLING_RATE, SPEAKER_MEL
from emotion_keras.inputs.speech import SpeechOptions
from emotion_keras.inputs.torch_tensors import read_tensors
from emotion_keras.layers import ClearPadding, SpectrogramMasking, SpectrogramVariation

# Features of the first convolution; each further one has twice as many.
_NUM_FEATURES = 32
# Of the moving statistics by which a trained model normalizes: a small corpus has few steps.
_MOMENTUM = 0.9
# Of the LSTMs that tell speakers apart.
_UNITS = 256


def embed_from_scratch(
    frames: KerasTensor,
    padding_mask: KerasTensor,
    options: SpeechOptions,
    scale: float,
    dtype: str = "float32",
) -> tuple[KerasTensor, KerasTensor]:
    """Vectors of tokens, by convolutions over time and bands of stride 2, one after another.

    Args:
        frames: Symbolic float32 tensor `(batch, length, frames_per_token * 64)`: for each token its
            log-mel frames, standardized.
        padding_mask: Symbolic int32 tensor `(batch, length)`, 1 for what is real.
        options: `SpeechOptions`.
        scale: By how much the logarithms of power were divided to standardize them.
        dtype: Name of the Keras dtype policy of the layers.

    Returns:
        Symbolic tensors: the vectors, `(batch, length, embedding_dim)`, and the padding mask, which
        is another than before where recordings change their speed in training.
    """
    gain = options.change_loudness * math.log(10) / 10 / scale
    vectors = _separate(frames, LOG_MEL.num_bins, dtype)
    vectors, padding_mask = _augment(vectors, padding_mask, options, gain, dtype)
    per_token, num_bins = options.frames_per_token, LOG_MEL.num_bins
    for index in range(int(math.log2(per_token))):
        per_token //= 2
        vectors = _convolve(vectors, num_bins, _NUM_FEATURES * 2**index, dtype, f"stem_{index}")
        num_bins //= 2
        clear = ClearPadding(per_token, dtype=dtype, name=f"stem_{index}_cleared")
        vectors = clear(vectors, padding_mask=padding_mask)
    project = keras.layers.Dense(options.embedding_dim, dtype=dtype, name="projection")
    normalize = keras.layers.LayerNormalization(dtype=dtype, name="normalization")
    return normalize(project(vectors)), padding_mask


def embed_with_lstms(
    frames: KerasTensor,
    padding_mask: KerasTensor,
    options: SpeechOptions,
    weights: Path | None,
    dtype: str = "float32",
) -> tuple[KerasTensor, KerasTensor]:
    """The states of LSTMs that tell speakers apart, averaged over the frames of a token.

    Args:
        frames: Symbolic float32 tensor `(batch, length, frames_per_token * 40)`: for each token its
            frames of power.
        padding_mask: Symbolic int32 tensor `(batch, length)`, 1 for what is real.
        options: `SpeechOptions`.
        weights: Path of the pretrained weights; `None` for an untrained encoder.
        dtype: Name of the Keras dtype policy of the layers.

    Returns:
        Symbolic tensors: the vectors, `(batch, length, 256)`, and the padding mask, which is
        another than before where recordings change their speed in training.
    """
    vectors = _separate(frames, SPEAKER_MEL.num_bins, dtype)
    # Power gets louder by a factor, and the recordings are about equally loud already.
    vectors, padding_mask = _augment(vectors, padding_mask, options, 0.0, dtype)
    tensors = read_tensors(weights, "model_state") if weights else {}
    for index in range(options.encoder_layers):
        lstm = keras.layers.LSTM(
            _UNITS, return_sequences=True, dtype=dtype, name=f"encoder_lstm_{index}"
        )
        vectors = lstm(vectors)
        if tensors:
            lstm.set_weights(_lstm_weights(tensors, index))
    pool = keras.layers.AveragePooling1D(options.frames_per_token, dtype=dtype, name="tokens")
    return pool(vectors), padding_mask


def _lstm_weights(tensors, index):
    """Weights of an LSTM as Keras has them: kernels from rows to columns, and one bias."""
    kernel, recurrent, bias, other_bias = (
        tensors[f"lstm.{name}_l{index}"]
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    return [kernel.T, recurrent.T, bias + other_bias]


def _separate(frames, num_bins, dtype):
    """The frames of all tokens one after another, `(batch, num_frames, num_bins)`."""
    return keras.layers.Reshape((-1, num_bins), dtype=dtype, name="frames_of_tokens")(frames)


def _augment(vectors, padding_mask, options, gain, dtype):
    """Frames and mask that are others whenever a model sees them in training."""
    if options.change_speed or options.shift_bands or gain:
        vectors, padding_mask = SpectrogramVariation(
            options.change_speed, options.shift_bands, gain, dtype=dtype, name="variation"
        )(vectors, padding_mask)
    if options.mask_seconds or options.mask_bands:
        num_frames = round(options.mask_seconds * SAMPLING_RATE / HOP_LENGTH)
        mask = SpectrogramMasking(num_frames, options.mask_bands, dtype=dtype, name="masking")
        vectors = mask(vectors)
    return vectors, padding_mask


def _convolve(vectors, num_bins, num_features, dtype, name):
    """Halves the length and the bands of frames, `(batch, num_frames, num_bins * features)`.

    Padded by hand: `same` pads a sequence by its length, even or odd.
    """
    layers = (
        keras.layers.Reshape(
            (-1, num_bins, vectors.shape[-1] // num_bins), dtype=dtype, name=f"{name}_picture"
        ),
        keras.layers.ZeroPadding2D(1, dtype=dtype, name=f"{name}_padding"),
        keras.layers.Conv2D(num_features, 3, strides=2, dtype=dtype, name=f"{name}_convolution"),
        keras.layers.BatchNormalization(
            momentum=_MOMENTUM, dtype=dtype, name=f"{name}_normalization"
        ),
        keras.layers.Activation("silu", dtype=dtype, name=f"{name}_activation"),
        keras.layers.Reshape(
            (-1, num_bins // 2 * num_features), dtype=dtype, name=f"{name}_frames"
        ),
    )
    for layer in layers:
        vectors = layer(vectors)
    return vectors
