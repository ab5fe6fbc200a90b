"""What a kind of label has to say: from the cells of a column to metrics and answers."""

import abc
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

import numpy as np

# In place of a probability of 0, which no score stands for: the least of float32.
_LEAST = float(np.finfo(np.float32).tiny)


class Target(abc.ABC):
    """A kind of label: how its cells are read, learned, decided and measured.

    A kind is one subclass in a file of its own and a line in `TARGETS`. Whatever it is, a model
    gives each label a probability, `(num_examples, num_labels)`.

    Args:
        labels: The labels' names; a class id is a position in them.

    Attributes:
        name: The kind's name, as the option `target` and the record have it.
        activation: What makes probabilities of the labels' scores.
        several: Whether several labels may hold of an example, or none.
        shown: Names of the metrics that a table of one run shows, and what it calls them.
        thresholds: Of a kind with several labels, by label the probability from which on it holds.
    """

    name: ClassVar[str]
    activation: ClassVar[str] = "softmax"
    several: ClassVar[bool] = False
    shown: ClassVar[dict[str, str]] = {
        "accuracy": "accuracy",
        "macro_f1": "macro F1",
        "weighted_f1": "weighted F1",
        "auc": "AUC",
        "ece": "ECE",
    }
    thresholds: tuple[float, ...] | None = None

    def __init__(self, labels: Iterable[str]):
        self.labels = tuple(labels)

    @classmethod
    @abc.abstractmethod
    def find_labels(cls, cells: Iterable[str]) -> tuple[str, ...]:
        """The labels that cells name, in the order of their class ids.

        Args:
            cells: Strings, each once; an empty one names no label.
        """

    @abc.abstractmethod
    def encode(self, cells: Sequence[str]) -> np.ndarray:
        """What a model is to say of examples.

        Args:
            cells: Strings.

        Returns:
            Float32 array `(num_examples, num_labels)`; a row of zeros where a cell names no label.
        """

    @property
    def main_metric(self) -> str:
        """The metric by which models are ranked and chosen, the first of `shown`."""
        return next(iter(self.shown))

    def are_known(self, cells: Sequence[str]) -> np.ndarray:
        """Which cells say what the labels of their example are, a boolean array."""
        return np.any(self.encode(cells), axis=1)

    def in_order(self, cells: Sequence[str]) -> list[str]:
        """Cells as `decide` writes them: labels that are not among its own are left out."""
        return [cell if cell in self.labels else "" for cell in cells]

    def fit(self, truth: np.ndarray, probabilities: np.ndarray) -> Self:
        """The target with what it learns of the validation split for its decisions.

        Args:
            truth: Float array `(num_examples, num_labels)` of `encode`.
            probabilities: Float array of the same shape, as a model gives them.

        Returns:
            A target of this kind; itself, where there is nothing to learn.
        """
        return self

    def classes(self, truth: np.ndarray) -> np.ndarray:
        """The label that each example counts to: in balancing, and wherever there is one.

        Args:
            truth: What `encode` returned, or such rows after noise.

        Returns:
            Int32 array `(num_examples,)` of class ids; -1 where there is no label.
        """
        return np.where(truth.any(axis=1), truth.argmax(axis=1), -1).astype(np.int32)

    def class_ids(self, cells: Sequence[str]) -> np.ndarray:
        """The label that each cell counts to; see `classes`."""
        return self.classes(self.encode(cells))

    def head(self, features: Any) -> Any:
        """Ends a functional model.

        Args:
            features: Symbolic tensor `(batch, dim)`.

        Returns:
            Symbolic tensor `(batch, num_labels)` of probabilities, in float32 at any precision.
        """
        import keras

        return keras.layers.Dense(
            len(self.labels), activation=self.activation, dtype="float32", name="classifier"
        )(features)

    @abc.abstractmethod
    def loss(self, label_smoothing: float, label_weights: np.ndarray | None = None) -> Any:
        """The `keras.losses.Loss` between rows of `encode` and probabilities.

        Args:
            label_smoothing: Float.
            label_weights: Of a kind with several labels float array `(2, num_labels)`: what it
                counts if a label does not hold, and if it does; `None` counts all alike.
        """

    def training_metrics(self) -> list:
        """The Keras metrics that are shown while a model trains; `accuracy` is among them."""
        import keras

        # By name it would be made within the first step, which TensorFlow would then trace twice.
        return [keras.metrics.CategoricalAccuracy(name="accuracy")]

    @abc.abstractmethod
    def validate(self, truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        """What is measured after each epoch: `loss`, `accuracy` and `macro_f1`."""

    def score_weights(self, kernel: np.ndarray) -> np.ndarray:
        """The weights by which features add to the scores of labels, counted for comparison.

        Args:
            kernel: Float array `(dim, num_labels)`, the head's weights.

        Returns:
            Float array `(dim, num_labels)`; for a softmax, to which a number added to all scores
            makes no difference, counted from the mean over labels.
        """
        if self.activation == "softmax":
            return kernel - kernel.mean(axis=-1, keepdims=True)
        return kernel

    def scores(self, probabilities: np.ndarray) -> np.ndarray:
        """The scores of labels that probabilities were made of, counted as by `score_weights`.

        Args:
            probabilities: Float array `(num_examples, num_labels)`, as a model gives them.

        Returns:
            Float array of the same shape.
        """
        probabilities = np.asarray(probabilities, np.float64)
        logs = np.log(np.maximum(probabilities, _LEAST))
        if self.activation == "softmax":
            return logs - logs.mean(axis=-1, keepdims=True)
        return logs - np.log(np.maximum(1 - probabilities, _LEAST))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """The probabilities that scores of labels stand for: what `scores` takes back.

        Args:
            scores: Float array `(num_examples, num_labels)`.

        Returns:
            Float64 array of the same shape.
        """
        if self.activation == "softmax":
            exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
            return exponentials / exponentials.sum(axis=-1, keepdims=True)
        return 1 / (1 + np.exp(-scores))

    def combine(self, probabilities: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
        """What several models say together: the probabilities of the weighted mean of their scores.

        Of a softmax it is the weighted geometric mean, renormalised (a logarithmic opinion pool;
        Genest and Zidek 1986).

        Args:
            probabilities: By model a float array `(num_examples, num_labels)`.
            weights: Float array `(num_models,)` that sums to 1.

        Returns:
            Float32 array `(num_examples, num_labels)`.

        Example:

        >>> from emotion_keras.targets import SingleLabel
        >>> both = [np.array([[0.9, 0.1]]), np.array([[0.5, 0.5]])]
        >>> SingleLabel(["joy", "fear"]).combine(both, np.array([0.5, 0.5]))
        array([[0.75, 0.25]], dtype=float32)
        """
        scores = [self.scores(of_model) for of_model in probabilities]
        return self.probabilities(np.tensordot(weights, scores, axes=1)).astype("float32")

    @abc.abstractmethod
    def decide(self, probabilities: np.ndarray) -> list[str]:
        """The cell that stands for each row of probabilities, as a model gives them."""

    def explained(self, probabilities: np.ndarray) -> np.ndarray:
        """The label of each example that an explanation is about, unless another is asked for.

        Args:
            probabilities: Float array `(num_examples, num_labels)`.

        Returns:
            Integer array `(num_examples,)` of class ids: what is decided, or of a kind with several
            labels the most probable one.
        """
        return self.class_ids(self.decide(probabilities))

    def confidence(self, cells: Sequence[str], probabilities: np.ndarray) -> np.ndarray:
        """How sure answers are to be right.

        Args:
            cells: What was decided of each example.
            probabilities: Float array `(num_examples, num_labels)`, scaled.

        Returns:
            Float array `(num_examples,)`: the probability of what was decided.
        """
        return probabilities[np.arange(len(cells)), self.class_ids(cells)]

    @abc.abstractmethod
    def metrics(self, truth: np.ndarray, probabilities: np.ndarray) -> dict:
        """All metrics of a run on one split, as the record has them.

        Args:
            truth: Float array `(num_examples, num_labels)` of `encode`.
            probabilities: Float array of the same shape.

        Returns:
            Dictionary with what `targets.metrics.classification_metrics` gives, and more where a
            kind has more.
        """

    @abc.abstractmethod
    def fit_temperature(self, truth: np.ndarray, probabilities: np.ndarray) -> float:
        """The temperature that makes probabilities of the validation split fit best."""

    @abc.abstractmethod
    def scale(self, probabilities: np.ndarray, temperature: float) -> np.ndarray:
        """Probabilities at a temperature, a float array of the same shape."""

    def judged(self, truth: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What calibration compares: how sure a model is, and whether it is right.

        Args:
            truth: Float array `(num_examples, num_labels)` of `encode`.
            probabilities: Float array of the same shape.

        Returns:
            Float array of confidences and boolean array of the same length: a number an example, or
            of a kind with several labels one for each label of an example.
        """
        right = probabilities.argmax(axis=1) == self.classes(truth)
        return probabilities.max(axis=1), right

    def answers(self, probabilities: np.ndarray, temperature: float | None = None) -> list[dict]:
        """What a user reads of each example.

        Args:
            probabilities: Float array `(num_examples, num_labels)`, as a model gives them.
            temperature: What they are scaled with; `None` leaves them as they are.

        Returns:
            List of dictionaries of `label`; `confidence`, see the function of that name; and
            `probabilities` by label, scaled.
        """
        scaled = probabilities if temperature is None else self.scale(probabilities, temperature)
        cells = self._decide_scaled(probabilities, scaled)
        rows = zip(cells, self.confidence(cells, scaled).tolist(), scaled.tolist(), strict=True)
        return [
            {
                "label": cell,
                "confidence": confidence,
                "probabilities": dict(zip(self.labels, row, strict=True)),
            }
            for cell, confidence, row in rows
        ]

    def _decide_scaled(self, probabilities, scaled):
        """What is answered; thresholds are of the probabilities as the model gives them."""
        return self.decide(scaled)
