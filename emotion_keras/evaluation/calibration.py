"""Whether a model is as often right as it says."""

import numpy as np


def expected_calibration_error(label_ids, probabilities, num_bins=15):
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
