"""The metrics of several labels an example, against scikit-learn label by label and by hand."""

import json

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from emotion_keras.targets import MultiLabel
from emotion_keras.targets.multi_metrics import multilabel_metrics
from tests.unit.targets.test_multi import scored

LABELS = ["joy", "fear", "anger"]


def measured(truth, probabilities, thresholds=(0.3, 0.5, 0.6)):
    target = MultiLabel(LABELS, thresholds)
    return target.metrics(truth, probabilities), target.holds(probabilities)


def test_against_scikit_learn():
    truth, probabilities = scored()
    assert (~truth.astype(bool)).all(axis=1).sum() > 20
    found, holds = measured(truth, probabilities)
    for average in ("macro", "micro", "weighted"):
        assert found[f"{average}_f1"] == pytest.approx(
            metrics.f1_score(truth, holds, average=average)
        )
    by_example = {"average": "samples", "zero_division": 1}
    # All labels of all examples as one long list of questions.
    long, said = truth.ravel(), probabilities.ravel()
    expected = {
        "accuracy": np.mean([(a == b).all() for a, b in zip(truth, holds, strict=True)]),
        "samples_f1": metrics.f1_score(truth, holds, **by_example),
        "jaccard": metrics.jaccard_score(truth, holds, **by_example),
        "hamming_loss": metrics.hamming_loss(truth, holds),
        "lrap": metrics.label_ranking_average_precision_score(truth, probabilities),
        "auc": metrics.roc_auc_score(truth, probabilities, average="macro"),
        "average_precision": metrics.average_precision_score(truth, probabilities),
        "log_loss": metrics.log_loss(long, said),
        "brier_score": metrics.brier_score_loss(long, said),
        "num_examples": 200,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    report = metrics.classification_report(
        truth, holds, target_names=LABELS, output_dict=True, zero_division=0
    )
    for label, is_held, values in zip(LABELS, truth.T, probabilities.T, strict=True):
        expected = report[label] | {
            "f1": report[label]["f1-score"],
            "auc": metrics.roc_auc_score(is_held, values),
            "average_precision": metrics.average_precision_score(is_held, values),
            "brier_score": metrics.brier_score_loss(is_held, values),
        }
        of_label = dict(found["per_label"][label])
        of_label.pop("ece")
        del expected["f1-score"]
        assert of_label == pytest.approx(expected)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_by_hand():
    truth = np.array([[1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 1, 1]])
    said = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]])
    found = multilabel_metrics(truth, np.where(said, 0.75, 0.25), said, LABELS)
    assert found["accuracy"] == pytest.approx(2 / 5) and found["hamming_loss"] == 4 / 15
    # Of two and two labels one in common; nothing and nothing; the same; nothing; two of three.
    assert found["samples_f1"] == pytest.approx((1 / 2 + 1 + 1 + 0 + 4 / 5) / 5)
    assert found["jaccard"] == pytest.approx((1 / 3 + 1 + 1 + 0 + 2 / 3) / 5)
    # Where joy held, it was said twice, and anger once wrongly; where fear did, it was said once,
    # joy once wrongly (in the last example), and anger once (in the first).
    assert found["confusion_matrix"] == [[2, 0, 1], [1, 1, 1], [1, 0, 1]]
    # Of joy 3 are said with 0.75, of which 2 hold, and 2 with 0.25, of which none does.
    assert found["per_label"]["joy"]["ece"] == pytest.approx((3 * (0.75 - 2 / 3) + 2 * 0.25) / 5)


def test_the_calibration_error_is_that_of_each_labels_probability():
    truth, probabilities = scored(decimals=9)  # None lies on the edge of a bin.
    found, _ = measured(truth, probabilities)
    for number, label in enumerate(LABELS):
        column = truth[:, number], probabilities[:, number]
        shares, means = calibration_curve(*column, n_bins=15)
        sizes, _ = np.histogram(column[1], bins=15, range=(0, 1))
        expected = np.abs(shares - means) @ sizes[sizes > 0] / 200
        assert found["per_label"][label]["ece"] == pytest.approx(expected)
    of_labels = [found["per_label"][label]["ece"] for label in LABELS]
    assert found["ece"] == pytest.approx(np.mean(of_labels))


def test_a_label_that_never_holds_has_no_auc():
    truth, probabilities = scored()
    truth[:, 1] = 0
    found, holds = measured(truth, probabilities)
    assert found["auc"] is None and found["average_precision"] is None
    never = found["per_label"]["fear"]
    assert (never["auc"], never["average_precision"], never["support"]) == (None, None, 0)
    assert (never["recall"], never["f1"]) == (0, 0) and holds[:, 1].any()
    assert found["per_label"]["joy"]["auc"] == pytest.approx(
        metrics.roc_auc_score(truth[:, 0], probabilities[:, 0])
    )
    assert found["macro_f1"] == pytest.approx(
        metrics.f1_score(truth, holds, average="macro", zero_division=0)
    )
    # Nor has one that always does.
    truth[:, 1] = 1
    assert measured(truth, probabilities)[0]["per_label"]["fear"]["auc"] is None
