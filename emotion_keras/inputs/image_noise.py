"""Noise of images: what may happen to pixels on their way to a model. NumPy and Pillow only.

Each kind is a function of pixels, float32 `(side, side)` or `(side, side, 3)` from 0 to 255, a
level between 0 and 1, and a `numpy.random.Generator`, that gives pixels. What it draws does not
depend on the level, so that a higher level does more of the same.
"""

import io

import numpy as np

_MOST_BLUR = 1 / 8
_BEST_QUALITY = 95
_MOST_DEGREES = 90
_GREY = 128


def _gaussian_noise(pixels, level, rng):
    """The level is the noise's standard deviation, of half the range of brightness."""
    return pixels + level * _GREY * rng.standard_normal(pixels.shape, "float32")


def _blur(pixels, level, rng):
    """The level is a Gaussian's standard deviation, of an eighth of the side."""
    from scipy.ndimage import gaussian_filter

    deviation = level * _MOST_BLUR * len(pixels)
    return gaussian_filter(pixels, (deviation, deviation, 0)[: pixels.ndim], mode="nearest")


def _jpeg(pixels, level, rng):
    """The level is what JPEG's quality lacks, of 95."""
    from PIL import Image

    written = io.BytesIO()
    quality = max(round((1 - level) * _BEST_QUALITY), 1)
    Image.fromarray(_as_bytes(pixels)).save(written, "JPEG", quality=quality)
    return np.asarray(Image.open(written), "float32")


def _brightness(pixels, level, rng):
    """Darker or brighter by up to the level, as a share of the way to black or white."""
    share = level * rng.uniform(-1, 1)
    return pixels * (1 + share) if share < 0 else pixels + share * (255 - pixels)


def _rotation(pixels, level, rng):
    """Turned by up to the level, of 90 degrees; the corners repeat what is next to them."""
    from scipy.ndimage import rotate

    degrees = level * _MOST_DEGREES * rng.uniform(-1, 1)
    return rotate(pixels, degrees, reshape=False, order=1, mode="nearest")


def _occlusion(pixels, level, rng):
    """The level is the share of the area that a grey square covers."""
    side = round(np.sqrt(level) * len(pixels))
    row, column = (int(draw * (len(pixels) - side + 1)) for draw in rng.random(2))
    covered = pixels.copy()
    covered[row : row + side, column : column + side] = _GREY
    return covered


KINDS = {
    "gaussian_noise": _gaussian_noise,
    "blur": _blur,
    "jpeg": _jpeg,
    "brightness": _brightness,
    "rotation": _rotation,
    "occlusion": _occlusion,
}


def _as_bytes(pixels):
    return np.clip(np.round(pixels), 0, 255).astype("uint8")


def add_noise(pixels: np.ndarray, kind: str, level: float, seed: int) -> np.ndarray:
    """Pixels with noise.

    Args:
        pixels: Uint8 array `(side, side)` or `(side, side, 3)`.
        kind: Name in `KINDS`.
        level: Float in `[0, 1]`; what it is the share of, the kinds say.
        seed: Integer, decides what is left to chance.

    Returns:
        Uint8 array of the same shape.

    Example:

    >>> add_noise(np.zeros((8, 8), "uint8"), "occlusion", 0.25, seed=0).sum() // 128
    np.uint64(16)
    """
    changed = KINDS[kind](pixels.astype("float32"), level, np.random.default_rng(seed))
    return _as_bytes(changed)
