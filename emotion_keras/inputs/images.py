"""Images: decoded, judged, and the features of large ones kept on disk.

`inspect` says what an image is, and `features` gives its middle square, at most `MOST_SIDE` pixels
wide; `pixels` makes of it what a model reads. `keep` puts the features of files that take long to
decode into a cache on disk, by their content.
"""

import dataclasses
import functools
import hashlib
import io
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emotion_keras.errors import UserError
from emotion_keras.inputs import feature_cache, media
from emotion_keras.inputs.image_noise import add_noise
from emotion_keras.inputs.media import Perturbed, sha256_of, version_of

if TYPE_CHECKING:
    from PIL.Image import Image

# Side of the square that is kept of a larger image: models read no more of it.
MOST_SIDE = 256
# Of more an image is refused before it is decoded: it would fill the memory.
MOST_PIXELS = 50_000_000
_LEAST_SIDE = 8
# Levels of brightness, of 256, that an image with something on it has at least between its darkest
# and its brightest pixel.
_LEAST_CONTRAST = 4
# What Pillow reads of images; of others, such as EPS, it starts programs.
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "MPO", "PNG", "PPM", "TIFF", "WEBP")
# What Pillow raises where a file is damaged, besides `OSError`.
_DAMAGE = (OSError, ValueError, SyntaxError, LookupError, EOFError, TypeError, OverflowError)
_DAMAGE += (struct.error, zlib.error, MemoryError)
# Smaller files are decoded sooner than their features are found.
_WORTH_KEEPING_BYTES = 2**15
# Images whose features stay in memory, so that a single answer does not decode twice.
_NUM_RECENT = 256
# How features are made: a model must not read what an earlier version has made in another way.
_VERSION = "square-1"

FLAWS = ("missing", "unreadable", "too large", "too small", "constant")


@dataclasses.dataclass(frozen=True)
class Picture:
    """What an image is.

    Args:
        sha256: Checksum of the file's content; empty where there is no file.
        flaw: Why nothing can be learned from it: one of `FLAWS`, or empty.
        width: In pixels, as it is stored.
        height: Likewise.
        mode: Pillow's name of what a pixel is, such as `L`, `RGB` or `CMYK`.
        num_frames: Frames of an animation, pages of a document, of which the first is read; else 1.
        looks: Checksum of the features: two files may hold the same image.
    """

    sha256: str
    flaw: str = ""
    width: int = 0
    height: int = 0
    mode: str = ""
    num_frames: int = 1
    looks: str = ""


def inspect(path: str | Perturbed) -> Picture:
    """Says what an image is.

    Args:
        path: The image's path; a file that has changed is read again. Or a `Perturbed`, which is
            what its file is.
    """
    if isinstance(path, Perturbed):
        return inspect(path.medium)
    version = version_of(path)
    if version is None:
        return Picture("", "missing")
    try:
        return _inspect(path, version)
    except OSError:
        return Picture("", "unreadable")


def features(path: str | Perturbed) -> np.ndarray:
    """The middle square of an image, uint8 `(side, side)` of a grey one and else `(side, side, 3)`.

    Args:
        path: The image's path, or a `Perturbed`. One with a flaw has no pixels: its side is 0.
    """
    if isinstance(path, Perturbed):
        found = features(path.medium)
        return add_noise(found, *path[1:]) if found.size else found
    picture = inspect(path)
    if picture.flaw:
        return np.zeros((0, 0), "uint8")
    try:
        return feature_cache.load(picture.sha256, _VERSION)
    except (OSError, ValueError):
        return _decode(path, version_of(path))[1]


def pixels(path: str | Perturbed, size: int, channels: int) -> np.ndarray:
    """An image as models read it, uint8 `(size, size, channels)`.

    Args:
        path: The image's path, or a `Perturbed`. One with a flaw is black.
        size: Its side, in pixels.
        channels: 1 for grey, 3 for red, green and blue.
    """
    from PIL import Image

    found = features(path)
    if not found.size:
        return np.zeros((size, size, channels), "uint8")
    mode = "L" if channels == 1 else "RGB"
    if found.shape != (size, size) or channels == 3:
        image = Image.fromarray(found).convert(mode)
        found = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
    return found.reshape(size, size, channels)


def keep(paths: Sequence[str], notify: Callable[[str], object] = print) -> None:
    """Makes the features of images whose files are large, and keeps them; see `media.keep`.

    Args:
        paths: The images' paths.
        notify: Called with messages.
    """
    versions = ((path, version_of(path)) for path in paths)
    large = [path for path, version in versions if version and version[0] >= _WORTH_KEEPING_BYTES]
    media.keep(large, _VERSION, lambda path: _decode(path, version_of(path)), "images", notify)


def rewrite(path: str, target: str, most_pixels: float) -> float:
    """Writes an image again as what nothing can go wrong with: a square PNG of 8 bits.

    Args:
        path: The image's path.
        target: Path of the new image. It has the same features and the same flaw: of what cannot be
            decoded it is an empty file.
        most_pixels: An image of more is not decoded.

    Returns:
        How many pixels the image has.
    """
    from PIL import Image

    try:
        image, facts = _read(path, most_pixels)
    except ValueError:
        image, facts = None, {"width": 0, "height": 0}
    if image is None:
        Path(target).write_bytes(b"")
    else:
        Image.fromarray(_square(image)).save(target, "PNG")
    return facts["width"] * facts["height"]


def write_pixels(numbers: bytes) -> bytes:
    """A PNG of a grey square whose pixels are numbers from 0 to 255, with blanks between them.

    Raises:
        UserError: If they are no square of such numbers.
    """
    from PIL import Image

    values = np.array(numbers.split(), int)
    side = math.isqrt(len(values))
    if side**2 != len(values) or values.max() > 255:
        raise UserError(
            f"{len(values):,} numbers of up to {values.max()}, where the pixels of a square are "
            "needed, from 0 to 255."
        )
    written = io.BytesIO()
    Image.fromarray(values.reshape(side, side).astype("uint8")).save(written, "PNG")
    return written.getvalue()


@functools.lru_cache(maxsize=2**17)
def _inspect(path, version):
    """What a file of some version is; a model that trains asks in each batch."""
    facts = feature_cache.find(sha256_of(path, version), _VERSION)
    return Picture(**facts) if facts else _decode(path, version)[0]


@functools.lru_cache(maxsize=_NUM_RECENT)
def _decode(path, version):
    """What a file of some version is, and its features."""
    sha256, nothing = sha256_of(path, version), np.zeros((0, 0), "uint8")
    try:
        image, facts = _read(path, MOST_PIXELS)
    except (OSError, ValueError):
        return Picture(sha256, "unreadable"), nothing
    if image is None:
        return Picture(sha256, "too large", **facts), nothing
    found = _square(image)
    if len(found) < _LEAST_SIDE:
        return Picture(sha256, "too small", **facts), nothing
    if np.ptp(found) < _LEAST_CONTRAST:
        return Picture(sha256, "constant", **facts), nothing
    looks = hashlib.sha256(f"{found.shape}".encode() + found.tobytes()).hexdigest()
    return Picture(sha256, **facts, looks=looks), found


def _read(path: str, most_pixels: float) -> tuple["Image | None", dict]:
    """Decodes an image, upright, in grey or in colour.

    Args:
        path: The path of a file of one of `_FORMATS`.
        most_pixels: An image of more is not decoded.

    Returns:
        `PIL.Image.Image` of the mode `L` or `RGB`, or `None` where it is too large; and the facts
        that `Picture` has of it.

    Raises:
        OSError: If there is no such file, or a part of it cannot be decoded.
        ValueError: If it is no image.
    """
    from PIL import Image

    # Opened here, so that no library of Pillow opens it by its name.
    with open(path, "rb") as file:
        try:
            image = Image.open(file, formats=_formats())
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            return None, {"width": most_pixels + 1, "height": 1}
        except _DAMAGE as error:
            raise ValueError(str(error)) from error
        facts = {"width": image.width, "height": image.height, "mode": image.mode}
        if image.width * image.height > most_pixels:
            return None, facts
        try:
            # What phones write beside a photograph is no animation.
            is_single = image.format == "MPO" or not getattr(image, "is_animated", False)
            facts["num_frames"] = 1 if is_single else image.n_frames
            # Of a photograph no more is decoded than is needed.
            image.draft(None, (2 * MOST_SIDE, 2 * MOST_SIDE))
            return _plain(image), facts
        except _DAMAGE as error:
            raise ValueError(str(error)) from error


@functools.lru_cache
def _formats():
    """Those of `_FORMATS` that Pillow was built with."""
    from PIL import Image

    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _plain(image):
    """An image upright, of the mode `L` or `RGB`, on white where it is transparent."""
    from PIL import Image, ImageOps

    is_grey = image.mode in ("1", "L", "LA", "La", "I", "F") or image.mode.startswith("I;16")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) // 257).astype("uint8"))
    elif image.mode in ("I", "F"):  # No range is known for them: from its darkest to its brightest.
        values = np.asarray(image, "float64")
        values -= values.min()
        image = Image.fromarray((values * (255 / max(values.max(), 1e-9))).astype("uint8"))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if is_grey else "RGB")


def _square(image):
    """The pixels of the middle square of an image, made smaller where it is large."""
    from PIL import Image, ImageOps

    side = min(*image.size, MOST_SIDE)
    return np.asarray(ImageOps.fit(image, (side, side), Image.Resampling.BILINEAR))
