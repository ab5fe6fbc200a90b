"""The threshold of confidence that an accuracy asks for."""

import pytest

from emotion_keras.errors import UserError
from emotion_keras.evaluation.threshold import choose_threshold


def step(min_confidence, accuracy, answered, right):
    return {
        "min_confidence": min_confidence,
        "accuracy": accuracy,
        "answered": {"val": answered},
        "right": {"val": right},
    }


STEPS = [step(0.2, 0.5, 50, 30), step(0.6, 0.8, 20, 18), step(0.7, 0.85, 18, 17)]


def test_the_smallest_threshold_that_reaches_the_accuracy_is_taken():
    found = choose_threshold({"examples": {"val": 50}, "steps": STEPS}, 0.8, "texts")
    # Where the test split was not read, the validation split says what came of it.
    assert found == (0.6, 0.4, 0.9, "val")
    assert "of the validation split 40.0 % of the recordings" in found.in_words("recordings")


def test_a_threshold_that_answers_no_test_example_is_right_about_none():
    known = {"examples": {"val": 9, "test": 9}, "steps": [step(0.9, 0.8, 9, 9)]}
    known["steps"][0]["answered"]["test"] = known["steps"][0]["right"]["test"] = 0
    assert choose_threshold(known, 0.8, "texts") == (0.9, 0.0, 0.0, "test")


@pytest.mark.parametrize(
    "right, reason", [(18, "is too small"), (17, "the model is not that good")]
)
def test_an_accuracy_that_nothing_reaches_is_refused(right, reason):
    known = {"examples": {"val": 50}, "steps": [*STEPS[:2], step(0.7, 0.8589, 18, right)]}
    with pytest.raises(UserError, match=reason) as error:
        choose_threshold(known, 0.86, "texts")
    # Not rounded up: who asks for that gets it.
    assert f"{right} of 18 answers are right, which makes 0.858 sure" in str(error.value)
    assert choose_threshold(known, 0.858, "texts").min_confidence == 0.7


def test_an_accuracy_is_a_share():
    with pytest.raises(UserError, match="target_accuracy=90"):
        choose_threshold({"examples": {"val": 50}, "steps": STEPS}, 90, "texts")


def test_few_subjects_are_named_where_they_are_the_reason():
    known = {"examples": {"val": 90}, "subjects": 3, "steps": [step(0.5, 0.0, 90, 90)]}
    with pytest.raises(UserError, match="has recordings of 3 subjects.*`--min-confidence`"):
        choose_threshold(known, 0.9, "recordings")
