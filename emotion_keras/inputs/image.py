"""Images: faces and others, patches of their pixels, and vectors. No Keras before it is needed."""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from emotion_keras.errors import UserError
from emotion_keras.inputs.image_noise import KINDS
from emotion_keras.inputs.images import (
    FLAWS,
    MOST_SIDE,
    Picture,
    inspect,
    keep,
    pixels,
    rewrite,
    write_pixels,
)
from emotion_keras.inputs.media import (
    Excerpt,
    Perturbed,
    count,
    describe_flaws,
    listed,
    perturb,
    store,
    whole,
)
from emotion_keras.inputs.media_input import MediaInput
from emotion_keras.inputs.sequences import StoredSequences
from emotion_keras.record.options import COUNT, SHARE, Limit, Options, option

if TYPE_CHECKING:
    from emotion_keras.inputs.embedded import Embedded

# Brightness of pixels, as FER-2013's own file has them.
_IN_NUMBERS = re.compile(r"\d{1,3}(?: \d{1,3}){63,}")
# Kinds that the audit names; of photographs each may have a size of its own.
_MOST_KINDS = 5


@dataclass(frozen=True, kw_only=True)
class ImageOptions(Options):
    """How images become tokens, and tokens vectors."""

    encoder: Literal["scratch"] = option(
        "scratch", "Where the vectors come from: `scratch` learns convolutions over the pixels."
    )
    image_size: int = option(
        48,
        "Side, in pixels, of the square that a model reads: the middle of an image, resized. A "
        "multiple of `patch_size`.",
        Limit(f"8 to {MOST_SIDE}", lambda value: 8 <= value <= MOST_SIDE),
        is_basic=True,
    )
    patch_size: int = option(
        8,
        "Side, in pixels, of the patch that makes one token.",
        Limit("4, 8 or 16", lambda value: value in (4, 8, 16)),
    )
    channels: int = option(
        1,
        "1 reads images as grey, 3 as red, green and blue.",
        Limit("1 or 3", lambda value: value in (1, 3)),
    )
    embedding_dim: int = option(96, "Width of the vectors.", COUNT)
    flip: bool = option(True, "Whether to show half of the images mirrored while training.")
    shift: float = option(
        0.1, "Most that an image is shifted while training, as a share of its side.", SHARE
    )
    rotation: float = option(
        10.0,
        "Most degrees that an image is turned by while training.",
        Limit("0 to 180", lambda value: 0 <= value <= 180),
    )
    contrast: float = option(
        0.0, "Most that the contrast is changed by while training, as a share of it.", SHARE
    )
    erasing: float = option(
        0.0,
        "Share of the images of which a rectangle is erased while training.",
        SHARE,
    )

    def __post_init__(self):
        super().__post_init__()
        if self.image_size % self.patch_size:
            raise UserError(
                "The side of an image is a multiple of that of a patch. Received: "
                f"image_size={self.image_size}, patch_size={self.patch_size}"
            )

    @property
    def patches_a_side(self) -> int:
        """Patches next to each other."""
        return self.image_size // self.patch_size

    @property
    def sequence_length(self) -> int:
        """Tokens of every image."""
        return self.patches_a_side**2


def _by_frequency(kinds):
    """How often the most frequent kinds come up, and all others together."""
    counted = list(count(kinds).items())
    named, others = counted[:_MOST_KINDS], counted[_MOST_KINDS:]
    return dict(named) | ({"others": sum(n for _, n in others)} if others else {})


class ImageInput(MediaInput):
    """Images, named by their paths, as patches of pixels from left to right, row by row.

    Args:
        options: `ImageOptions`.
        mean: Float32 array `(channels,)`, the mean of each channel in the training split.
        deviation: Float32 array `(channels,)`, the standard deviation likewise.
    """

    name = "image"
    singular = "image"
    plural = "images"
    size_unit = "pixels"
    column_option = "image_column"
    column_names = (
        "image",
        "image_path",
        "img",
        "face",
        "photo",
        "picture",
        "pixels",
        "file",
        "file_name",
        "filename",
        "path",
    )
    unit_plural = "patches"
    units_fill_a_square = True
    samples = tuple(str(path) for path in sorted((Path(__file__).parent / "samples").glob("*.png")))
    suffixes = (
        ".jpg",
        ".jpeg",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".pgm",
        ".ppm",
        ".avif",
    )
    flaws = FLAWS
    noises = {kind: functools.partial(perturb, kind) for kind in KINDS}
    options_class = ImageOptions
    feature = "patches"

    @classmethod
    def read(cls, value: Any) -> str:
        if isinstance(value, str) and _IN_NUMBERS.fullmatch(value):
            return store(value.encode(), write_pixels)
        return super().read(value)

    @classmethod
    def inspect(cls, cell: str | Perturbed) -> Picture:
        return inspect(cell)

    @classmethod
    def fetch(cls, cells: Sequence[str], notify: Callable[[str], Any] = print) -> None:
        keep(cells, notify)

    @classmethod
    def rewrite(cls, path: str, target: str, longest: float) -> float:
        return rewrite(path, target, longest)

    @classmethod
    def fold(cls, cell: str) -> str:
        found = inspect(cell)
        return found.looks or found.sha256 or cell

    @classmethod
    def describe(cls, cells: Sequence[str]) -> dict[str, dict[str, int]]:
        found = [inspect(cell) for cell in cells]
        return {
            "size": _by_frequency(f"{one.width} x {one.height}" for one in found),
            "mode": count(one.mode for one in found),
            "animated": count("yes" if one.num_frames > 1 else "no" for one in found),
        }

    @classmethod
    def doubts(cls, cells: Sequence[str]) -> Iterable[str]:
        found = [(inspect(cell), cell) for cell in cells]
        yield from describe_flaws([one.flaw for one, _ in found], cells, FLAWS, "images")
        if animated := [cell for one, cell in found if one.num_frames > 1]:
            yield (
                f"{len(animated):,} images are animated or have several pages, and the first is "
                f"read: {listed(animated)}."
            )
        modes = count(one.mode for one, _ in found if not one.flaw)
        if len(modes) > 1:
            yield (
                "the images have several modes: "
                f"{', '.join(f'{mode} ({number:,})' for mode, number in modes.items())}. Where "
                "they go with the labels, a model learns the modes and not the emotions."
            )

    @classmethod
    def size(cls, cell: str | Perturbed) -> float:
        found = inspect(cell)
        return found.width * found.height

    options: ImageOptions

    @classmethod
    def learn(cls, cells: Sequence[str], options: Options | None = None, **given: Any) -> Self:
        chosen = ImageOptions(**(options.to_dict() if options else given))
        sums, squares = np.zeros(chosen.channels), np.zeros(chosen.channels)
        for cell in cells:
            found = pixels(cell, chosen.image_size, chosen.channels).astype("float64")
            sums += found.mean(axis=(0, 1))
            squares += (found**2).mean(axis=(0, 1))
        mean = sums / len(cells)
        deviation = np.sqrt(np.maximum(squares / len(cells) - mean**2, 1))
        return cls(chosen, mean.astype("float32"), deviation.astype("float32"))

    @property
    def token_shape(self) -> tuple[int, ...]:
        return (self.options.patch_size**2 * self.options.channels,)

    @property
    def fixed_length(self) -> int:
        return self.sequence_length

    def encode(
        self, cells: Sequence[str | Perturbed | Excerpt], longest: int | None = None
    ) -> StoredSequences:
        cells, options = list(cells), self.options
        length = min(longest or self.sequence_length, self.sequence_length)
        side, size = options.patches_a_side, options.patch_size

        def read(index):
            cell, kept = whole(cells[index])
            found = pixels(cell, options.image_size, options.channels)
            found = (found - self._mean) / self._deviation
            patches = found.reshape(side, size, side, size, -1).swapaxes(1, 2)
            tokens = patches.reshape(self.sequence_length, -1)
            if kept is not None:
                tokens[np.setdiff1d(np.arange(len(tokens)), kept)] = 0  # The mean.
            return tokens[:length]

        return StoredSequences(np.full(len(cells), length), read, self.feature)

    def embed(self, load_weights: bool = True, dtype: str = "float32") -> "Embedded":
        import keras

        from emotion_keras.inputs.embedded import Embedded
        from emotion_keras.inputs.image_embedding import embed_patches

        length = self.sequence_length
        patches = keras.Input((length, *self.token_shape), dtype="float32", name=self.feature)
        padding_mask = keras.Input((length,), dtype="int32", name="padding_mask")
        inputs = {self.feature: patches, "padding_mask": padding_mask}
        return Embedded(inputs, embed_patches(patches, self.options, dtype), padding_mask)

    def units(self, cells: Sequence[str | Perturbed]) -> list[list[tuple[str, int]]]:
        side = range(1, self.options.patches_a_side + 1)
        units = [(f"row {row}, column {column}", 1) for row in side for column in side]
        return [list(units) for _ in cells]
