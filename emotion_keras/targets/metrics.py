"""The metrics of a classifier, from its probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics

from emotion_keras.targets.calibration import expected_calibration_error


def macro_f1(label_ids: Any, predicted: Any, num_classes: int) -> float:
    """Mean of the labels' F1, each label counted alike; one never met nor predicted has 0.

    Args:
        label_ids: Integer array `(num_texts,)`.
        predicted: Integer array `(num_texts,)`.
        num_classes: Integer.

    Returns:
        Float between 0 and 1.
    """
    return float(
        metrics.f1_score(
            label_ids, predicted, labels=range(num_classes), average="macro", zero_division=0
        )
    )


def classification_metrics(
    label_ids: Any, probabilities: Any, labels: Sequence[str]
) -> dict[str, Any]:
    """All metrics of a run on one split.

    Args:
        label_ids: Integer array `(num_texts,)`.
        probabilities: Float array `(num_texts, num_classes)`; rows are brought to sum 1.
        labels: The labels' names by class id.

    Returns:
        Dictionary of `accuracy`, `macro_f1`, `weighted_f1`, `auc` (one label against the rest,
        averaged over the labels; `None` where a label is missing from `label_ids`), `log_loss`,
        `brier_score` (sum over labels of the squared error, 0 to 2), `ece`, `num_examples`,
        `per_label` (by name: `precision`, `recall`, `f1`, `support`) and `confusion_matrix` (rows
        are true labels, columns predicted ones).

    Example:

    >>> classification_metrics([0, 1], [[0.9, 0.1], [0.4, 0.6]], ["joy", "fear"])["accuracy"]
    1.0
    """
    label_ids = np.asarray(label_ids)
    probabilities = np.asarray(probabilities, np.float64)
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    class_ids = np.arange(len(labels))
    one_hot = label_ids[:, None] == class_ids
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        label_ids, predicted, labels=class_ids, zero_division=0
    )
    every_label_met = bool((support > 0).all() and (support < len(label_ids)).all())
    return {
        "accuracy": float(metrics.accuracy_score(label_ids, predicted)),
        "macro_f1": float(f1.mean()),
        "weighted_f1": float(np.average(f1, weights=support)),
        "auc": float(metrics.roc_auc_score(one_hot, probabilities)) if every_label_met else None,
        "log_loss": float(metrics.log_loss(label_ids, probabilities, labels=class_ids)),
        "brier_score": float(np.mean(np.sum((probabilities - one_hot) ** 2, axis=1))),
        "ece": expected_calibration_error(label_ids, probabilities),
        "num_examples": len(label_ids),
        "per_label": {
            label: {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "support": int(support[i]),
            }
            for i, label in enumerate(labels)
        },
        "confusion_matrix": metrics.confusion_matrix(
            label_ids, predicted, labels=class_ids
        ).tolist(),
    }
