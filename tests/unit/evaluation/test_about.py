"""What a model is, for the people who use it."""

import pytest

from emotion_keras.evaluation.about import about
from emotion_keras.evaluation.scores import Score

SCORE = Score(0.6190, 0.5494, 0.6899, None)


@pytest.fixture
def make_run(make_record):
    """The record of a run on a corpus of some name."""

    def make(name, num_train=735):
        run = make_record()
        corpus = run["corpus"]
        protocol = {**corpus["protocol"], "num_train": num_train}
        return run | {"corpus": {**corpus, "name": name, "protocol": protocol}}

    return make


def test_invented_texts_are_called_so(make_run):
    run = make_run("situations")
    found = about(run, SCORE)
    assert found.summary[0] == "Trained on 735 invented texts of situations, in English."
    number = run["metrics"]["test"]["num_examples"]
    assert found.summary[1] == (
        f"Right on 61.9 % of {number:,} texts that it had not seen (95 % interval 54.9 to 69.0)."
    )
    labels = run["corpus"]["labels"]
    assert found.summary[2] == (
        f"It knows {len(labels)} labels and no others: {', '.join(labels)}."
    )
    assert found.limits[0].startswith("Its texts are invented")
    assert any(limit.startswith("Not for decisions about people") for limit in found.limits)
    assert found.language == "en"


def test_of_other_data_the_language_is_not_known(make_run):
    found = about(make_run("reviews", 5000), Score(0.99, 0.97, 1.01, None))
    assert found.summary[0] == (
        "Trained on 5,000 texts of reviews; their language was not recorded."
    )
    assert "(95 % interval 97.0 to 100.0)" in found.summary[1]
    assert found.language is None


def test_without_predictions_there_is_no_interval(make_run):
    found = about(make_run("isear"), Score(0.7, None, None, None))
    assert found.summary[1].endswith(" texts that it had not seen.")


def test_a_trial_was_chosen_by_what_it_was_measured_on(make_run):
    run = make_run("isear")
    run["metrics"] = {"val": run["metrics"]["val"]}
    assert " texts by which it was chosen (95 %" in about(run, SCORE).summary[1]
