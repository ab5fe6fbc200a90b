"""Statistics of mel-frequency cepstral coefficients: a recording as one vector."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from emotion_keras.inputs.media import Perturbed
from emotion_keras.inputs.recordings import features

_NUM_COEFFICIENTS = 40
_PERCENTILES = (5, 25, 50, 75, 95)
# Slopes and curvatures are those of parabolas through so many frames.
_WINDOW = 9
_SIZE = 3 * (2 + len(_PERCENTILES)) * _NUM_COEFFICIENTS


class MfccStatistics(TransformerMixin, BaseEstimator):
    """Statistics over time of 40 MFCCs (Davis and Mermelstein 1980), their slopes and curvatures.

    Of each the mean, the standard deviation and five percentiles.

    Example:

    >>> MfccStatistics().transform(["missing.wav"]).shape
    (1, 840)
    """

    def fit(self, cells: Sequence[str | Perturbed], class_ids: Any = None) -> Self:
        """Learns nothing."""
        return self

    def transform(self, cells: Sequence[str | Perturbed]) -> np.ndarray:
        """The statistics of recordings.

        Args:
            cells: Their paths, or `Perturbed`.

        Returns:
            Float32 array `(num_recordings, 840)`; zeros of a recording with a flaw.
        """
        return np.stack([_statistics(features(cell)) for cell in cells])

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _statistics(log_mel):
    from scipy.fft import dct
    from scipy.signal import savgol_filter

    if len(log_mel) < _WINDOW:
        return np.zeros(_SIZE, "float32")
    coefficients = dct(log_mel, norm="ortho")[:, :_NUM_COEFFICIENTS]
    slopes, curvatures = (
        savgol_filter(coefficients, _WINDOW, degree, deriv=degree, axis=0) for degree in (1, 2)
    )
    found = []
    for part in (coefficients, slopes, curvatures):
        found += [part.mean(axis=0), part.std(axis=0), *np.percentile(part, _PERCENTILES, axis=0)]
    return np.concatenate(found).astype("float32")
