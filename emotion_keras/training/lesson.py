"""What a network learns beside the labels."""

from typing import Any, NamedTuple

import numpy as np


class Lesson(NamedTuple):
    """What a network learns beside the labels.

    Args:
        answers: Float array `(num_train, num_labels)`, the teacher's answers to the training split.
        share: Float, the share that they have beside the labels.
        more_cells: List of cells without labels.
        more_answers: Float array `(len(more_cells), num_labels)`, the teacher's answers to them.
    """

    answers: np.ndarray
    share: float
    more_cells: list[Any]
    more_answers: np.ndarray

    def mix(self, truth: np.ndarray) -> np.ndarray:
        """What is to be learned: labels mixed with answers, then the answers to `more_cells`.

        Args:
            truth: Float array `(num_train, num_labels)` of `Target.encode`.

        Returns:
            Float32 array `(num_train + len(more_cells), num_labels)`.
        """
        mixed = self.share * self.answers + (1 - self.share) * truth
        return np.concatenate([mixed, self.more_answers]).astype("float32")
