"""Temperature scaling. NumPy only."""

import numpy as np


def scale(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of the logits over a temperature (Guo et al. 2017).

    Args:
        probabilities: Float array `(num_texts, num_classes)`.
        temperature: Positive float.

    Returns:
        Float array `(num_texts, num_classes)`.
    """
    # The logarithm of a softmax's output is its input, but for a constant that softmax ignores.
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-12)) / temperature
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
