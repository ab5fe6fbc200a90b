"""Accuracy against coverage, by hand and by SciPy's binomial test."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emotion_keras.evaluation.coverage import (
    Judged,
    accuracy_from,
    by_coverage,
    in_words,
    judge,
    reach,
    threshold_at,
    thresholds,
)
from emotion_keras.evaluation.predictions import probability_columns
from emotion_keras.targets import SingleLabel


def judged(confidence, right):
    ids = np.array([str(number) for number in range(len(right))])
    return Judged(ids, np.array(confidence, float), np.array(right, bool))


@pytest.fixture
def val():
    """Examples of which the surest are right most often."""
    rng = np.random.default_rng(0)
    confidence = np.round(rng.uniform(0.2, 1, 300), 3)  # Some are equal.
    return judged(confidence, rng.random(300) < confidence)


def test_what_is_judged_is_the_confidence_after_the_temperature():
    labels = ["joy", "fear"]
    rows = pd.DataFrame([[0.8, 0.2], [0.5, 0.5]], columns=probability_columns(labels)).assign(
        id=["a", "b"], label=["joy", "fear"], predicted=["joy", "joy"]
    )
    found = judge(rows, SingleLabel(labels), temperature=2.0)
    # The odds of 4 to 1 at a temperature of 2 are 2 to 1.
    np.testing.assert_allclose(found.confidence, [2 / 3, 1 / 2])
    assert found.right.tolist() == [True, False]
    assert found.ids.tolist() == ["a", "b"]


def test_a_step_says_what_is_surely_reached_and_what_was_right(val):
    test = judged([0.1, 0.5, 0.95, 0.97], [True, True, False, True])
    found = thresholds({"val": val, "test": test})
    assert found["examples"] == {"val": 300, "test": 4}
    for step in found["steps"]:
        answered = val.confidence >= step["min_confidence"]
        right = int(val.right[answered].sum())
        assert (step["answered"]["val"], step["right"]["val"]) == (answered.sum(), right)
        # The least accuracy that an exact binomial test with the level 0.1 does not refuse.
        test_of = stats.binomtest(right, int(answered.sum()), alternative="greater")
        assert step["accuracy"] == pytest.approx(test_of.proportion_ci(0.9).low)
        assert step["answered"]["test"] == (test.confidence >= step["min_confidence"]).sum()
    # From 0.2 on three of the four test examples are answered, and at the end the last.
    assert [found["steps"][i]["right"]["test"] for i in (0, -1)] == [2, 1]


@pytest.mark.parametrize("accuracy", [0.5, 0.7, 0.8])
def test_the_first_step_that_reaches_an_accuracy_is_the_smallest_such_threshold(val, accuracy):
    steps = thresholds({"val": val})["steps"]
    found = next(step["min_confidence"] for step in steps if step["accuracy"] >= accuracy)

    def reaches(level):
        right = val.right[val.confidence >= level]
        test_of = stats.binomtest(int(right.sum()), len(right), alternative="greater")
        return test_of.proportion_ci(0.9).low >= accuracy

    assert found == min(level for level in val.confidence if reaches(level))


def test_a_model_that_is_never_right_makes_nothing_sure():
    (step,) = thresholds({"val": judged([0.5, 0.6, 0.6], [False] * 3)})["steps"]
    assert step["accuracy"] == 0
    assert step["min_confidence"] == 0.5


def test_the_threshold_at_a_coverage_is_the_confidence_of_the_last_that_is_answered():
    of_split = judged([0.9, 0.3, 0.7, 0.5], [True] * 4)
    assert threshold_at(of_split, 1.0) == 0.3
    assert threshold_at(of_split, 0.5) == 0.7
    assert threshold_at(of_split, 0.01) == 0.9


def test_the_accuracy_of_answers_has_an_interval_over_subjects_and_seeds():
    rng = np.random.default_rng(1)
    num_subjects, per_subject = 150, 4
    ids = np.array([str(number) for number in range(num_subjects * per_subject)])
    subject = np.arange(len(ids)) // per_subject
    groups = {name: f"person {of}" for name, of in zip(ids, subject, strict=True)}
    skill = rng.uniform(0.3, 1, num_subjects)[subject]
    confidence, right = rng.uniform(0, 1, len(ids)), rng.random(len(ids)) < skill
    (mean, low, high, spread), coverage = accuracy_from(
        [Judged(ids, confidence, right)], [0.4], [0], groups
    )
    answered = confidence >= 0.4
    assert mean == pytest.approx(right[answered].mean())
    assert coverage == pytest.approx(answered.mean())
    assert spread is None
    resampled = []
    for _ in range(2000):
        drawn = rng.integers(num_subjects, size=num_subjects)
        at = (drawn[:, None] * per_subject + np.arange(per_subject)).ravel()
        resampled.append(right[at][answered[at]].mean())
    quantile = stats.t.ppf(0.975, num_subjects - 1)
    assert (high - low) / 2 == pytest.approx(quantile * np.std(resampled), rel=0.1)


def test_runs_of_several_seeds_are_averaged_with_their_spread():
    runs = [judged([0.9, 0.8], [True, False]), judged([0.9, 0.8], [True, True])]
    score, coverage = accuracy_from(runs, [0.85, 0.7], [0, 1])
    assert (score.mean, coverage) == (1.0, 0.75)
    score, _ = accuracy_from(runs, [0.7, 0.7], [0, 1])
    assert score.mean == 0.75
    assert score.spread == pytest.approx(np.std([0.5, 1.0], ddof=1))


def test_accuracy_by_coverage_answers_the_surest_part():
    of_split = judged([0.9, 0.3, 0.7, 0.5], [True, False, True, False])
    found = by_coverage([of_split], [0], coverages=(1.0, 0.75, 0.5))
    assert {share: score.mean for share, score in found.items()} == pytest.approx(
        {1.0: 0.5, 0.75: 2 / 3, 0.5: 1.0}
    )


def test_in_words_it_says_what_is_reached_and_where():
    sure = judged([0.8] * 40 + [0.4] * 10, [True] * 40 + [False] * 10)
    test = judged([0.9, 0.85, 0.8, 0.3, 0.2], [True, True, False, False, False])
    assert in_words({"val": sure, "test": test}, "texts") == [
        "Right among the test texts that it is surest of: 50.0 % of 80 %, 66.7 % of 60 %, 100.0 % "
        "of 40 %.",
        "`predict --target-accuracy 0.9` answers 60.0 % of the test texts, 66.7 % of them rightly, "
        "and says unsure below a confidence of 80.0 %.",
    ]


def test_in_words_it_says_where_an_accuracy_is_not_reached():
    # Of ten that are right the lower end is 0.1 to the power of a tenth, 0.794.
    few = judged([0.8] * 10, [True] * 10)
    assert reach(thresholds({"val": few}), 0.79).min_confidence == 0.8
    assert reach(thresholds({"val": few}), 0.8) is None
    first, second = in_words({"val": few}, "texts")
    assert first.startswith("Right among the validation texts")
    assert second == "At no confidence are surely 90 % of its answers right."


@pytest.mark.parametrize("per_subject", [1, 5])
def test_an_accuracy_is_sure_over_subjects_too(per_subject):
    rng = np.random.default_rng(2)
    num_examples = 400
    subject = np.arange(num_examples) // per_subject
    confidence = np.round(rng.uniform(0, 1, num_examples), 2)
    skill = rng.uniform(0.2, 1, num_examples)[subject]
    val = judged(confidence, rng.random(num_examples) < (skill + confidence) / 2)
    groups = {name: f"person {of}" for name, of in zip(val.ids, subject, strict=True)}
    found = thresholds({"val": val}, groups)
    assert found["subjects"] == num_examples // per_subject
    alone = {step["min_confidence"]: step["accuracy"] for step in thresholds({"val": val})["steps"]}
    for step in found["steps"]:
        answered = confidence >= step["min_confidence"]
        right, of = val.right[answered], subject[answered]
        shares = np.array([(right[of == one] - right.mean()).sum() for one in np.unique(of)])
        number = len(shares)
        error = np.sqrt(number / (number - 1) * (shares**2).sum()) / len(right)
        low = right.mean() - stats.t.ppf(0.9, number - 1) * error
        binomial = stats.binomtest(int(right.sum()), len(right), alternative="greater")
        expected = min(low, binomial.proportion_ci(0.9).low)
        assert step["accuracy"] == pytest.approx(expected)
        assert number >= 10
    assert max(step["accuracy"] for step in found["steps"]) <= max(alone.values())


def test_examples_of_few_subjects_make_nothing_sure():
    val = judged(np.linspace(0.5, 1, 90), [True] * 90)
    groups = {name: f"actor {int(name) % 9}" for name in val.ids}
    found = thresholds({"val": val}, groups)
    assert found["subjects"] == 9
    assert [step["accuracy"] for step in found["steps"]] == [0.0]
    assert reach(thresholds({"val": val}, groups)) is None
    groups = {name: f"actor {int(name) % 10}" for name in val.ids}
    assert reach(thresholds({"val": val}, groups)).min_confidence == 0.5
