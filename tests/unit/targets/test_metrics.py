"""The metrics, against scikit-learn and by hand."""

import json

import numpy as np
import pytest
from sklearn import metrics

from emotion_keras.targets.metrics import classification_metrics, macro_f1

LABELS = ["joy", "fear", "anger", "shame"]


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    label_ids = rng.choice(4, 300, p=[0.4, 0.3, 0.2, 0.1])
    logits = rng.normal(size=(300, 4)) + 1.5 * np.eye(4)[label_ids]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return label_ids, probabilities


def test_by_hand():
    label_ids = [0, 0, 1, 1]
    probabilities = [[0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.1, 0.9]]
    found = classification_metrics(label_ids, probabilities, ["joy", "fear"])
    assert found["accuracy"] == 0.75
    # joy: precision 1, recall 1/2; fear: precision 2/3, recall 1.
    assert found["per_label"]["joy"] == pytest.approx(
        {"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 2}
    )
    assert found["per_label"]["fear"] == pytest.approx(
        {"precision": 2 / 3, "recall": 1, "f1": 0.8, "support": 2}
    )
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0.8) / 2)
    assert found["weighted_f1"] == pytest.approx((2 / 3 + 0.8) / 2)
    # Of the four pairs of a joy and a fear, one is ranked wrongly: 0.3 below 0.4.
    assert found["auc"] == pytest.approx(0.75)
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.3, 0.6, 0.9]).mean())
    assert found["brier_score"] == pytest.approx(2 * (0.04 + 0.49 + 0.16 + 0.01) / 4)
    assert found["ece"] == pytest.approx((0.2 + 0.7 + 0.4 + 0.1) / 4)
    assert found["confusion_matrix"] == [[1, 1], [0, 2]]
    assert found["num_examples"] == 4


def test_against_scikit_learn(scored):
    label_ids, probabilities = scored
    predicted = probabilities.argmax(axis=1)
    found = classification_metrics(label_ids, probabilities, LABELS)
    report = metrics.classification_report(
        label_ids, predicted, target_names=LABELS, output_dict=True
    )
    assert found["accuracy"] == pytest.approx(report["accuracy"])
    assert found["macro_f1"] == pytest.approx(report["macro avg"]["f1-score"])
    assert found["weighted_f1"] == pytest.approx(report["weighted avg"]["f1-score"])
    for label in LABELS:
        expected = report[label]
        expected["f1"] = expected.pop("f1-score")
        assert found["per_label"][label] == pytest.approx(expected)
    assert found["auc"] == pytest.approx(
        metrics.roc_auc_score(label_ids, probabilities, multi_class="ovr", average="macro")
    )
    assert found["log_loss"] == pytest.approx(metrics.log_loss(label_ids, probabilities))
    by_label = [
        metrics.brier_score_loss(label_ids == number, probabilities[:, number])
        for number in range(4)
    ]
    assert found["brier_score"] == pytest.approx(sum(by_label))
    matrix = metrics.confusion_matrix(label_ids, predicted).tolist()
    assert found["confusion_matrix"] == matrix


def test_a_label_missing_from_the_split(scored):
    label_ids, probabilities = scored
    kept = label_ids != 3
    found = classification_metrics(label_ids[kept], probabilities[kept], LABELS)
    assert found["auc"] is None
    assert found["per_label"]["shame"]["support"] == 0
    assert found["per_label"]["shame"]["recall"] == 0
    assert len(found["confusion_matrix"]) == 4
    others = [found["per_label"][label]["f1"] for label in LABELS]
    assert found["macro_f1"] == pytest.approx(sum(others) / 4)
    picked = probabilities[kept, label_ids[kept]]
    assert found["log_loss"] == pytest.approx(-np.log(picked).mean())


def test_rows_that_do_not_sum_to_one_are_brought_to_it(scored):
    label_ids, probabilities = scored
    scale = np.linspace(0.5, 2, 300)[:, None]
    assert classification_metrics(label_ids, probabilities * scale, LABELS)[
        "log_loss"
    ] == pytest.approx(metrics.log_loss(label_ids, probabilities))


def test_all_is_plain_numbers(scored):
    found = classification_metrics(*scored, LABELS)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_macro_f1_counts_labels_never_met_as_zero():
    # Labels 0 and 1 are right, label 2 is neither met nor predicted.
    assert macro_f1([0, 1, 0], [0, 1, 0], num_classes=3) == pytest.approx(2 / 3)
    label_ids, predicted = [0, 1, 2, 2, 1], [0, 2, 2, 1, 1]
    expected = metrics.f1_score(label_ids, predicted, average="macro")
    assert macro_f1(label_ids, predicted, 3) == pytest.approx(expected)
