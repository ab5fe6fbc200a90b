"""Log-mel pictures of sound, made with SciPy outside of the model, as a tokenizer's tokens are."""

import functools

import numpy as np

SAMPLING_RATE = 16_000
FFT_LENGTH = 512
WINDOW_LENGTH = 400
HOP_LENGTH = 160
NUM_MEL_BINS = 64
_LEAST_POWER = 1e-10
# Frames at a time: what is between samples and mel bands takes 2 MB of memory for these.
_FRAMES_AT_A_TIME = 1024


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
    import scipy.fft

    padded = np.pad(np.asarray(samples, "float32"), FFT_LENGTH // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_LENGTH)[::HOP_LENGTH]
    window, filters = _window(), mel_filters()
    found = np.empty((len(frames), NUM_MEL_BINS), "float32")
    for start in range(0, len(frames), _FRAMES_AT_A_TIME):
        part = slice(start, start + _FRAMES_AT_A_TIME)
        spectrum = scipy.fft.rfft(frames[part] * window)
        found[part] = (spectrum.real**2 + spectrum.imag**2) @ filters.T
    return np.log(np.maximum(found, _LEAST_POWER))


@functools.cache
def _window():
    import scipy.signal

    missing = FFT_LENGTH - WINDOW_LENGTH
    window = scipy.signal.get_window("hann", WINDOW_LENGTH)
    return np.pad(window, (missing // 2, missing - missing // 2)).astype("float32")


@functools.cache
def mel_filters() -> np.ndarray:
    """What each mel band takes of each frequency: triangles of equal area, equal steps apart.

    Returns:
        Float32 array `(NUM_MEL_BINS, FFT_LENGTH // 2 + 1)`.
    """
    frequencies = np.fft.rfftfreq(FFT_LENGTH, 1 / SAMPLING_RATE)
    highest = _to_mel(SAMPLING_RATE / 2)
    corners = _to_hertz(np.linspace(0, highest, NUM_MEL_BINS + 2))
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
