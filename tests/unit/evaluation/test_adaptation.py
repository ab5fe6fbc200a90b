"""Answers that are adapted to another corpus without its labels."""

import numpy as np
import pytest

from emotion_keras.evaluation.adaptation import adapt, estimate_priors
from emotion_keras.targets import SingleLabel

TARGET = SingleLabel(["a", "b", "c"])
MEANS = np.array([[2.0, 0.0], [-1.0, 1.5], [-1.0, -1.5]])


def draw(priors, size, seed):
    """Points of three normal distributions, their labels, and their exact posteriors."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, size, p=priors)
    points = MEANS[labels] + rng.normal(size=(size, 2))
    likelihood = np.exp(-((points[:, None] - MEANS) ** 2).sum(-1) / 2)

    def posterior(of):
        joint = likelihood * of
        return joint / joint.sum(1, keepdims=True)

    return labels, posterior


def test_priors_are_found_from_exact_posteriors():
    source, there = np.array([1, 1, 1]) / 3, np.array([0.7, 0.2, 0.1])
    _, posterior = draw(there, 20_000, 0)
    np.testing.assert_allclose(estimate_priors(posterior(source), source), there, atol=0.015)


def test_adapted_to_the_priors_answers_are_those_of_the_other_corpus():
    source, there = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8])
    labels, posterior = draw(there, 5_000, 1)
    _, on_validation = draw(source, 5_000, 2)
    adapted, found = adapt("prior", TARGET, posterior(source), on_validation(source), 1.0)
    np.testing.assert_allclose(adapted, posterior(there), atol=0.05)
    before, after = (np.mean(p.argmax(1) == labels) for p in (posterior(source), adapted))
    assert after > before
    assert found["method"] == "prior" and set(found["priors"]) == {"a", "b", "c"}
    assert found["priors_before"]["a"] == pytest.approx(0.5, abs=0.02)


def test_scaled_by_the_temperature_adapted_answers_are_scaled_ones_reweighted():
    rng = np.random.default_rng(3)
    probabilities, validation = rng.dirichlet([1, 1, 1], (2, 50))
    adapted, found = adapt("prior", TARGET, probabilities, validation, 1.7)
    weights = [found["priors"][x] / found["priors_before"][x] for x in TARGET.labels]
    scaled = probabilities ** (1 / 1.7)
    expected = scaled / scaled.sum(1, keepdims=True) * weights
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(TARGET.scale(adapted, 1.7), expected, atol=1e-9)


def test_centred_scores_have_the_means_of_the_validation_split():
    rng = np.random.default_rng(4)
    scores, wanted = rng.normal([0, 1, -1], 1, (40, 3)), rng.normal([1, 0, 0], 1, (60, 3))
    probabilities, validation = (
        np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in (scores, wanted)
    )
    adapted, found = adapt("center", TARGET, probabilities, validation, 1.0)
    centred = np.log(adapted) - np.log(adapted).mean(1, keepdims=True)
    expected = (wanted - wanted.mean(1, keepdims=True)).mean(0)
    np.testing.assert_allclose(centred.mean(0), expected, atol=1e-9)
    assert sum(found["moved"].values()) == pytest.approx(0, abs=1e-9)


def test_a_label_that_nobody_was_trained_on_stays_impossible():
    probabilities = np.array([[0.5, 0.5, 0.0], [0.2, 0.8, 0.0]])
    adapted, _ = adapt("prior", TARGET, probabilities, probabilities, 1.0)
    assert np.isfinite(adapted).all() and adapted[:, 2].max() < 1e-6
