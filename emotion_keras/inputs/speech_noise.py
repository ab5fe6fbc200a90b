"""Noise of recordings: what may happen to sound on its way to a model. NumPy and SciPy only.

Each kind is a function of samples, float32 `(num_samples,)` at `SAMPLING_RATE`, a level between 0
and 1, and a `numpy.random.Generator`, that gives samples. What it draws does not depend on the
level, so that a higher level does more of the same.
"""

from fractions import Fraction

import numpy as np

from emotion_keras.inputs.mel import HOP_LENGTH, SAMPLING_RATE

_NUM_VOICES = 5
# Pitches of the other voices, by which they are faster, too: three to five semitones away.
_PITCHES = tuple(Fraction(*pair) for pair in ((3, 4), (4, 5), (5, 6), (6, 5), (5, 4), (4, 3)))
# In a room of 60 m3, a metre from who speaks, the reverberation is as loud as the direct sound
# where it lasts so long: the critical distance is 0.057 m times the root of volume by duration.
_AS_LOUD_SECONDS = 0.2
_STRETCH_SECONDS = 0.05
_TELEPHONE_HERTZ = (300, 3400)
# A filter's order; it goes over the samples forth and back, which doubles it and keeps the phase.
_ORDER = 5
# Speeds are fractions of small numbers: the length of a filter that resamples follows from them.
_LARGEST_DENOMINATOR = 100


def _white_noise(samples, level, rng):
    """The level is the noise's share of the power: a signal-to-noise ratio of 1/level - 1."""
    return _mix(samples, rng.standard_normal(len(samples), "float32"), level)


def _babble(samples, level, rng):
    """White noise's share, of voices: the recording itself, shifted, some backwards, other pitches.

    No other recordings are at hand.
    """
    from scipy.signal import resample_poly

    voices = np.zeros_like(samples)
    for _ in range(_NUM_VOICES):
        pitch = _PITCHES[rng.integers(len(_PITCHES))]
        voice = resample_poly(samples, pitch.denominator, pitch.numerator)
        voice = np.roll(voice, rng.integers(len(voice)))
        voices += np.resize(voice[:: 1 if rng.random() < 0.5 else -1], len(samples))
    return _mix(samples, voices, level)


def _reverberation(samples, level, rng):
    """The level is the time, in seconds, in which it falls by 60 dB (Polack 1988)."""
    from scipy.signal import fftconvolve

    times = np.arange(1, round(level * SAMPLING_RATE) + 1) / SAMPLING_RATE
    decay = np.exp(-np.log(1000) * times / max(level, 1e-9))
    # The integral of the squared decay is level / log(1e6), in samples by `SAMPLING_RATE`.
    loudness = np.sqrt(np.log(1e6) / (SAMPLING_RATE * _AS_LOUD_SECONDS))
    tail = loudness * decay * rng.standard_normal(len(times))
    heard = fftconvolve(samples, np.concatenate([[1.0], tail]))[: len(samples)]
    return _as_loud_as(samples, heard)


def _clipping(samples, level, rng):
    """The level is the share of the samples that are as loud as can be."""
    loudness = np.abs(samples)
    # Of a recording that is silent half of the time something stays, too.
    least = loudness.min(where=loudness > 0, initial=np.inf)
    most = max(np.quantile(loudness, 1 - level), least)
    return _as_loud_as(samples, np.clip(samples, -most, most))


def _speed(samples, level, rng):
    """Up to 1 + level times as fast or as slow, and so much higher or lower."""
    from scipy.signal import resample_poly

    factor = _factor(level, rng)
    faster = resample_poly(samples, factor.denominator, factor.numerator)
    # So that the number of frames follows from what it was.
    return faster[: int(len(samples) // HOP_LENGTH / factor) * HOP_LENGTH]


def _factor(level, rng):
    factor = (1 + level) ** rng.uniform(-1, 1)
    return Fraction(factor).limit_denominator(_LARGEST_DENOMINATOR)


def _dropped_stretches(samples, level, rng):
    """The level is the share of the stretches of 50 ms that are silent; one is heard at least."""
    length = round(_STRETCH_SECONDS * SAMPLING_RATE)
    draws = rng.random(-(-len(samples) // length))
    kept = draws >= level
    kept[draws.argmax()] = True
    return samples * np.repeat(kept, length)[: len(samples)]


def _telephone(samples, level, rng):
    """The level is the share of the filtered sound, in a mixture with the whole."""
    from scipy.signal import butter, sosfiltfilt

    band = butter(_ORDER, _TELEPHONE_HERTZ, "bandpass", fs=SAMPLING_RATE, output="sos")
    return (1 - level) * samples + level * sosfiltfilt(band, samples)


def _mix(samples, noise, share):
    """Sound of about the same power, of which noise has a share."""
    noise = noise * (samples.std() / max(noise.std(), 1e-9))
    return np.sqrt(1 - share) * samples + np.sqrt(share) * noise


def _as_loud_as(samples, changed):
    """Changed samples with the energy that they had."""
    energy = np.sum(changed**2, dtype="float64")
    return changed * np.sqrt(np.sum(samples**2, dtype="float64") / max(energy, 1e-12))


KINDS = {
    "white_noise": _white_noise,
    "babble": _babble,
    "reverberation": _reverberation,
    "clipping": _clipping,
    "speed": _speed,
    "dropped_stretches": _dropped_stretches,
    "telephone": _telephone,
}


def add_noise(samples: np.ndarray, kind: str, level: float, seed: int) -> np.ndarray:
    """Samples with noise.

    Args:
        samples: Float32 array `(num_samples,)`, mono at `SAMPLING_RATE`, of 50 ms or more.
        kind: Name in `KINDS`.
        level: Float in `[0, 1]`; what it is the share of, the kinds say.
        seed: Integer, decides what is left to chance.

    Returns:
        Float32 array `(num_samples,)`, of `speed` longer or shorter.

    Example:

    >>> add_noise(np.ones(1600, "float32"), "dropped_stretches", 1.0, seed=0).sum()
    np.float32(800.0)
    """
    changed = KINDS[kind](samples, level, np.random.default_rng(seed))
    return changed.astype("float32")


def count_frames(num_frames: int, kind: str, level: float, seed: int) -> int:
    """The number of frames of a recording's picture with noise; see `add_noise`.

    Args:
        num_frames: The number without, 1 or more.
    """
    if kind != "speed":
        return num_frames
    factor = _factor(level, np.random.default_rng(seed))
    return 1 + int((num_frames - 1) / factor)
