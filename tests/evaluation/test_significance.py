"""Against numbers worked by hand, tables of textbooks and simulations."""

import numpy as np
import pytest

from emotion_keras.evaluation.significance import holm, mcnemar, mean_interval, paired_bootstrap

pytestmark = pytest.mark.one_backend


def test_mean_interval_by_hand():
    # Mean 2, standard deviation 1, standard error 1 / sqrt(3); Student's t of 2 degrees of
    # freedom at 97.5 % is 4.302653.
    mean, low, high = mean_interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert high - mean == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert mean - low == pytest.approx(high - mean)


def test_one_run_has_no_interval():
    assert mean_interval([0.7]) == (0.7, None, None)


def test_mcnemar_by_hand():
    # One model alone is right 8 times, the other alone 1 time: twice the chance of at most one
    # head in nine throws, 2 * (1 + 9) / 2**9.
    correct = [True] * 8 + [False] + [True] * 20 + [False] * 5
    other = [False] * 8 + [True] + [True] * 20 + [False] * 5
    assert mcnemar(correct, other) == pytest.approx(20 / 512)
    assert mcnemar(other, correct) == pytest.approx(20 / 512)


def test_mcnemar_of_a_model_with_itself():
    assert mcnemar([True, False], [True, False]) == 1


def test_holm_by_hand():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, made to rise: 0.02, 0.03, 0.06, 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_bootstrap_interval_is_that_of_the_normal_approximation():
    rng = np.random.default_rng(0)
    correct, other = rng.random((1, 2000)) < 0.7, rng.random((1, 2000)) < 0.6
    found = paired_bootstrap(correct, other, num_resamples=4000)
    gains = correct[0].astype(float) - other[0]
    half = 1.96 * gains.std() / np.sqrt(2000)
    assert found.difference == pytest.approx(gains.mean())
    assert found.smallest == pytest.approx(half, rel=0.05)
    assert found.low == pytest.approx(gains.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(gains.mean() + half, abs=0.1 * half)


def test_bootstrap_is_paired_by_text():
    rng = np.random.default_rng(0)
    correct = rng.random((1, 500)) < 0.5
    found = paired_bootstrap(correct, correct, num_resamples=200)
    assert (found.difference, found.low, found.high, found.smallest) == (0, 0, 0, 0)


def test_bootstrap_counts_the_spread_of_seeds():
    # Seeds that are right everywhere or nowhere: over texts alone there is no spread at all.
    correct = np.array([np.ones(100), np.zeros(100)])
    found = paired_bootstrap(correct, np.zeros((2, 100)), num_resamples=4000)
    # The mean of two seeds drawn of the two is 0, 1/2 or 1: standard deviation sqrt(1/8).
    assert found.difference == 0.5
    assert found.smallest == pytest.approx(1.96 * np.sqrt(1 / 8), rel=0.05)


def test_bootstrap_refuses_other_texts():
    with pytest.raises(ValueError, match="same texts.*3 and 2"):
        paired_bootstrap(np.ones((1, 3)), np.ones((1, 2)))
