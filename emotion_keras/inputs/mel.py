"""Mel pictures of sound, made with SciPy outside of the model, as a tokenizer's tokens are."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SAMPLING_RATE = 16_000
WINDOW_LENGTH = 400
HOP_LENGTH = 160
FFT_LENGTH = 512
NUM_MEL_BINS = 64
_LEAST_POWER = 1e-10
# Frames at a time: what is between samples and mel bands takes 2 MB of memory for these.
_FRAMES_AT_A_TIME = 1024
# Of full scale: what quieter recordings are brought to for the encoder of speakers, -30 dB.
_SPEAKER_LOUDNESS = 10 ** (-30 / 20)


class FrontEnd(NamedTuple):
    """What makes a picture of sound: a frame for every `HOP_LENGTH`-th sample.

    Args:
        version: Name of the pictures on disk: another where they are made in another way.
        num_bins: Bands of a picture.
        make: Function from mono samples at `SAMPLING_RATE` to a float32 array
            `(1 + num_samples // HOP_LENGTH, num_bins)`.
    """

    version: str
    num_bins: int
    make: Callable[[np.ndarray], np.ndarray]


def log_mel(samples: np.ndarray) -> np.ndarray:
    """The natural logarithm of the power by time and mel band.

    The logarithm of what `librosa.feature.melspectrogram` gives with this file's constants: a Hann
    window, frames centred on every `HOP_LENGTH`-th sample, silence beyond the ends, Slaney's mel
    scale and norm.

    Args:
        samples: Float array `(num_samples,)`, mono at `SAMPLING_RATE`.

    Returns:
        Float32 array `(1 + num_samples // HOP_LENGTH, NUM_MEL_BINS)`.

    Example:

    >>> log_mel(np.zeros(1600)).shape
    (11, 64)
    """
    return np.log(np.maximum(_mel(samples, NUM_MEL_BINS, FFT_LENGTH), _LEAST_POWER))


def speaker_mel(samples: np.ndarray) -> np.ndarray:
    """What the encoder of speakers in the package resemblyzer reads: power by time and mel band.

    Quiet recordings are made louder before. The package removes pauses, too.

    Args:
        samples: Float array `(num_samples,)`, mono at `SAMPLING_RATE`.

    Returns:
        Float32 array `(1 + num_samples // HOP_LENGTH, 40)`.
    """
    samples = np.asarray(samples, "float32")
    loudness = np.sqrt(np.mean(samples**2)) if len(samples) else 0
    if 0 < loudness < _SPEAKER_LOUDNESS:
        samples = samples * (_SPEAKER_LOUDNESS / loudness)
    return _mel(samples, SPEAKER_MEL.num_bins, WINDOW_LENGTH)


LOG_MEL = FrontEnd("log_mel-2", NUM_MEL_BINS, log_mel)
SPEAKER_MEL = FrontEnd("speaker_mel-1", 40, speaker_mel)


def _mel(samples, num_bins, fft_length):
    """The power by time and mel band, `(1 + num_samples // HOP_LENGTH, num_bins)`."""
    import scipy.fft

    padded = np.pad(np.asarray(samples, "float32"), fft_length // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, fft_length)[::HOP_LENGTH]
    window, filters = _window(fft_length), mel_filters(num_bins, fft_length)
    found = np.empty((len(frames), num_bins), "float32")
    for start in range(0, len(frames), _FRAMES_AT_A_TIME):
        part = slice(start, start + _FRAMES_AT_A_TIME)
        spectrum = scipy.fft.rfft(frames[part] * window)
        found[part] = (spectrum.real**2 + spectrum.imag**2) @ filters.T
    return found


@functools.cache
def _window(fft_length):
    import scipy.signal

    missing = fft_length - WINDOW_LENGTH
    window = scipy.signal.get_window("hann", WINDOW_LENGTH)
    return np.pad(window, (missing // 2, missing - missing // 2)).astype("float32")


@functools.cache
def mel_filters(num_bins: int = NUM_MEL_BINS, fft_length: int = FFT_LENGTH) -> np.ndarray:
    """What each mel band takes of each frequency: triangles of equal area, equal steps apart.

    Args:
        num_bins: How many bands there are.
        fft_length: Samples that a spectrum is made of.

    Returns:
        Float32 array `(num_bins, fft_length // 2 + 1)`.
    """
    frequencies = np.fft.rfftfreq(fft_length, 1 / SAMPLING_RATE)
    highest = _to_mel(SAMPLING_RATE / 2)
    corners = _to_hertz(np.linspace(0, highest, num_bins + 2))
    lower, centre, upper = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising = (frequencies - lower) / (centre - lower)
    falling = (upper - frequencies) / (upper - centre)
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * 2 / (upper - lower)).astype("float32")


# Slaney's Auditory Toolbox (1998): linear below 1 kHz, 3 mel each 200 Hz, and logarithmic above,
# 27 mel each factor of 6.4.
_BREAK_HERTZ, _BREAK_MEL = 1000.0, 15.0
_LOG_STEP = np.log(6.4) / 27


def _to_mel(hertz):
    return _BREAK_MEL + np.log(hertz / _BREAK_HERTZ) / _LOG_STEP


def _to_hertz(mel):
    above = _BREAK_HERTZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _BREAK_HERTZ / _BREAK_MEL, above)
