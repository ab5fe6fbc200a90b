"""What is measured of a model on another corpus, against scikit-learn and by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from emotion_keras import record
from emotion_keras.data.label_map import map_labels
from emotion_keras.evaluation.other_corpus import (
    Answers,
    from_confidence,
    home_answers,
    measure,
    score_answers,
    shared_probabilities,
    summarize,
)
from emotion_keras.targets import SingleLabel, target_of

TARGET = SingleLabel(["joy", "fear", "shame", "guilt"])


@pytest.fixture
def drawn():
    """200 answers of a model of four labels about three, of which it lacks none, by 20 people."""
    rng = np.random.default_rng(0)
    labels = rng.choice(["glad", "love", "fear"], 200).tolist()
    skill = {"glad": [4, 1, 1, 2], "love": [3, 2, 1, 1], "fear": [1, 4, 1, 1]}
    probabilities = np.array([rng.dirichlet(skill[label]) for label in labels])
    ids = [str(number) for number in range(200)]
    groups = {one: str(int(one) // 10) for one in ids}
    return Answers(ids, labels, probabilities, groups)


@pytest.fixture
def known():
    return map_labels(TARGET.labels, ["glad", "love", "fear"], "joy=glad,joy=love")


def test_probabilities_of_labels_that_count_as_one_are_added():
    found = map_labels(TARGET.labels, ["joy", "blame"], "shame=blame,guilt=blame")
    (row,) = shared_probabilities([[0.1, 0.4, 0.2, 0.3]], TARGET.labels, found)
    np.testing.assert_allclose(row, [0.1, 0.5, 0.4])  # joy, shame+guilt; fear alone


def test_among_the_shared_labels_metrics_are_of_renormalised_probabilities(drawn, known):
    found = measure(drawn, TARGET, known, 1.0)
    truth = np.array([label == "fear" for label in drawn.labels]).astype(int)
    shared = drawn.probabilities[:, :2] / drawn.probabilities[:, :2].sum(1, keepdims=True)
    assert found.metrics["num_examples"] == 200
    assert found.metrics["accuracy"] == pytest.approx(np.mean(shared.argmax(1) == truth))
    assert found.metrics["log_loss"] == pytest.approx(metrics.log_loss(truth, shared))
    assert found.metrics["auc"] == pytest.approx(metrics.roc_auc_score(truth, shared[:, 1]))
    expected = metrics.f1_score(truth, shared.argmax(1), average="macro")
    assert found.scores["macro_f1"].mean == pytest.approx(expected)
    assert found.by_coverage[1.0].mean == pytest.approx(found.metrics["accuracy"])


def test_where_all_labels_may_be_answered_those_that_no_example_has_are_wrong(drawn, known):
    found = measure(drawn, TARGET, known, 1.0)
    truth = [1 if label == "fear" else 0 for label in drawn.labels]
    said = drawn.probabilities.argmax(1)
    accuracy = found.open_scores["accuracy"]
    assert accuracy.mean == pytest.approx(np.mean(said == truth))
    expected = metrics.f1_score(truth, said, labels=[0, 1], average="macro")
    assert found.open_scores["macro_f1"].mean == pytest.approx(expected)
    assert accuracy.mean < found.scores["accuracy"].mean
    # What a bootstrap over people says.
    rng = np.random.default_rng(1)
    right = (said == truth).reshape(20, 10).mean(1)
    resampled = [right[rng.integers(0, 20, 20)].mean() for _ in range(4000)]
    assert (accuracy.high - accuracy.low) / 2 == pytest.approx(
        2.09 * np.std(resampled) * np.sqrt(20 / 19), rel=0.05
    )


def test_the_confusion_is_by_label_of_the_corpus_and_every_answer(drawn, known):
    table = measure(drawn, TARGET, known, 1.0).confusion
    assert table.index.tolist() == ["glad", "love", "fear"]
    assert table.columns.tolist() == ["joy", "fear", "shame", "guilt"]
    said = np.array(TARGET.decide(drawn.probabilities))
    for label in table.index:
        for answer in table.columns:
            both = (np.array(drawn.labels) == label) & (said == answer)
            assert table.loc[label, answer] == both.sum()


def test_a_temperature_from_there_fits_best(drawn, known):
    found = measure(drawn, TARGET, known, 2.0).calibration
    assert found["none"]["temperature"] == 1 and found["own"]["temperature"] == 2
    losses = {whose: one["log_loss"] for whose, one in found.items()}
    assert losses["fitted"] <= min(losses["none"], losses["own"])
    truth = np.array([label == "fear" for label in drawn.labels]).astype(int)
    scaled = drawn.probabilities[:, :2] ** 0.5
    scaled /= scaled.sum(1, keepdims=True)
    assert losses["own"] == pytest.approx(metrics.log_loss(truth, scaled))


def test_answers_from_a_confidence_on(drawn, known):
    accuracy, answered = from_confidence(measure(drawn, TARGET, known, 1.0), 0.6, drawn.groups)
    sure = drawn.probabilities.max(1) >= 0.6
    truth = [1 if label == "fear" else 0 for label in drawn.labels]
    assert answered == pytest.approx(sure.mean())
    right = drawn.probabilities.argmax(1) == truth
    assert accuracy.mean == pytest.approx(right[sure].mean())


def test_where_no_shared_label_is_possible_all_are_alike():
    known = map_labels(TARGET.labels, ["joy", "fear"])
    answers = Answers(["1", "2"], ["joy", "fear"], np.array([[0, 0, 1, 0], [0, 1, 0, 0]]), {})
    found = measure(answers, TARGET, known, 1.0)
    assert found.metrics["accuracy"] == 1  # The first is a tie.
    assert found.open_scores["accuracy"].mean == 0.5
    assert found.metrics["brier_score"] == pytest.approx((0.5**2 + 0.5**2) / 2)


def test_at_home_the_same_labels_are_told_apart(make_run, tmp_path):
    directory = make_run(tmp_path / "study", "cnn@scratch")
    run = record.read_run(directory)
    known = map_labels(run["corpus"]["labels"], ["JOY", "fear", "calm"])
    answers, at_home = home_answers(run, directory, known)
    scores = summarize(score_answers(answers, target_of(run), at_home).shared)
    rows = pd.read_csv(directory / "predictions.csv")
    rows = rows[(rows["split"] == "test") & (rows["label"] != "anger")]
    said = np.where(rows["probability:joy"] > rows["probability:fear"], "joy", "fear")
    assert scores["accuracy"].mean == pytest.approx(np.mean(said == rows["label"]))
    assert len(answers.ids) == 60
