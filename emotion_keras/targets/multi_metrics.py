"""The metrics of a classifier of several labels an example."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics

# As of scikit-learn's log loss in float64.
_LEAST = np.finfo(np.float64).eps
NUM_BINS = 15


def log_losses(truth: Any, probabilities: Any) -> np.ndarray:
    """The binary cross-entropy of each example, the mean over labels, `(num_examples,)`."""
    truth = np.asarray(truth, np.float64)
    probabilities = np.clip(np.asarray(probabilities, np.float64), _LEAST, 1 - _LEAST)
    found = truth * np.log(probabilities) + (1 - truth) * np.log1p(-probabilities)
    return -found.mean(axis=1)


def f1_by_label(truth: Any, holds: Any) -> np.ndarray:
    """F1 of each label; 0 where it neither holds nor is answered."""
    return metrics.f1_score(np.asarray(truth) > 0, holds, average=None, zero_division=0)


def calibration_by_label(truth: Any, probabilities: Any, num_bins: int = NUM_BINS) -> np.ndarray:
    """The expected calibration error of each label's probability, `(num_labels,)`.

    Examples are put into bins of equal width by the probability of the label; the error is the mean
    gap between the probability and the share of examples of which the label holds, by the size of
    the bin.
    """
    truth, probabilities = np.asarray(truth, np.float64), np.asarray(probabilities, np.float64)
    found = []
    for held, values in zip(truth.T, probabilities.T, strict=True):
        bins = np.minimum((values * num_bins).astype(int), num_bins - 1)
        gaps = np.bincount(bins, weights=held - values, minlength=num_bins)
        found.append(np.abs(gaps).sum() / len(values))
    return np.array(found)


def multilabel_metrics(
    truth: Any, probabilities: Any, holds: Any, labels: Sequence[str]
) -> dict[str, Any]:
    """All metrics of a run on one split.

    Args:
        truth: Float array `(num_examples, num_labels)` of 0 and 1.
        probabilities: Float array of the same shape.
        holds: Boolean array of the same shape: which labels are answered.
        labels: The labels' names.

    Returns:
        Dictionary of `accuracy`, the share of examples all of whose labels are right; `macro_f1`,
        `micro_f1`, `weighted_f1` and `samples_f1` (an example without labels that is answered so
        counts 1); `jaccard`, the mean over examples, likewise; `hamming_loss`; `lrap`, the label
        ranking average precision; `auc` and `average_precision`, the means over labels (`None`
        where a label holds of all examples or of none); `log_loss`, `brier_score` and `ece`, the
        means over labels of those of one label; `num_examples`; and `per_label` (by name:
        `precision`, `recall`, `f1`, `support`, `auc`, `average_precision`, `brier_score`, `ece`);
        and `confusion_matrix`: of the examples of which the row's label holds, of how many the
        column's is answered, on the diagonal rightly, elsewhere wrongly.

    Example:

    >>> found = multilabel_metrics([[1, 1], [0, 1]], [[0.9, 0.8], [0.4, 0.6]],
    ...                            [[True, True], [False, False]], ["joy", "fear"])
    >>> found["accuracy"], found["hamming_loss"]
    (0.5, 0.25)
    """
    truth = np.asarray(truth) > 0
    probabilities, holds = np.asarray(probabilities, np.float64), np.asarray(holds, bool)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, holds, average=None, zero_division=0
    )
    is_met = (support > 0) & (support < len(truth))
    pairs = list(zip(truth.T, probabilities.T, is_met, strict=True))
    auc = [float(metrics.roc_auc_score(*pair)) if met else None for *pair, met in pairs]
    average = [
        float(metrics.average_precision_score(*pair)) if met else None for *pair, met in pairs
    ]
    brier = np.mean((probabilities - truth) ** 2, axis=0)
    ece = calibration_by_label(truth, probabilities)
    f1_options = {"y_true": truth, "y_pred": holds, "zero_division": 0}
    by_example = {**f1_options, "average": "samples", "zero_division": 1}
    return {
        "accuracy": float(metrics.accuracy_score(truth, holds)),
        "macro_f1": float(f1.mean()),
        "micro_f1": float(metrics.f1_score(**f1_options, average="micro")),
        "weighted_f1": float(metrics.f1_score(**f1_options, average="weighted")),
        "samples_f1": float(metrics.f1_score(**by_example)),
        "jaccard": float(metrics.jaccard_score(**by_example)),
        "hamming_loss": float(metrics.hamming_loss(truth, holds)),
        "lrap": float(metrics.label_ranking_average_precision_score(truth, probabilities)),
        "auc": _mean(auc),
        "average_precision": _mean(average),
        "log_loss": float(log_losses(truth, probabilities).mean()),
        "brier_score": float(brier.mean()),
        "ece": float(ece.mean()),
        "num_examples": len(truth),
        "per_label": {
            label: {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "support": int(support[i]),
                "auc": auc[i],
                "average_precision": average[i],
                "brier_score": float(brier[i]),
                "ece": float(ece[i]),
            }
            for i, label in enumerate(labels)
        },
        "confusion_matrix": _confusion(truth, holds).tolist(),
    }


def _confusion(truth, holds):
    """Where a label holds, the labels that are answered: itself, and others wrongly."""
    wrong = truth.T.astype(int) @ (holds & ~truth)
    return wrong + np.diag((truth & holds).sum(axis=0))


def _mean(values):
    """The mean, or `None` where a value is missing."""
    return None if None in values else float(np.mean(values))
