"""Examples of several modalities as one vector each, for models without a network."""

import itertools
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from emotion_keras.inputs import Input, find_modality
from emotion_keras.inputs.fusion import Cell

# Parts of the training split that each say what the others have learned.
_NUM_PARTS = 5
# In how many steps a weight goes from 0 to 1.
_STEPS = 20


class FusedVectors(TransformerMixin, BaseEstimator):
    """The vectors of all modalities side by side: early fusion.

    Of a text its frequent words, of a recording statistics of its MFCCs, of an image histograms of
    oriented gradients, of vectors their mean. What an example lacks is the mean of the others.

    Args:
        modality: Names of the modalities, such as `speech+features`.
    """

    def __init__(self, modality: str):
        self.modality = modality

    def fit(self, cells: Sequence[Cell], class_ids: Any = None) -> Self:
        """Learns what a vectorizer of each modality learns."""
        self.fit_transform(cells)
        return self

    def fit_transform(self, cells: Sequence[Cell], class_ids: Any = None) -> np.ndarray:
        """Learns from cells, and returns their vectors; see `transform`."""
        self.vectorizers_, self.means_, parts = [], [], []
        for part, held, is_there in held_cells(self.modality, cells):
            vectorizer = vectorizer_of(part.name)
            vectors = vectorizer.fit_transform(held)
            self.vectorizers_.append(vectorizer)
            self.means_.append(vectors.mean(axis=0))
            parts.append(_spread(vectors, is_there, self.means_[-1]))
        return np.concatenate(parts, axis=1)

    def transform(self, cells: Sequence[Cell]) -> np.ndarray:
        """The vectors, a float array `(num_cells, dim)`."""
        parts = []
        for (_, held, is_there), vectorizer, mean in zip(
            held_cells(self.modality, cells), self.vectorizers_, self.means_, strict=True
        ):
            vectors = vectorizer.transform(held) if held else np.zeros((0, len(mean)))
            parts.append(_spread(vectors, is_there, mean))
        return np.concatenate(parts, axis=1)


class LateFusion(ClassifierMixin, BaseEstimator):
    """The mean of the probabilities that a logistic regression of each modality gives.

    What each counts in the mean is chosen on parts of the training split, for which the others
    have learned: the weights with the highest likelihood. A modality that an example lacks counts
    nothing.

    Args:
        modality: Names of the modalities, such as `speech+features`.
        C: Inverse strength of the regularization.
        seed: Decides the parts.
    """

    def __init__(self, modality: str, C: float, seed: int):
        self.modality = modality
        self.C = C
        self.seed = seed

    def fit(self, cells: Sequence[Cell], class_ids: np.ndarray) -> Self:
        """Fits the regressions, and chooses their weights."""
        from sklearn.model_selection import StratifiedKFold, cross_val_predict

        class_ids = np.asarray(class_ids)
        self.classes_ = np.unique(class_ids)
        parts = StratifiedKFold(_NUM_PARTS, shuffle=True, random_state=self.seed)
        self.estimators_, held_out = [], []
        for part, held, is_there in held_cells(self.modality, cells):
            estimator, own = self._make(part.name), class_ids[is_there]
            # With the vectorizer: the words of a part must be as unknown as those of new texts.
            probabilities = cross_val_predict(
                estimator, held, own, cv=parts, method="predict_proba"
            )
            held_out.append(self._spread(probabilities, is_there))
            self.estimators_.append(estimator.fit(held, own))
        truth = np.searchsorted(self.classes_, class_ids)
        self.weights_ = _choose_weights(held_out, truth)
        return self

    def predict_proba(self, cells: Sequence[Cell]) -> np.ndarray:
        """The probabilities, a float array `(num_cells, num_classes)`."""
        found = []
        for (_, held, is_there), estimator in zip(
            held_cells(self.modality, cells), self.estimators_, strict=True
        ):
            own = estimator.predict_proba(held) if held else np.zeros((0, 1))
            found.append(self._spread(own, is_there))
        return mean_probabilities(found, self.weights_)

    def predict(self, cells: Sequence[Cell]) -> np.ndarray:
        """Class ids of the most probable labels."""
        return self.classes_[self.predict_proba(cells).argmax(axis=1)]

    @property
    def num_parameters_(self) -> int:
        """Numbers that the regressions and their weights are."""
        lasts = [estimator[-1] for estimator in self.estimators_]
        return sum(one.coef_.size + one.intercept_.size for one in lasts) + len(lasts)

    def _make(self, name):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        logistic = LogisticRegression(C=self.C, max_iter=5000)
        return make_pipeline(vectorizer_of(name), StandardScaler(), logistic)

    def _spread(self, probabilities, is_there):
        return _spread(probabilities, is_there, np.full(len(self.classes_), np.nan))


def _spread(rows, is_there, otherwise):
    """Rows of all examples: those of the ones that have them, and `otherwise` of the others."""
    found = np.tile(otherwise, (len(is_there), 1))
    if is_there.any():
        found[is_there] = rows
    return found


def held_cells(modality: str, cells: Sequence[Cell]) -> list[tuple[type[Input], list, np.ndarray]]:
    """The cells of each modality that can be read.

    Args:
        modality: Names of the modalities.
        cells: Cells of their `FusionInput`.

    Returns:
        List, by modality, of tuples of its class, its cells, and a boolean array `(num_cells,)`:
        which examples they are of.
    """
    fused: Any = find_modality(modality)
    split = [fused.split(cell) for cell in cells]
    flaws = [fused.flaws_of(cell) for cell in cells]
    found = []
    for i, part in enumerate(fused.modalities):
        is_there = [part.name not in of_cell for of_cell in flaws]
        held = [of_cell[i] for of_cell, one in zip(split, is_there, strict=True) if one]
        found.append((part, held, np.array(is_there, bool)))
    return found


def vectorizer_of(modality: str) -> Any:
    """What makes vectors of the cells of one modality, for a model without a network."""
    from emotion_keras.models.frequent_words import FrequentWords
    from emotion_keras.models.image_statistics import OrientedGradients
    from emotion_keras.models.mean_vectors import MeanVectors
    from emotion_keras.models.mfcc_statistics import MfccStatistics

    kinds = {
        "text": FrequentWords,
        "speech": MfccStatistics,
        "image": OrientedGradients,
        "features": MeanVectors,
    }
    return kinds[modality]()


def mean_probabilities(found: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """The weighted mean of probabilities.

    Args:
        found: Arrays `(num_examples, num_classes)`, by modality, of NaN where an example lacks it.
        weights: Float array `(num_modalities,)`.

    Example:

    >>> first, second = np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([[0.1, 0.9], [np.nan] * 2])
    >>> mean_probabilities([first, second], np.array([3.0, 1.0])).round(6).tolist()
    [[0.7, 0.3], [0.5, 0.5]]
    """
    stacked = np.stack(found)
    is_there = ~np.isnan(stacked[:, :, :1])
    # One that counts nothing still says more than nothing where it is alone.
    counted = np.maximum(weights, 1e-6)[:, None, None] * is_there
    return (np.nan_to_num(stacked) * counted).sum(axis=0) / counted.sum(axis=0)


def _choose_weights(held_out, truth):
    """The weights, together 1, with which the mean gives the truth the highest likelihood."""
    splits = itertools.product(range(_STEPS + 1), repeat=len(held_out) - 1)
    weights = [(*one, _STEPS - sum(one)) for one in splits if sum(one) <= _STEPS]
    rows = np.arange(len(truth))

    def likelihood(one):
        means = mean_probabilities(held_out, np.array(one, float))
        return np.log(np.maximum(means[rows, truth], 1e-12)).mean()

    return np.array(max(weights, key=likelihood)) / _STEPS
