"""How much each of several models counts; expected values by brute force and by hand."""

import itertools

import numpy as np
import pytest

from emotion_keras.evaluation.weights import fit_weights
from emotion_keras.targets import SingleLabel

TARGET = SingleLabel(["anger", "fear", "joy"])


def said(seed, skill, size=60):
    """What a model says that is right as far as its skill goes; and the truth."""
    truth = np.eye(3)[np.arange(size) % 3]
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(size, 3)) + skill * truth
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


TRUTH = np.eye(3)[np.arange(60) % 3]


def objective(factors, models):
    """The sum of log losses, and the pull to each other, written out."""
    logits = sum(b * np.log(model) for b, model in zip(factors, models, strict=True))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    pull = sum((b - np.mean(factors)) ** 2 for b in factors)
    return -np.log((shares * TRUTH).sum(axis=1)).sum() + 20 * pull


def test_no_other_weights_fit_better():
    models = [said(0, 2.0), said(1, 1.0)]
    found = fit_weights(TARGET, TRUTH, models)
    grid = np.arange(0, 2, 0.02)
    best = min(itertools.product(grid, grid), key=lambda factors: objective(factors, models))
    assert found == pytest.approx(np.array(best) / sum(best), abs=0.02)
    assert found[0] > found[1] > 0


def test_what_makes_it_worse_counts_nothing():
    backwards = said(0, 2.0)[:, [1, 2, 0]]
    found = fit_weights(TARGET, TRUTH, [said(1, 2.0), backwards])
    assert found == pytest.approx([1, 0])


def test_models_that_are_alike_count_alike():
    assert fit_weights(TARGET, TRUTH, [said(0, 1.0)] * 3) == pytest.approx([1 / 3] * 3)


def test_models_that_say_nothing_count_alike():
    backwards = said(0, 2.0)[:, [1, 2, 0]]
    assert fit_weights(TARGET, TRUTH, [backwards, backwards]) == pytest.approx([0.5, 0.5])


def test_the_order_of_models_makes_no_difference():
    models = [said(0, 2.0), said(1, 1.0), said(2, 0.5)]
    found, turned = (fit_weights(TARGET, TRUTH, some) for some in (models, models[::-1]))
    assert found == pytest.approx(turned[::-1], abs=1e-5)


def test_zeros_are_no_obstacle():
    # A baseline gives 0 to a label that its training split lacked.
    sure = np.tile([[0.5, 0.5, 0.0]], (60, 1))
    found = fit_weights(TARGET, TRUTH, [said(0, 2.0), sure])
    assert np.isfinite(found).all() and found.sum() == pytest.approx(1)
    combined = TARGET.combine([said(0, 2.0), sure], np.array([0.5, 0.5]))
    assert np.isfinite(combined).all()
    assert combined[:, 2].max() < 1e-12
    assert combined.sum(axis=1) == pytest.approx(np.ones(60))
    nothing = TARGET.combine([np.array([[1.0, 0, 0]]), np.array([[0, 1.0, 0]])], np.full(2, 0.5))
    assert nothing[0] == pytest.approx([0.5, 0.5, 0], abs=1e-6)


def test_a_combination_is_the_weighted_geometric_mean():
    models, weights = [said(0, 2.0), said(1, 1.0)], np.array([0.7, 0.3])
    expected = models[0] ** 0.7 * models[1] ** 0.3
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(TARGET.combine(models, weights), expected, atol=1e-6)


def test_sigmoids_are_combined_label_by_label(monkeypatch):
    monkeypatch.setattr(SingleLabel, "activation", "sigmoid")
    first, other = np.array([[0.9, 0.2, 0.5]]), np.array([[0.5, 0.2, 0.1]])
    logits = 0.75 * np.log(first / (1 - first)) + 0.25 * np.log(other / (1 - other))
    found = TARGET.combine([first, other], np.array([0.75, 0.25]))
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=1e-6)
    # Of several labels an example the log loss is that of each label.
    truth = np.random.default_rng(0).integers(2, size=(60, 3))
    models = [np.clip(said(seed, 0.0) + 0.2 * truth, 0.02, 0.98) for seed in (0, 1)]
    models[1] = (models[1] + 0.5) / 2

    def objective(factors):
        logits = sum(b * np.log(p / (1 - p)) for b, p in zip(factors, models, strict=True))
        shares = np.where(truth, 1, -1) * logits
        return np.log(1 + np.exp(-shares)).sum() + 20 * sum((factors - np.mean(factors)) ** 2)

    grid = np.arange(0, 2, 0.02)
    best = np.array(min(itertools.product(grid, grid), key=objective))
    assert fit_weights(TARGET, truth, models) == pytest.approx(best / best.sum(), abs=0.02)
    assert best.min() > 0 and abs(best[0] - best[1]) > 0.05
