"""Against numbers worked by hand, tables of textbooks and simulations."""

import numpy as np
import pytest
from scipy import stats

from emotion_keras.evaluation.significance import holm, mean_interval, paired_difference


def test_mean_interval_by_hand():
    # Mean 2, standard deviation 1, standard error 1 / sqrt(3); Student's t of 2 degrees of
    # freedom at 97.5 % is 4.302653.
    mean, low, high = mean_interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert high - mean == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert mean - low == pytest.approx(high - mean)


def test_one_run_has_no_interval():
    assert mean_interval([0.7]) == (0.7, None, None)


def test_holm_by_hand():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, made to rise: 0.02, 0.03, 0.06, 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    # What is corrected is a probability still, and the smallest p-value of two is no better.
    assert holm([0.9, 0.6]) == [1, 1] and holm([0.02, 0.02]) == pytest.approx([0.04, 0.04])


def test_difference_of_single_runs_is_over_texts_alone():
    # Gains of 1, 1, 0, -1, 0 and so on: 16 texts of +1, 4 of -1 and 80 of 0. Their mean is 0.12,
    # their variance (16 * 0.88**2 + 4 * 1.12**2 + 80 * 0.12**2) / 99 = 0.187475, and Student's t
    # of 99 degrees of freedom at 97.5 % is 1.984217.
    correct = np.array([[1] * 16 + [0] * 4 + [1] * 80])
    other = np.array([[0] * 16 + [1] * 4 + [1] * 80])
    found = paired_difference(correct, other)
    half = 1.984217 * np.sqrt(0.187475 / 100)
    assert found.difference == pytest.approx(0.12)
    assert found.low == pytest.approx(0.12 - half, rel=1e-5)
    assert found.high == pytest.approx(0.12 + half, rel=1e-5)
    assert 0.005 < found.p_value < 0.01  # 2.771 standard errors.


def test_difference_is_paired_by_text():
    correct = np.random.default_rng(0).random((1, 500)) < 0.5
    assert paired_difference(correct, correct) == (0, 0, 0, 1)


def test_difference_of_two_seeds_is_students():
    # One seed is right everywhere, the other nowhere: over texts there is no spread at all.
    seeds = np.array([np.ones(100), np.zeros(100)])
    found = paired_difference(seeds, np.zeros((2, 100)))
    # Accuracies 1 and 0: standard error 1/2; Student's t of 1 degree of freedom at 97.5 % is
    # 12.70620, and one standard error or more has a probability of exactly 1/2.
    assert found.difference == 0.5
    assert found.high - found.difference == pytest.approx(12.70620 / 2, rel=1e-6)
    assert found.p_value == pytest.approx(0.5)
    # The same spread in both: standard error sqrt(1/2), two degrees of freedom.
    found = paired_difference(seeds, seeds)
    assert found.high - found.difference == pytest.approx(4.302653 * np.sqrt(1 / 2), rel=1e-6)


def test_difference_counts_texts_and_seeds():
    # Two seeds right on 100 and on 50 of 100 texts, against a single run that never is. Gains of
    # 1 and 1/2 on 50 texts each: variance 100 * 0.25**2 / 99. Accuracies 1 and 1/2: 1/8.
    correct = np.array([np.ones(100), np.arange(100) < 50])
    found = paired_difference(correct, np.zeros((1, 100)))
    of_texts, of_seeds = 6.25 / 99 / 100, 1 / 8 / 2
    freedom = (of_texts + of_seeds) ** 2 / (of_texts**2 / 99 + of_seeds**2 / 1)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(of_texts + of_seeds)
    assert found.difference == 0.75
    assert found.high - found.difference == pytest.approx(half)


def test_texts_of_one_subject_count_together():
    # 100 texts: each twice is as sure as once, and of 50 subjects.
    gains = np.array([1] * 16 + [-1] * 4 + [0] * 30)
    once = paired_difference(gains[None] == 1, gains[None] == -1)
    twice = np.repeat(gains, 2)[None]
    found = paired_difference(twice == 1, twice == -1, np.repeat(np.arange(50), 2))
    assert found == pytest.approx(once)
    # Subjects who answer at random add no spread of their own.
    rng = np.random.default_rng(0)
    correct, other = (rng.random((1, 3000)) < share for share in (0.6, 0.5))
    apart = paired_difference(correct, other)
    together = paired_difference(correct, other, np.arange(3000) % 300)
    assert together.high - together.low == pytest.approx(apart.high - apart.low, rel=0.1)
    # One subject alone says nothing of others.
    assert paired_difference(correct, other, np.zeros(3000)).low == pytest.approx(apart.difference)


@pytest.mark.parametrize("num_seeds", [2, 5])
def test_intervals_hold_the_truth_as_often_as_they_say(num_seeds):
    # Accuracies of seeds about 0.6 and 0.5, so the truth is 0.1; a bootstrap of two seeds holds it
    # in four cases of five.
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(500):
        correct, other = (
            rng.random((num_seeds, 400)) < rng.normal(mean, 0.05, (num_seeds, 1))
            for mean in (0.6, 0.5)
        )
        found = paired_difference(correct, other)
        held += found.low <= 0.1 <= found.high
    assert 0.93 <= held / 500 <= 0.99


def test_difference_refuses_other_texts():
    with pytest.raises(ValueError, match="same texts.*3 and 2"):
        paired_difference(np.ones((1, 3)), np.ones((1, 2)))
