"""Several labels an example: cells, thresholds, answers; by hand and by other searches."""

import itertools

import numpy as np
import pytest
from scipy import optimize, special
from sklearn import metrics

from emotion_keras.errors import UserError
from emotion_keras.targets import MultiLabel, make_target, target_of
from emotion_keras.targets.multi import fit_thresholds

LABELS = ("joy", "fear, or dread", 'the "blues"', "[calm]", "none")


def scored(num_examples=200, num_labels=3, seed=0, decimals=3):
    """Truth, and probabilities that know something of it, some of them equal."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((num_examples, num_labels)) < np.linspace(0.1, 0.5, num_labels)) * 1.0
    scores = rng.normal(-0.7, 1.3, truth.shape) + 1.4 * truth
    return truth, np.round(special.expit(scores), decimals)


def test_every_set_of_labels_is_a_cell_that_is_read_back():
    target = MultiLabel(LABELS)
    sets = np.array(list(itertools.product([0, 1], repeat=len(LABELS))), "float32")
    cells = target.cells(sets)
    assert len(set(cells)) == 2 ** len(LABELS) and target.are_known(cells).all()
    np.testing.assert_array_equal(target.encode(cells), sets)
    assert target.decide(0.1 + 0.4 * sets) == cells
    assert sorted(target.find_labels([*cells, ""])) == sorted(LABELS)
    assert target.cells(sets[:0]) == []


def test_cells_by_hand():
    target = MultiLabel(["joy", "fear, or dread", "anger"])
    cells = ['anger,"fear, or dread"', "joy,joy", "(none)", "", "joy,hope", "hope"]
    truth = [[0, 1, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert target.encode(cells).tolist() == truth and target.encode(cells).dtype == np.float32
    assert target.are_known(cells).tolist() == [True, True, True, False, False, False]
    assert target.cells(np.array(truth[:3])) == ['"fear, or dread",anger', "joy", "(none)"]
    assert target.find_labels(cells) == ("anger", "fear, or dread", "hope", "joy")


def test_what_cannot_be_is_refused():
    with pytest.raises(UserError, match=r"Rename it\. Received: labels=\['joy', '\(none\)'\]"):
        MultiLabel(["joy", "(none)"])
    with pytest.raises(UserError, match=r"2 labels and 1 thresholds.*Received: thresholds=\[0.3\]"):
        MultiLabel(["joy", "fear"], [0.3])
    target = MultiLabel(["joy", "fear"])
    with pytest.raises(UserError, match="needs one label for each.*Received: target='multi'"):
        target.classes(target.encode(["joy"]))


def test_thresholds_are_those_of_the_best_f1():
    truth, probabilities = scored(decimals=2)
    truth[:, 0] = np.arange(200) < 150  # A frequent one, whose best threshold is low.
    found = fit_thresholds(truth, probabilities)
    for label in range(3):
        is_held, values = truth[:, label], probabilities[:, label]
        levels = np.concatenate([[0.0], np.unique(values)])
        middles = (levels[:-1] + levels[1:]) / 2
        f1 = np.array([metrics.f1_score(is_held, values >= middle) for middle in middles])
        best = middles[f1 > f1.max() - 1e-9]
        assert found[label] == pytest.approx(min(best, key=lambda middle: abs(middle - 0.5)))
        assert f1.max() > metrics.f1_score(is_held, values >= 0.5)


def test_thresholds_by_hand():
    # Of no example; of all; equal probabilities are not parted; of equally good ones the middle.
    truth = np.array([[0, 1, 1, 1], [0, 1, 0, 0], [0, 1, 1, 1], [0, 1, 0, 0]])
    probabilities = np.array(
        [[0.9, 0.2, 0.8, 0.7], [0.1, 0.4, 0.6, 0.4], [0.2, 0.3, 0.6, 0.6], [0.3, 0.9, 0.1, 0.1]]
    )
    found = fit_thresholds(truth, probabilities)
    assert found.tolist() == pytest.approx([0.5, 0.1, 0.35, 0.5])
    assert MultiLabel("abcd").fit(truth, probabilities).thresholds == tuple(found)


def test_thresholds_are_in_the_record_and_decide(make_record):
    run = make_record(labels=("joy", "fear"), label_thresholds=[0.2, 0.7])
    run["corpus"]["reading"]["target"] = "multi"
    target = target_of(run)
    assert target.decide(np.array([[0.2, 0.69], [0.19, 0.7], [0.1, 0.1], [0.9, 0.9]])) == [
        "joy",
        "fear",
        "(none)",
        "joy,fear",
    ]
    assert make_target("multi", ["joy"]).thresholds == (0.5,)


def test_what_is_measured_after_an_epoch_is_what_scikit_learn_says():
    truth, probabilities = scored()
    holds = probabilities >= fit_thresholds(truth, probabilities)
    found = MultiLabel("abc").validate(truth, probabilities)
    assert found == pytest.approx(
        {
            "loss": np.mean(
                [metrics.log_loss(*pair) for pair in zip(truth.T, probabilities.T, strict=True)]
            ),
            "accuracy": metrics.accuracy_score(truth, holds),
            "macro_f1": metrics.f1_score(truth, holds, average="macro"),
        }
    )


def test_the_temperature_is_the_best_for_the_log_loss():
    target = MultiLabel("abc")
    truth, probabilities = scored()
    found = target.fit_temperature(truth, probabilities)

    def log_loss(temperature):
        scaled = special.expit(special.logit(probabilities) / temperature)
        return special.xlogy(truth, scaled).sum() + special.xlogy(1 - truth, 1 - scaled).sum()

    best = optimize.minimize_scalar(lambda t: -log_loss(t), bounds=(0.1, 10), method="bounded")
    assert found == pytest.approx(best.x, rel=1e-3) and abs(found - 1) > 0.05
    expected = special.expit(special.logit(probabilities) / found)
    np.testing.assert_allclose(target.scale(probabilities, found), expected, rtol=1e-9)
    # Odds of 4 to 1 at temperature 2 are 2 to 1, whatever the other label's are.
    np.testing.assert_allclose(target.scale([[0.8, 0.5, 0.1]], 2.0), [[2 / 3, 0.5, 0.25]])
    certain = target.scale(np.array([[0.0, 1.0]]), 0.05)
    assert np.isfinite(certain).all() and certain[0, 0] < 1e-9


def test_a_temperature_changes_how_sure_an_answer_is_and_not_what_it_says():
    target = MultiLabel(["joy", "fear", "anger"], thresholds=[0.15, 0.9, 0.5])
    probabilities = np.array([[0.2, 0.8, 0.5], [0.1, 0.95, 0.2]])
    first, second = target.answers(probabilities, 2.0)
    # Odds are 1/4, 4 and 1; their square roots 1/2, 2 and 1.
    assert first["probabilities"] == pytest.approx({"joy": 1 / 3, "fear": 2 / 3, "anger": 0.5})
    assert (first["label"], second["label"]) == ("joy,anger", "fear")
    # That joy and anger hold, and that fear does not.
    assert first["confidence"] == pytest.approx(1 / 3 * (1 - 2 / 3) * 0.5)
    (plain,) = target.answers(probabilities[:1])
    assert plain["confidence"] == pytest.approx(0.2 * 0.2 * 0.5) and plain["label"] == "joy,anger"
    assert target.explained(probabilities).tolist() == [1, 1]


def test_models_are_combined_by_their_odds():
    both = [np.array([[0.8, 0.5, 0.9]]), np.array([[0.5, 0.2, 0.9]])]
    # Odds of 4 and 1, 1 and 1/4, 9 and 9: their geometric means are 2, 1/2 and 9.
    found = MultiLabel("abc").combine(both, np.array([0.5, 0.5]))
    np.testing.assert_allclose(found, [[2 / 3, 1 / 3, 0.9]], rtol=1e-6)
    assert found.dtype == np.float32
