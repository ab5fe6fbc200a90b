"""The mean of an example's vectors of numbers."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from emotion_keras.errors import UserError
from emotion_keras.inputs.features import parse


class MeanVectors(TransformerMixin, BaseEstimator):
    """The mean of the vectors of an example; one vector is its own mean.

    Example:

    >>> MeanVectors().fit_transform(["[[1, 2], [3, 4]]", "[5, 6]"]).tolist()
    [[2.0, 3.0], [5.0, 6.0]]
    """

    def fit(self, cells: Sequence[str], class_ids: Any = None) -> Self:
        """Learns how many numbers a vector has."""
        self.dim_ = parse(cells[0]).shape[1]
        return self

    def transform(self, cells: Sequence[str]) -> np.ndarray:
        """The mean vectors.

        Args:
            cells: Cells of `FeaturesInput`.

        Returns:
            Float64 array `(num_cells, dim)`.

        Raises:
            UserError: If a vector has another number of numbers than those it was fitted to.
        """
        vectors = [parse(cell) for cell in cells]
        if others := [found.shape[1] for found in vectors if found.shape[1] != self.dim_]:
            raise UserError(
                f"The model takes vectors of {self.dim_} numbers. Received: one of {others[0]}"
            )
        return np.stack([found.mean(axis=0) for found in vectors])
