"""Recordings of sound: decoded, judged, and kept as features on disk.

`inspect` says what a recording is, and `features` gives its picture. `keep` makes both of a whole
corpus, in parallel, and puts them into a cache on disk, by the content of the files; a model that
trains reads them from there, memory-mapped. A recording with noise is made again whenever it is
asked for: it is another in each epoch.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from emotion_keras.inputs import feature_cache, media
from emotion_keras.inputs.media import Perturbed, sha256_of, version_of
from emotion_keras.inputs.mel import LOG_MEL, SAMPLING_RATE, FrontEnd
from emotion_keras.inputs.speech_noise import add_noise, count_frames

# Of longer recordings the beginning is read: an emotion does not last for ten minutes.
MAX_SECONDS = 600
_LEAST_SECONDS = 0.1
# Amplitudes as shares of the largest. Sound is silent where its loudest sample is 80 dB below that.
_SILENT, _CLIPPED = 1e-4, 0.999
_BLOCK_SECONDS = 10
# Nothing records faster. What claims to would be resampled with filters that fill the memory.
_MOST_HERTZ = 768_000
# How far below the loudest frame, by the mean of its bands' logarithms, the silence is that is cut
# off at both ends: 26 dB.
_SILENCE = 6.0
# Recordings whose features stay in memory, so that a single answer does not decode twice.
_NUM_RECENT = 256


@dataclasses.dataclass(frozen=True)
class Recording:
    """What a recording is.

    Args:
        sha256: Checksum of the file's content; empty where there is no file.
        flaw: Why nothing can be learned from it: one of `FLAWS`, or empty.
        seconds: How long it is.
        sampling_rate: In hertz, as it was recorded.
        num_channels: As it was recorded.
        clipped: Share of samples as loud as can be.
        first_frame: Where its pictures begin: silence before is left away.
        num_frames: Frames of a picture.
    """

    sha256: str
    flaw: str = ""
    seconds: float = 0.0
    sampling_rate: int = 0
    num_channels: int = 0
    clipped: float = 0.0
    first_frame: int = 0
    num_frames: int = 0


FLAWS = ("missing", "unreadable", "silent", "too short")


def inspect(path: str | Perturbed) -> Recording:
    """Says what a recording is.

    Args:
        path: The recording's path; a file that has changed is read again. Or a `Perturbed`, which
            has the checksum and the flaw of its file.
    """
    if isinstance(path, Perturbed):
        before = inspect(path.medium)
        if before.flaw:
            return before
        num_frames = count_frames(before.num_frames, *path[1:])
        # As long after the beginning as so many frames last.
        first_frame = count_frames(before.first_frame + 1, *path[1:]) - 1
        return dataclasses.replace(
            before,
            seconds=before.seconds * num_frames / before.num_frames,
            first_frame=first_frame,
            num_frames=num_frames,
        )
    version = version_of(path)
    if version is None:
        return Recording("", "missing")
    try:
        return _inspect(path, version)
    except OSError:
        return Recording("", "unreadable")


def features(path: str | Perturbed, front_end: FrontEnd = LOG_MEL) -> np.ndarray:
    """The picture of a recording, without silence at its ends.

    Args:
        path: The recording's path, or a `Perturbed`. One with a flaw has no frames.
        front_end: What makes the picture.

    Returns:
        Float32 array `(num_frames, front_end.num_bins)`.
    """
    recording = inspect(path)
    if recording.flaw:
        return np.zeros((0, front_end.num_bins), "float32")
    if isinstance(path, Perturbed):
        return _picture(path, recording, front_end)
    try:
        return feature_cache.load(recording.sha256, front_end.version)
    except (OSError, ValueError):
        pass
    if front_end is LOG_MEL:
        return _decode(path, version_of(path))[1]
    found = _picture(path, recording, front_end)
    # What is kept of a recording is kept of all its pictures.
    if feature_cache.find(recording.sha256, LOG_MEL.version) is not None:
        feature_cache.store(recording.sha256, front_end.version, found, {})
    return found


def keep(paths: Sequence[str], notify: Callable[[str], object] = print) -> None:
    """Makes the features of recordings and keeps them; see `media.keep`.

    Args:
        paths: The recordings' paths.
        notify: Called with messages.
    """
    media.keep(
        paths, LOG_MEL.version, lambda path: _decode(path, version_of(path)), "recordings", notify
    )


@functools.lru_cache(maxsize=2**17)
def _inspect(path, version):
    """What a file of some version is; a model that trains asks in each batch."""
    facts = feature_cache.find(sha256_of(path, version), LOG_MEL.version)
    return Recording(**facts) if facts else _decode(path, version)[0]


@functools.lru_cache(maxsize=_NUM_RECENT)
def _decode(path, version):
    """What a file of some version is, and its features."""
    sha256, nothing = sha256_of(path, version), np.zeros((0, LOG_MEL.num_bins), "float32")
    try:
        samples, facts = read_samples(path)
    except (OSError, ValueError):
        return Recording(sha256, "unreadable"), nothing
    if flaw := flaw_of(samples):
        return Recording(sha256, flaw, **facts), nothing
    found = LOG_MEL.make(samples)
    first, last = _sounding(found)
    found = found[first : last + 1]
    return Recording(sha256, **facts, first_frame=first, num_frames=len(found)), found


def _sounding(picture):
    """The first frame and the last one that are not much more silent than the loudest."""
    loudness = picture.mean(axis=1)
    sounding = np.flatnonzero(loudness > loudness.max() - _SILENCE)
    return int(sounding[0]), int(sounding[-1])


@functools.lru_cache(maxsize=_NUM_RECENT)
def _picture(cell, recording, front_end):
    """A picture for the time in which a recording sounds, of a `Perturbed` without its noise."""
    first = recording.first_frame
    return front_end.make(_samples(cell))[first : first + recording.num_frames]


def _samples(cell):
    if isinstance(cell, Perturbed):
        return add_noise(_samples(cell.medium), *cell[1:])
    return read_samples(cell)[0]


def read_samples(path: str, max_seconds: float | None = None) -> tuple[np.ndarray, dict]:
    """Decodes a recording's beginning.

    Args:
        path: The path of a file that libsndfile reads: WAV, FLAC, Ogg, Opus, MP3 and more.
        max_seconds: How much of it; `MAX_SECONDS` unless given.

    Returns:
        Float32 array `(num_samples,)`, mono at `SAMPLING_RATE`, and the facts that `Recording` has
        of it: `seconds`, `sampling_rate`, `num_channels`, `clipped`.

    Raises:
        OSError: If there is no such file.
        ValueError: If it is no recording, or a part of it cannot be decoded.
    """
    import soundfile
    from scipy.signal import resample_poly

    parts, num_clipped = [], 0
    # Opened here, so that a missing file is not taken for one that is no recording.
    with open(path, "rb") as binary:
        try:
            with soundfile.SoundFile(binary) as file:
                rate, num_channels = file.samplerate, file.channels
                if rate > _MOST_HERTZ:
                    raise ValueError(f"it claims to have {rate:,} samples a second")
                left = math.ceil((max_seconds or MAX_SECONDS) * rate)
                while left > 0:
                    block = file.read(min(left, _BLOCK_SECONDS * rate), "float32", always_2d=True)
                    if not len(block):
                        break
                    left -= len(block)
                    num_clipped += int((np.abs(block).max(axis=1) >= _CLIPPED).sum())
                    parts.append(block.mean(axis=1))
                seconds = file.frames / rate
        except soundfile.LibsndfileError as error:
            raise ValueError(str(error)) from error
    samples = np.concatenate(parts) if parts else np.zeros(0, "float32")
    if not np.isfinite(samples).all():
        raise ValueError("it holds samples that are no numbers")
    facts = {
        "seconds": round(min(seconds, len(samples) / rate) if left > 0 else seconds, 3),
        "sampling_rate": rate,
        "num_channels": num_channels,
        "clipped": round(num_clipped / max(len(samples), 1), 6),
    }
    if rate != SAMPLING_RATE and len(samples):
        divisor = math.gcd(rate, SAMPLING_RATE)
        samples = resample_poly(samples, SAMPLING_RATE // divisor, rate // divisor)
    return samples.astype("float32"), facts


def rewrite(path: str, target: str, max_seconds: float) -> float:
    """Writes a recording again as what nothing can go wrong with: WAV, mono at `SAMPLING_RATE`.

    Args:
        path: The recording's path.
        target: Path of the new recording. It has the same features and the same flaw: of what
            cannot be decoded it is an empty file.
        max_seconds: How much of it is read.

    Returns:
        How long the recording is, in seconds.
    """
    import soundfile

    try:
        samples, facts = read_samples(path, max_seconds)
    except ValueError:
        Path(target).write_bytes(b"")
        return 0.0
    soundfile.write(target, samples, SAMPLING_RATE, format="WAV", subtype="FLOAT")
    return facts["seconds"]


def flaw_of(samples: np.ndarray) -> str:
    """The flaw of decoded samples, or an empty string."""
    if len(samples) < _LEAST_SECONDS * SAMPLING_RATE:
        return "too short"
    # A constant is no sound either.
    return "silent" if np.abs(samples - samples.mean()).max() < _SILENT else ""
