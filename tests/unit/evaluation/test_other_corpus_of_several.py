"""What is measured of several labels an example on another corpus, against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from emotion_keras import record
from emotion_keras.data.label_map import LabelMap, map_labels
from emotion_keras.evaluation.adaptation import adapt
from emotion_keras.evaluation.other_corpus import (
    Answers,
    at_best_thresholds,
    from_confidence,
    home_answers,
    measure,
    score_answers,
)
from emotion_keras.targets import MultiLabel

# Shame is the model's alone, disgust the corpus's.
TARGET = MultiLabel(["joy", "fear", "shame"], [0.4, 0.6, 0.5])
CELLS = ["Joy", "Joy,fear", "fear", "(none)", "disgust", "disgust,fear"]
KNOWN = map_labels(TARGET.labels, ["Joy", "disgust", "fear"])


def draw(cells, num_labels=3, seed=0):
    """What a model says of 240 examples, by 24 people."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(cells, 240).tolist()
    probabilities = np.float32(rng.uniform(size=(240, num_labels)))
    ids = [str(number) for number in range(240)]
    return Answers(ids, labels, probabilities, {one: str(int(one) // 10) for one in ids})


@pytest.fixture
def drawn():
    return draw(CELLS)


def truth_of(answers, *names):
    """Of which examples a label of the corpus holds, a column a label, or one of several."""
    sets = [set(label.split(",")) for label in answers.labels]
    groups = [{name} if isinstance(name, str) else set(name) for name in names]
    return np.array([[bool(group & one) for group in groups] for one in sets])


def test_all_examples_count_and_the_thresholds_of_the_model_decide(drawn):
    found = measure(drawn, TARGET, KNOWN, 1.0)
    truth = truth_of(drawn, "Joy", "fear")
    holds = drawn.probabilities[:, :2] >= [0.4, 0.6]
    assert found.metrics["num_examples"] == 240
    for name in ("macro", "micro", "weighted"):
        expected = metrics.f1_score(truth, holds, average=name)
        assert found.metrics[f"{name}_f1"] == pytest.approx(expected)
    assert found.scores["macro_f1"].mean == pytest.approx(found.metrics["macro_f1"])
    assert found.scores["accuracy"].mean == pytest.approx((truth == holds).all(1).mean())
    auc = metrics.roc_auc_score(truth, drawn.probabilities[:, :2], average="macro")
    assert found.scores["auc"].mean == pytest.approx(auc)
    assert found.open_scores["macro_f1"] == found.scores["macro_f1"]
    assert found.by_coverage[1.0].mean == pytest.approx(found.scores["accuracy"].mean)


def test_the_interval_is_that_of_a_bootstrap_over_people(drawn):
    score = measure(drawn, TARGET, KNOWN, 1.0).scores["macro_f1"]
    truth = truth_of(drawn, "Joy", "fear").reshape(24, 10, 2)
    holds = (drawn.probabilities[:, :2] >= [0.4, 0.6]).reshape(24, 10, 2)
    rng = np.random.default_rng(1)
    resampled = []
    for _ in range(1000):
        chosen = rng.integers(0, 24, 24)
        both = (one[chosen].reshape(-1, 2) for one in (truth, holds))
        resampled.append(metrics.f1_score(*both, average="macro"))
    half = 2.07 * np.std(resampled) * np.sqrt(24 / 23)
    assert (score.high - score.low) / 2 == pytest.approx(half, rel=0.1)


def test_of_labels_that_count_as_one_it_holds_if_one_does_and_has_the_largest_probability():
    answers = draw(["glad", "glad,sorry", "sorry", "ashamed", "(none)"])
    known = map_labels(
        TARGET.labels, ["glad", "sorry", "ashamed"], "joy=glad,fear=sorry,shame=sorry,fear=ashamed"
    )
    assert known.shared == ["joy", "fear+shame"]
    found = measure(answers, TARGET, known, 1.0)
    truth = truth_of(answers, "glad", ("sorry", "ashamed"))
    joy, fear, shame = answers.probabilities.T
    holds = np.column_stack([joy >= 0.4, (fear >= 0.6) | (shame >= 0.5)])
    largest = np.column_stack([joy, np.maximum(fear, shame)])
    assert found.metrics["macro_f1"] == pytest.approx(
        metrics.f1_score(truth, holds, average="macro")
    )
    assert found.metrics["auc"] == pytest.approx(metrics.roc_auc_score(truth, largest))
    assert found.metrics["accuracy"] == pytest.approx((truth == holds).all(1).mean())


def test_the_confusion_says_where_answers_are_right_and_where_wrong(drawn):
    table = measure(drawn, TARGET, KNOWN, 1.0).confusion
    assert table.index.tolist() == ["Joy", "fear", "disgust"]
    assert table.columns.tolist() == ["joy", "fear"]
    truth = truth_of(drawn, "Joy", "fear", "disgust")
    holds = drawn.probabilities[:, :2] >= [0.4, 0.6]
    for row, label in enumerate(table.index):
        for column, answer in enumerate(table.columns):
            both = truth[:, row] & holds[:, column]
            is_it = row == column
            assert table.loc[label, answer] == (both & (truth[:, column] == is_it)).sum()


def test_calibration_is_the_mean_over_labels(drawn):
    found = measure(drawn, TARGET, KNOWN, 2.0).calibration
    truth = truth_of(drawn, "Joy", "fear")
    shared = np.float64(drawn.probabilities[:, :2])
    odds = (shared / (1 - shared)) ** 0.5
    scaled = odds / (1 + odds)
    for whose, values in (("none", shared), ("own", scaled)):
        columns = list(zip(truth.T, values.T, strict=True))
        expected = np.mean([metrics.log_loss(*column) for column in columns])
        assert found[whose]["log_loss"] == pytest.approx(expected)
        expected = np.mean([metrics.brier_score_loss(*column) for column in columns])
        assert found[whose]["brier_score"] == pytest.approx(expected)
    assert found["fitted"]["log_loss"] <= min(found[x]["log_loss"] for x in ("none", "own"))


def test_no_thresholds_have_a_better_macro_f1_than_the_best(drawn):
    found = measure(drawn, TARGET, KNOWN, 1.0).at_best_thresholds
    truth, shared = truth_of(drawn, "Joy", "fear"), drawn.probabilities[:, :2]
    by_hand = [
        max(metrics.f1_score(held, values >= level) for level in np.linspace(0, 1, 501))
        for held, values in zip(truth.T, shared.T, strict=True)
    ]
    assert found["macro_f1"] == pytest.approx(np.mean(by_hand), abs=0.005)
    assert found["macro_f1"] >= np.mean(by_hand)
    again = metrics.f1_score(truth, shared >= list(found["thresholds"].values()), average="macro")
    assert list(found["thresholds"]) == ["joy", "fear"]
    assert found["macro_f1"] == pytest.approx(again)


def test_a_hand_calculation_of_the_best_thresholds():
    truth = np.array([[1, 0], [1, 0], [0, 0]])
    found = at_best_thresholds(truth, np.array([[0.9, 0.1], [0.4, 0.1], [0.2, 0.1]]), ["a", "b"])
    assert found["macro_f1"] == 0.5  # The first is told apart; the second never holds.
    assert found["thresholds"] == {"a": pytest.approx(0.3), "b": 0.5}


def test_an_answer_from_a_confidence_on_is_a_whole_one(drawn):
    measured = measure(drawn, TARGET, KNOWN, 1.0)
    accuracy, answered = from_confidence(measured, 0.3, drawn.groups)
    holds = drawn.probabilities >= [0.4, 0.6, 0.5]
    sure = np.where(holds, drawn.probabilities, 1 - drawn.probabilities).prod(1) >= 0.3
    right = (holds[:, :2] == truth_of(drawn, "Joy", "fear")).all(1)
    assert 0 < sure.sum() < 240 and answered == pytest.approx(sure.mean())
    assert accuracy.mean == pytest.approx(right[sure].mean())


def test_names_with_commas_are_one_label():
    target = MultiLabel(["fear, or dread", "joy"], [0.5, 0.5])
    known = map_labels(target.labels, ["Fear, or dread", "joy"])
    cells = ['"Fear, or dread",joy', "joy", "(none)"]
    says = np.float32([[0.9, 0.8], [0.1, 0.9], [0.2, 0.6]])
    found = measure(Answers(["1", "2", "3"], cells, says, {}), target, known, 1.0)
    assert found.metrics["accuracy"] == pytest.approx(2 / 3)
    assert found.metrics["per_label"]["fear, or dread"]["support"] == 1


def test_at_home_all_examples_count_too(tmp_path):
    labels = list(TARGET.labels)
    rows = pd.DataFrame(
        {
            "id": ["1", "2", "3", "4"],
            "split": ["test", "test", "test", "val"],
            "label": ["joy", "shame", "joy,shame", "fear"],
            "predicted": ["joy", "(none)", "fear", "fear"],
            "probability:joy": [0.5, 0.1, 0.3, 0.0],
            "probability:fear": [0.1, 0.2, 0.7, 0.9],
            "probability:shame": [0.1, 0.1, 0.1, 0.1],
        }
    )
    rows.to_csv(tmp_path / record.PREDICTIONS, index=False)
    run = {
        "corpus": {"labels": labels, "reading": {"target": "multi"}},
        "label_thresholds": list(TARGET.thresholds),
        "metrics": {"test": {"num_examples": 3}, "val": {"num_examples": 1}},
    }
    known = LabelMap({"joy": "joy", "fear": "fear", "shame": None}, {"joy": "joy", "fear": "fear"})
    answers, at_home = home_answers(run, tmp_path, known)
    assert answers.ids == ["1", "2", "3"]
    values, _ = score_answers(answers, TARGET, at_home).shared
    assert values["accuracy"] == pytest.approx(2 / 3)  # Of the second no shared label holds.


def test_moved_scores_have_the_means_of_the_validation_split(drawn):
    validation = np.random.default_rng(2).uniform(0.2, 0.9, (50, 3))
    moved, found = adapt("center", TARGET, drawn.probabilities, validation, 1.5)
    logits = np.log(moved / (1 - moved)).mean(0)
    np.testing.assert_allclose(logits, np.log(validation / (1 - validation)).mean(0), atol=1e-5)
    assert set(found["moved"]) == set(TARGET.labels)
