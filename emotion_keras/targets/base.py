"""What a kind of label has to say: from the cells of a column to metrics and answers."""

import abc
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

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
    """

    name: ClassVar[str]
    activation: ClassVar[str] = "softmax"

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

    def classes(self, truth: np.ndarray) -> np.ndarray:
        """The label that each example counts to: in splits, in balancing, in the audit.

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
    def loss(self, label_smoothing: float) -> Any:
        """The `keras.losses.Loss` between rows of `encode` and probabilities."""

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
        """The cell that stands for each row of probabilities."""

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

    def answers(self, probabilities: np.ndarray) -> list[dict]:
        """What a user reads of each example.

        Args:
            probabilities: Float array `(num_examples, num_labels)`, scaled.

        Returns:
            List of dictionaries of `label`; `confidence`, the probability of the label that the
            example counts to; and `probabilities` by label.
        """
        cells = self.decide(probabilities)
        best = self.class_ids(cells).tolist()
        return [
            {
                "label": cell,
                "confidence": row[label],
                "probabilities": dict(zip(self.labels, row, strict=True)),
            }
            for cell, label, row in zip(cells, best, probabilities.tolist(), strict=True)
        ]
