"""Statistics of mel-frequency cepstral coefficients: a recording as one vector."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from emotion_keras.inputs.recordings import Perturbed, features

_NUM_COEFFICIENTS = 20


class MfccStatistics(TransformerMixin, BaseEstimator):
    """Mean and deviation over time of 20 MFCCs and of their changes (Davis and Mermelstein 1980).

    Example:

    >>> MfccStatistics().transform(["missing.wav"]).shape
    (1, 80)
    """

    def fit(self, cells: Sequence[str | Perturbed], class_ids: Any = None) -> Self:
        """Learns nothing."""
        return self

    def transform(self, cells: Sequence[str | Perturbed]) -> np.ndarray:
        """The statistics of recordings.

        Args:
            cells: Their paths, or `Perturbed`.

        Returns:
            Float32 array `(num_recordings, 80)`; zeros of a recording with a flaw.
        """
        return np.stack([_statistics(features(cell)) for cell in cells])

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _statistics(log_mel):
    from scipy.fft import dct

    if len(log_mel) < 2:
        return np.zeros(4 * _NUM_COEFFICIENTS, "float32")
    coefficients = dct(log_mel, norm="ortho")[:, :_NUM_COEFFICIENTS]
    changes = np.diff(coefficients, axis=0)
    parts = [over(part, axis=0) for over in (np.mean, np.std) for part in (coefficients, changes)]
    return np.concatenate(parts).astype("float32")
