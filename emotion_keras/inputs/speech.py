"""Speech: recordings, frames of their sound, and vectors. No Keras before it is needed."""

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from emotion_keras.errors import UserError
from emotion_keras.inputs.media import (
    Excerpt,
    Perturbed,
    count,
    describe_flaws,
    listed,
    perturb,
    whole,
)
from emotion_keras.inputs.media_input import MediaInput
from emotion_keras.inputs.mel import HOP_LENGTH, SAMPLING_RATE
from emotion_keras.inputs.recordings import (
    FLAWS,
    MAX_SECONDS,
    Recording,
    features,
    inspect,
    keep,
    rewrite,
)
from emotion_keras.inputs.sequences import StoredSequences
from emotion_keras.inputs.speech_encoders import SpeechEncoder, find_encoder
from emotion_keras.inputs.speech_noise import KINDS
from emotion_keras.record.options import COUNT, COUNT_OR_NONE, NOT_NEGATIVE, Limit, Options, option

if TYPE_CHECKING:
    from emotion_keras.inputs.embedded import Embedded

# Share of samples as loud as can be from which a recording counts as clipped.
_MUCH_CLIPPED = 0.01


@dataclass(frozen=True, kw_only=True)
class SpeechOptions(Options):
    """How recordings become tokens, and tokens vectors."""

    encoder: str = option(
        "scratch",
        "`scratch` learns convolutions over the frames of 10 ms; `resemblyzer` is a pretrained "
        "encoder that tells speakers apart.",
        is_basic=True,
    )
    freeze_encoder: bool = option(
        False,
        "Whether a pretrained encoder stays as it is: its outputs are computed once, and an epoch "
        "takes seconds; recordings are the same in each epoch.",
        is_basic=True,
    )
    encoder_layers: int = option(
        2,
        "How many of the three layers of `resemblyzer` are used.",
        Limit("1, 2 or 3", lambda value: value in (1, 2, 3)),
    )
    sequence_length: int = option(
        128, "Longest recording in tokens; of longer ones the end is cut off.", COUNT
    )
    frames_per_token: int = option(
        8,
        "Frames of 10 ms that make one token.",
        Limit("2, 4 or 8", lambda value: value in (2, 4, 8)),
    )
    embedding_dim: int = option(128, "Width of the vectors of `scratch`.", COUNT)
    mask_seconds: float = option(
        0.2,
        "Longest stretch, in seconds, that is masked while training, two for each recording; 0 for "
        "none.",
        NOT_NEGATIVE,
    )
    mask_bands: int = option(
        12,
        "Most of the mel bands that are masked at once while training, twice for each "
        "recording; 0 for none.",
        COUNT_OR_NONE,
    )
    change_speed: float = option(
        0.15,
        "How much faster or slower recordings get at most while training, as a share; 0 for none.",
        Limit("0 or more, and below 1", lambda value: 0 <= value < 1),
    )
    shift_bands: float = option(
        3.0,
        "By how many mel bands voices get higher or lower at most while training; 0 for none.",
        NOT_NEGATIVE,
    )
    change_loudness: float = option(
        5.0,
        "By how many decibels recordings get louder or softer at most while `scratch` is trained; "
        "0 for none.",
        NOT_NEGATIVE,
    )


class SpeechInput(MediaInput):
    """Recordings, named by their paths, as frames of a mel picture that are put together.

    Args:
        options: `SpeechOptions`.
        mean: Float32 array `(num_bins,)`, what is taken from each band: its mean in the training
            split, where the encoder reads standardized frames.
        deviation: Float32 array `(num_bins,)`, what it is divided by then: the standard deviation.
    """

    name = "speech"
    singular = "recording"
    plural = "recordings"
    size_unit = "seconds"
    column_option = "audio_column"
    column_names = (
        "audio",
        "audio_path",
        "file",
        "file_name",
        "filename",
        "path",
        "recording",
        "speech",
        "wav",
        "clip",
    )
    unit_plural = "moments"
    samples = tuple(
        str(path) for path in sorted((Path(__file__).parent / "samples").glob("*.flac"))
    )
    suffixes = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64")
    flaws = FLAWS
    noises = {kind: functools.partial(perturb, kind) for kind in KINDS}
    options_class = SpeechOptions
    usually_frozen = True
    feature = "frames"

    @classmethod
    def inspect(cls, cell: str | Perturbed) -> Recording:
        return inspect(cell)

    @classmethod
    def fetch(cls, cells: Sequence[str], notify: Callable[[str], Any] = print) -> None:
        keep(cells, notify)

    @classmethod
    def rewrite(cls, path: str, target: str, longest: float) -> float:
        return rewrite(path, target, longest)

    @classmethod
    def is_cut(cls, cell: str | Perturbed) -> bool:
        return inspect(cell).seconds > MAX_SECONDS

    @classmethod
    def fold(cls, cell: str) -> str:
        return inspect(cell).sha256 or cell

    @classmethod
    def describe(cls, cells: Sequence[str]) -> dict[str, dict[str, int]]:
        found = [inspect(cell) for cell in cells]
        return {
            "sampling rate": count(f"{one.sampling_rate:,} Hz" for one in found),
            "channels": count(str(one.num_channels) for one in found),
            "clipped": count("yes" if one.clipped > _MUCH_CLIPPED else "no" for one in found),
        }

    @classmethod
    def doubts(cls, cells: Sequence[str]) -> Iterable[str]:
        found = [(inspect(cell), cell) for cell in cells]
        yield from describe_flaws([one.flaw for one, _ in found], cells, FLAWS, "recordings")
        whole = [one for one, _ in found if not one.flaw]
        if len({one.sampling_rate for one in whole}) > 1:
            rates = count(f"{one.sampling_rate:,} Hz" for one in whole)
            yield (
                "the recordings have several sampling rates: "
                f"{', '.join(f'{rate} ({number:,})' for rate, number in rates.items())}. Where "
                "they go with the labels, a model learns the rates and not the emotions."
            )
        if clipped := [cell for one, cell in found if one.clipped > _MUCH_CLIPPED]:
            yield (
                f"{len(clipped):,} recordings are clipped, more than a hundredth of their samples: "
                f"{listed(clipped)}."
            )

    @classmethod
    def size(cls, cell: str | Perturbed) -> float:
        return inspect(cell).seconds

    options: SpeechOptions

    def __init__(self, options: SpeechOptions, mean: np.ndarray, deviation: np.ndarray):
        super().__init__(options, mean, deviation)
        self.is_frozen = options.freeze_encoder
        self._encoder = find_encoder(options.encoder)

    @classmethod
    def find_encoder(cls, name: str) -> SpeechEncoder:
        return find_encoder(name)

    @classmethod
    def learn(cls, cells: Sequence[str], options: Options | None = None, **given: Any) -> Self:
        options = cast(SpeechOptions, options or SpeechOptions(**given))
        encoder = find_encoder(options.encoder)
        if options.freeze_encoder and not encoder.can_be_frozen:
            raise UserError(
                "Only a pretrained encoder can be frozen: leave out `--freeze-encoder`, or choose "
                f"resemblyzer. Received: encoder={options.encoder!r}"
            )
        if encoder.is_standardized:
            return cls(options, *_mean_and_deviation(cells, encoder.front_end))
        num_bins = encoder.front_end.num_bins
        return cls(options, np.zeros(num_bins, "float32"), np.ones(num_bins, "float32"))

    @property
    def token_shape(self) -> tuple[int, ...]:
        return (self.options.frames_per_token * self._encoder.front_end.num_bins,)

    def encode(
        self, cells: Sequence[str | Perturbed | Excerpt], longest: int | None = None
    ) -> StoredSequences:
        cells, per_token = list(cells), self.options.frames_per_token
        longest, front_end = longest or self.sequence_length, self._encoder.front_end

        def read(index):
            path, kept = whole(cells[index])
            frames = features(path, front_end)[: longest * per_token]
            frames = (frames - self._mean) / self._deviation
            missing = -len(frames) % per_token
            tokens = np.pad(frames, ((0, missing), (0, 0)))
            tokens = tokens.reshape(-1, per_token * front_end.num_bins)
            if kept is not None:
                # The mean of each band, or silence.
                tokens[np.setdiff1d(np.arange(len(tokens)), kept)] = 0
            return tokens

        lengths = [-(-inspect(whole(cell)[0]).num_frames // per_token) for cell in cells]
        return StoredSequences(np.minimum(lengths, longest), read, self.feature)

    def embed(self, load_weights: bool = True, dtype: str = "float32") -> "Embedded":
        import keras

        from emotion_keras.inputs.embedded import Embedded

        frames = keras.Input((None, *self.token_shape), dtype="float32", name=self.feature)
        padding_mask = keras.Input((None,), dtype="int32", name="padding_mask")
        inputs = {self.feature: frames, "padding_mask": padding_mask}
        scale = float(self._deviation.mean())
        vectors, varied_mask = self._encoder.embed(
            frames, padding_mask, self.options, scale, load_weights, dtype
        )
        return Embedded(inputs, vectors, varied_mask)

    def units(self, cells: Sequence[str | Perturbed]) -> list[list[tuple[str, int]]]:
        units = []
        for cell, length in zip(cells, self.encode(cells).lengths, strict=True):
            first = inspect(cell).first_frame
            frames = first + self.options.frames_per_token * np.arange(length)
            units.append([(f"{i * HOP_LENGTH / SAMPLING_RATE:.2f} s", 1) for i in frames])
        return units


def _mean_and_deviation(cells, front_end):
    """The mean of each band over recordings, and its standard deviation."""
    num_frames, sums, squares = 0, np.zeros(front_end.num_bins), np.zeros(front_end.num_bins)
    for cell in cells:
        frames = features(cell, front_end).astype("float64")
        num_frames += len(frames)
        sums += frames.sum(axis=0)
        squares += (frames**2).sum(axis=0)
    mean = sums / num_frames
    # A band in which nothing is heard has the deviation 0.
    deviation = np.maximum(np.sqrt(np.maximum(squares / num_frames - mean**2, 0)), 1e-3)
    return mean.astype("float32"), deviation.astype("float32")
