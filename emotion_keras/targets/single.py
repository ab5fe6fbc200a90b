"""One label an example, the kind of ISEAR and of most corpora."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from emotion_keras.targets.base import Target
from emotion_keras.targets.temperature import scale


class SingleLabel(Target):
    """One label an example: softmax, cross-entropy, and the most probable label.

    Example:

    >>> target = SingleLabel(["joy", "fear"])
    >>> target.encode(["fear", "", "joy"])
    array([[0., 1.],
           [0., 0.],
           [1., 0.]], dtype=float32)
    >>> target.decide(np.array([[0.4, 0.6]]))
    ['fear']
    """

    name = "single"

    @classmethod
    def find_labels(cls, cells: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(cell for cell in cells if cell))

    def class_ids(self, cells: Sequence[str]) -> np.ndarray:
        ids = {label: i for i, label in enumerate(self.labels)}
        return np.fromiter((ids.get(cell, -1) for cell in cells), np.int32, len(cells))

    def encode(self, cells: Sequence[str]) -> np.ndarray:
        ids = self.class_ids(cells)
        return (ids[:, None] == np.arange(len(self.labels))).astype("float32")

    def loss(self, label_smoothing: float, label_weights: np.ndarray | None = None) -> Any:
        import keras

        return keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)

    def validate(self, truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        from emotion_keras.targets.metrics import macro_f1

        label_ids, predicted = self.classes(truth), probabilities.argmax(axis=1)
        likelihood = np.clip(probabilities[np.arange(len(label_ids)), label_ids], 1e-7, 1)
        return {
            "loss": float(-np.log(likelihood).mean()),
            "accuracy": float(np.mean(predicted == label_ids)),
            "macro_f1": macro_f1(label_ids, predicted, len(self.labels)),
        }

    def decide(self, probabilities: np.ndarray) -> list[str]:
        return [self.labels[i] for i in probabilities.argmax(axis=1).tolist()]

    def metrics(self, truth: np.ndarray, probabilities: np.ndarray) -> dict:
        from emotion_keras.targets.metrics import classification_metrics

        return classification_metrics(self.classes(truth), probabilities, self.labels)

    def fit_temperature(self, truth: np.ndarray, probabilities: np.ndarray) -> float:
        from emotion_keras.targets.calibration import fit_temperature

        return fit_temperature(self.classes(truth), probabilities)

    def scale(self, probabilities: np.ndarray, temperature: float) -> np.ndarray:
        return scale(probabilities, temperature)
