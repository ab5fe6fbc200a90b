"""Images as one vector each: their pixels, or histograms of oriented gradients."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from emotion_keras.inputs.images import pixels
from emotion_keras.inputs.media import Perturbed

_SIZE = 48


class Pixels(TransformerMixin, BaseEstimator):
    """The pixels of an image in grey, 48 x 48, from 0 to 1.

    Example:

    >>> Pixels().transform(["missing.png"]).shape
    (1, 2304)
    """

    def fit(self, cells: Sequence[str | Perturbed], class_ids: Any = None) -> Self:
        """Learns nothing."""
        return self

    def transform(self, cells: Sequence[str | Perturbed]) -> np.ndarray:
        """The pixels of images, float32 `(num_images, 2304)`; zeros of an image with a flaw.

        Args:
            cells: Their paths, or `Perturbed`.
        """
        return np.stack([pixels(cell, _SIZE, 1).ravel() for cell in cells]).astype("float32") / 255

    def __sklearn_is_fitted__(self) -> bool:
        return True


class OrientedGradients(TransformerMixin, BaseEstimator):
    """Histograms of oriented gradients (Dalal and Triggs 2005) of an image in grey, 48 x 48.

    Nine directions in cells of 6 x 6 pixels, normalized over blocks of 2 x 2 cells.

    Example:

    >>> OrientedGradients().transform(["missing.png"]).shape
    (1, 1764)
    """

    def fit(self, cells: Sequence[str | Perturbed], class_ids: Any = None) -> Self:
        """Learns nothing."""
        return self

    def transform(self, cells: Sequence[str | Perturbed]) -> np.ndarray:
        """The histograms of images, float32 `(num_images, 1764)`; zeros of one with a flaw.

        Args:
            cells: Their paths, or `Perturbed`.
        """
        from skimage.feature import hog

        sizes = {"orientations": 9, "pixels_per_cell": (6, 6), "cells_per_block": (2, 2)}
        grey = (pixels(cell, _SIZE, 1)[..., 0] for cell in cells)
        return np.stack([hog(image, **sizes) for image in grey]).astype("float32")

    def __sklearn_is_fitted__(self) -> bool:
        return True
