"""Adapts a model's answers to another corpus, by what it says of its examples, without labels.

`prior`: labels may be more frequent there than where the model was trained. Their frequencies are
those under which the answers are most likely, by expectation and maximization (Saerens, Latinne and
Decaestecker 2002). `center`: the scores of a label may lie higher or lower on all examples. They
are moved so that their means are those of the validation split.

Both need what the model says of the validation split of its own corpus: the mean of its
probabilities there is how frequent it takes the labels to be (Alexandari, Kundaje and Shrikumar
2020).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from emotion_keras.targets import Target

_MOST_STEPS, _TOLERANCE = 1000, 1e-7
# In place of 0: of a label that nobody was trained on.
_LEAST = 1e-12


def estimate_priors(probabilities: np.ndarray, priors: np.ndarray) -> np.ndarray:
    """How frequent labels are among examples whose labels nobody knows (Saerens et al. 2002).

    Args:
        probabilities: Float array `(num_examples, num_labels)`, calibrated.
        priors: Float array `(num_labels,)`, how frequent they are where the model was trained.

    Returns:
        Float array `(num_labels,)`, those of highest likelihood.

    Example:

    >>> sure = np.array([[0.98, 0.02], [0.98, 0.02], [0.98, 0.02], [0.02, 0.98]])
    >>> estimate_priors(sure, np.array([0.5, 0.5])).round(2)
    array([0.76, 0.24])
    """
    found = priors = np.maximum(priors, _LEAST)
    for _ in range(_MOST_STEPS):
        before, found = found, _reweighted(probabilities, found / priors).mean(axis=0)
        if np.abs(found - before).max() < _TOLERANCE:
            break
    return found


def _reweighted(probabilities, weights):
    weighed = probabilities * weights
    return weighed / np.maximum(weighed.sum(axis=1, keepdims=True), _LEAST)


def _adapt_prior(target, probabilities, validation, temperature):
    priors = target.scale(validation, temperature).mean(axis=0)
    found = estimate_priors(target.scale(probabilities, temperature), priors)
    # Scaled by the temperature, these are the scaled probabilities times the weights.
    weights = (found / np.maximum(priors, _LEAST)) ** temperature
    by_label = {
        name: dict(zip(target.labels, values.tolist(), strict=True))
        for name, values in (("priors_before", priors), ("priors", found))
    }
    return _reweighted(probabilities, weights), by_label


def _adapt_center(target, probabilities, validation, temperature):
    scores, wanted = target.scores(probabilities), target.scores(validation).mean(axis=0)
    moved = wanted - scores.mean(axis=0)
    by_label = dict(zip(target.labels, moved.tolist(), strict=True))
    return target.probabilities(scores + moved), {"moved": by_label}


_METHODS: dict[str, Callable[..., tuple[np.ndarray, dict[str, Any]]]] = {
    "prior": _adapt_prior,
    "center": _adapt_center,
}


def adapt(
    method: str,
    target: Target,
    probabilities: np.ndarray,
    validation: np.ndarray,
    temperature: float,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Adapts a model's answers to the examples of another corpus.

    Args:
        method: `"prior"` or `"center"`.
        target: The model's `Target`.
        probabilities: Float array `(num_examples, num_labels)`, what it says of them, unscaled.
        validation: Float array, what it says of the validation split of its own corpus.
        temperature: Its temperature.

    Returns:
        The adapted probabilities, to be scaled by the same temperature, and what was found, a
        dictionary: of `prior` how frequent labels are, by label, where the model was trained
        (`priors_before`) and here (`priors`); of `center` by how much scores were `moved`.
    """
    adapted, found = _METHODS[method](target, probabilities, validation, temperature)
    return adapted, {"method": method, **found}
