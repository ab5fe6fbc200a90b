"""Several labels an example, or none: what people feel at a time."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from emotion_keras.errors import UserError
from emotion_keras.record.options import join_names, split_names
from emotion_keras.targets.base import Target

# The cell of an example of which no label holds; an empty cell says nothing.
NONE = "(none)"
_LEAST = 1e-7


class MultiLabel(Target):
    """Several labels an example: sigmoids, binary cross-entropy, and a threshold for each label.

    The cell of an example is a list of the labels that hold, with commas between them, in the
    order of the class ids; `(none)` if none does.

    Args:
        labels: The labels' names.
        thresholds: By label the probability from which on it holds; 0.5 unless given.

    Example:

    >>> target = MultiLabel(["joy", "fear"], thresholds=[0.5, 0.3])
    >>> target.encode(["fear,joy", "(none)"])
    array([[1., 1.],
           [0., 0.]], dtype=float32)
    >>> target.decide(np.array([[0.2, 0.4], [0.9, 0.6]]))
    ['fear', 'joy,fear']
    """

    name = "multi"
    activation = "sigmoid"
    several = True
    shown = {  # noqa: RUF012, as in the base class
        "macro_f1": "macro F1",
        "micro_f1": "micro F1",
        "samples_f1": "samples F1",
        "jaccard": "Jaccard",
        "accuracy": "all labels right",
        "lrap": "LRAP",
        "auc": "AUC",
        "average_precision": "average precision",
        "ece": "ECE",
    }

    def __init__(
        self, labels: Iterable[str], thresholds: Sequence[float] | np.ndarray | None = None
    ):
        super().__init__(labels)
        if NONE in self.labels:
            raise UserError(
                f"{NONE} stands for examples of which no label holds, and cannot be a label. "
                f"Rename it. Received: labels={list(self.labels)}"
            )
        if thresholds is None:
            thresholds = [0.5] * len(self.labels)
        self.thresholds = tuple(map(float, thresholds))
        if len(self.thresholds) != len(self.labels):
            raise UserError(
                f"There are {len(self.labels)} labels and {len(self.thresholds)} thresholds, where "
                f"each has one. Received: thresholds={list(self.thresholds)}"
            )

    @classmethod
    def find_labels(cls, cells: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted({name for cell in cells for name in names_in(cell)}))

    def encode(self, cells: Sequence[str]) -> np.ndarray:
        numbers = {label: number for number, label in enumerate(self.labels)}
        truth = np.zeros((len(cells), len(self.labels)), "float32")
        for row, cell in zip(truth, cells, strict=True):
            row[[numbers[name] for name in names_in(cell) if name in numbers]] = 1
        return truth

    def are_known(self, cells: Sequence[str]) -> np.ndarray:
        known = set(self.labels)
        return np.array([bool(cell) and known.issuperset(names_in(cell)) for cell in cells], bool)

    def classes(self, truth: np.ndarray) -> np.ndarray:
        raise UserError(
            "This needs one label for each example, and here several may hold, or none. Leave it "
            f"out, or choose data with one label. Received: target={self.name!r}"
        )

    def cells(self, truth: np.ndarray) -> list[str]:
        """The cells of rows of `encode`."""
        kept = np.packbits(np.asarray(truth) > 0, axis=1)
        rows, of_row = np.unique(kept, axis=0, return_inverse=True)
        holds = np.unpackbits(rows, axis=1, count=len(self.labels)).astype(bool)
        cells = [
            join_names(name for name, held in zip(self.labels, row, strict=True) if held) or NONE
            for row in holds
        ]
        return [cells[number] for number in of_row.ravel().tolist()]

    def in_order(self, cells: Sequence[str]) -> list[str]:
        known = self.cells(self.encode(cells))
        return [cell and own for cell, own in zip(cells, known, strict=True)]

    def fit(self, truth: np.ndarray, probabilities: np.ndarray) -> "MultiLabel":
        return MultiLabel(self.labels, fit_thresholds(truth, probabilities))

    def loss(self, label_smoothing: float, label_weights: np.ndarray | None = None) -> Any:
        import keras

        if label_weights is None:
            return keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)
        without, held = np.asarray(label_weights, "float32")

        def weighted(truth, probabilities):
            ops = keras.ops
            truth = truth * (1 - label_smoothing) + label_smoothing / 2
            probabilities = ops.clip(probabilities, _LEAST, 1 - _LEAST)
            of_held = ops.multiply(held, truth * ops.log(probabilities))
            of_others = ops.multiply(without, (1 - truth) * ops.log(1 - probabilities))
            return -ops.mean(of_held + of_others, axis=-1)

        return weighted

    def training_metrics(self) -> list:
        import keras

        def all_right(truth, probabilities):
            right = (truth >= 0.5) == (probabilities >= 0.5)
            return keras.ops.cast(keras.ops.all(right, axis=-1), "float32")

        return [keras.metrics.MeanMetricWrapper(all_right, name="accuracy")]

    def validate(self, truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        from emotion_keras.targets.multi_metrics import f1_by_label, log_losses

        holds = probabilities >= fit_thresholds(truth, probabilities)
        return {
            "loss": float(log_losses(truth, probabilities).mean()),
            "accuracy": float((holds == (truth > 0)).all(axis=1).mean()),
            "macro_f1": float(f1_by_label(truth, holds).mean()),
        }

    def holds(self, probabilities: np.ndarray) -> np.ndarray:
        """Which labels hold by their thresholds, a boolean array `(num_examples, num_labels)`."""
        return np.asarray(probabilities) >= np.array(self.thresholds)

    def decide(self, probabilities: np.ndarray) -> list[str]:
        return self.cells(self.holds(probabilities))

    def explained(self, probabilities: np.ndarray) -> np.ndarray:
        return np.asarray(probabilities).argmax(axis=1)

    def confidence(self, cells: Sequence[str], probabilities: np.ndarray) -> np.ndarray:
        """The probability that all labels are right, if they did not depend on each other."""
        truth = self.encode(cells)
        return np.prod(np.where(truth > 0, probabilities, 1 - probabilities), axis=1)

    def judged(self, truth: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.ravel(probabilities), np.ravel(truth) > 0

    def answers(self, probabilities: np.ndarray, temperature: float | None = None) -> list[dict]:
        """What a user reads of each example; `labels` is the list of those that hold."""
        answers = super().answers(probabilities, temperature)
        return [{**answer, "labels": list(names_in(answer["label"]))} for answer in answers]

    def metrics(self, truth: np.ndarray, probabilities: np.ndarray) -> dict:
        from emotion_keras.targets.multi_metrics import multilabel_metrics

        return multilabel_metrics(truth, probabilities, self.holds(probabilities), self.labels)

    def fit_temperature(self, truth: np.ndarray, probabilities: np.ndarray) -> float:
        from scipy import optimize

        from emotion_keras.targets.multi_metrics import log_losses

        def log_loss(log_temperature):
            return log_losses(truth, self.scale(probabilities, np.exp(log_temperature))).mean()

        found = optimize.minimize_scalar(log_loss, bounds=np.log([0.05, 20]), method="bounded")
        return float(np.exp(found.x))

    def scale(self, probabilities: np.ndarray, temperature: float) -> np.ndarray:
        """The sigmoid of the scores over a temperature."""
        kept = np.clip(np.asarray(probabilities, np.float64), 1e-12, 1 - 1e-12)
        return self.probabilities(self.scores(kept) / temperature)

    def _decide_scaled(self, probabilities, scaled):
        return self.decide(probabilities)


@functools.lru_cache(maxsize=4096)
def names_in(cell: str) -> tuple[str, ...]:
    """The labels that a cell names; none of an empty one and of `(none)`."""
    return () if cell in ("", NONE) else tuple(split_names("labels", cell))


def fit_thresholds(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The thresholds of best F1, label by label.

    Args:
        truth: Float array `(num_examples, num_labels)` of `Target.encode`.
        probabilities: Float array of the same shape.

    Returns:
        Float64 array `(num_labels,)`, each in the middle between two probabilities; of several
        that are equally good, the one nearest 0.5. It is 0.5 for a label that holds of no example.

    Example:

    >>> fit_thresholds(np.array([[1], [1], [0]]), np.array([[0.9], [0.4], [0.2]])).round(3)
    array([0.3])
    """
    columns = zip(np.asarray(truth).T > 0, np.asarray(probabilities, np.float64).T, strict=True)
    return np.array([_best_threshold(*column) for column in columns])


def _best_threshold(is_held, probabilities):
    if not is_held.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    falling = probabilities[order]
    right = np.cumsum(is_held[order])
    # After the last of equal ones alone can a threshold lie.
    ends = np.flatnonzero(np.append(falling[:-1] > falling[1:], True))
    f1 = 2 * right[ends] / (ends + 1 + is_held.sum())
    middles = (falling[ends] + np.append(falling[ends[:-1] + 1], 0.0)) / 2
    best = middles[f1 >= f1.max() - 1e-12]
    return float(best[np.abs(best - 0.5).argmin()])
