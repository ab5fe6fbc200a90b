"""Whether a model is as often right as it says."""

from typing import Any

import numpy as np
from scipy import optimize

from emotion_keras.targets.temperature import scale


def expected_calibration_error(label_ids: Any, probabilities: Any, num_bins: int = 15) -> float:
    """Mean gap between confidence and accuracy (Naeini et al. 2015; Guo et al. 2017).

    Texts are put into bins of equal width by their highest probability; a bin counts by its size.

    Args:
        label_ids: Integer array `(num_texts,)`.
        probabilities: Float array `(num_texts, num_classes)`.
        num_bins: Integer.

    Returns:
        Float between 0 and 1.

    Example:

    >>> expected_calibration_error([0, 1], [[0.8, 0.2], [0.8, 0.2]])
    0.30000000000000004
    """
    probabilities = np.asarray(probabilities, np.float64)
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == np.asarray(label_ids)
    bins = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    gap = np.bincount(bins, weights=correct - confidence, minlength=num_bins)
    return float(np.abs(gap).sum() / len(confidence))


def reliability_curve(confidence: Any, correct: Any, num_bins: int = 15) -> dict[str, list]:
    """What the diagram of confidence against accuracy shows, for bins that hold a text.

    Args:
        confidence: Float array `(num_texts,)`; see `Target.judged`.
        correct: Boolean array `(num_texts,)`.
        num_bins: Integer.

    Returns:
        Dictionary of lists with a number a bin: `confidence` and `accuracy`, means over the bin's
        texts, and `num_texts`.
    """
    confidence = np.asarray(confidence, np.float64)
    bins = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    held = counts > 0
    return {
        "confidence": (np.bincount(bins, confidence, num_bins)[held] / counts[held]).tolist(),
        "accuracy": (np.bincount(bins, correct, num_bins)[held] / counts[held]).tolist(),
        "num_texts": counts[held].tolist(),
    }


def fit_temperature(label_ids: Any, probabilities: Any) -> float:
    """The temperature that makes probabilities fit the labels best (Guo et al. 2017).

    Fitted on the validation split, it is applied to others by `scale`.

    Args:
        label_ids: Integer array `(num_texts,)`.
        probabilities: Float array `(num_texts, num_classes)`.

    Returns:
        Float between 0.05 and 20, of least log loss; above 1 where the model is too sure.
    """
    rows = np.arange(len(label_ids))

    def log_loss(log_temperature):
        scaled = scale(probabilities, np.exp(log_temperature))
        return -np.log(np.maximum(scaled[rows, label_ids], 1e-300)).mean()

    found = optimize.minimize_scalar(log_loss, bounds=np.log([0.05, 20]), method="bounded")
    return float(np.exp(found.x))
