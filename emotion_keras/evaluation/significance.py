"""Whether one model is better than another, or whether these texts cannot tell."""

from typing import NamedTuple

import numpy as np
from scipy import stats
from statsmodels.stats import contingency_tables, multitest


class Difference(NamedTuple):
    """How much more often one model is right than another.

    Args:
        difference: Float, accuracy of the first minus accuracy of the second.
        low: Lower end of its interval.
        high: Upper end of its interval.
        smallest: The smallest difference that these texts and seeds resolve: half the interval's
            width if the differences drawn were normal.
    """

    difference: float
    low: float
    high: float
    smallest: float


def mean_interval(values, level=0.95):
    """Mean of runs that differ by their seed, with Student's interval.

    Args:
        values: Floats, a run each.
        level: Float, the interval's share.

    Returns:
        Mean, lower and upper end; the ends are `None` for a single value.

    Example:

    >>> mean_interval([0.70, 0.72])
    (0.71, 0.582..., 0.837...)
    """
    values = np.asarray(values, np.float64)
    mean = float(values.mean())
    if len(values) < 2:
        return mean, None, None
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values)
    return mean, float(mean - half), float(mean + half)


def paired_bootstrap(correct, correct_other, *, level=0.95, num_resamples=10_000, seed=0):
    """Difference in accuracy, with its interval over texts and seeds.

    Each resample draws texts with replacement, the same for both models, and for each model as many
    of its seeds as there are, with replacement (Efron and Tibshirani 1993).

    Args:
        correct: Boolean array `(num_seeds, num_texts)`, where the first model is right.
        correct_other: Boolean array `(num_other_seeds, num_texts)`, of the second, same texts.
        level: Float, the interval's share.
        num_resamples: Integer.
        seed: Integer.

    Returns:
        `Difference`.

    Raises:
        ValueError: If the two are not about equally many texts.
    """
    correct = np.asarray(correct, np.float64)
    correct_other = np.asarray(correct_other, np.float64)
    if correct.shape[1] != correct_other.shape[1]:
        raise ValueError(
            "Both models must be tested on the same texts. Received: "
            f"{correct.shape[1]} and {correct_other.shape[1]} texts"
        )
    rng = np.random.default_rng(seed)
    num_texts = correct.shape[1]
    differences = np.empty(num_resamples)
    for i in range(num_resamples):
        texts = rng.integers(num_texts, size=num_texts)
        seeds = rng.integers(len(correct), size=len(correct))
        other_seeds = rng.integers(len(correct_other), size=len(correct_other))
        gains = correct[seeds].mean(axis=0) - correct_other[other_seeds].mean(axis=0)
        differences[i] = gains[texts].mean()
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    smallest = stats.norm.ppf((1 + level) / 2) * differences.std()
    return Difference(
        float(correct.mean() - correct_other.mean()), float(low), float(high), float(smallest)
    )


def mcnemar(correct, correct_other):
    """McNemar's exact test: whether two models err on equally many texts (McNemar 1947).

    Args:
        correct: Boolean array `(num_texts,)`, where the first model is right.
        correct_other: Boolean array `(num_texts,)`, the same of the second.

    Returns:
        The p-value: two-sided binomial test on the texts on which just one of them is right.
    """
    correct, other = np.asarray(correct, bool), np.asarray(correct_other, bool)
    table = [
        [np.sum(correct & other), np.sum(correct & ~other)],
        [np.sum(~correct & other), np.sum(~correct & ~other)],
    ]
    return float(contingency_tables.mcnemar(table, exact=True).pvalue)


def holm(p_values):
    """Corrects p-values of a family of tests (Holm 1979).

    Args:
        p_values: Floats.

    Returns:
        List of floats in the same order, to compare with the level of the whole family.
    """
    p_values = list(p_values)
    return multitest.multipletests(p_values, method="holm")[1].tolist() if p_values else []
