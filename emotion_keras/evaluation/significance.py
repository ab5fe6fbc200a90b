"""Whether one model is better than another, or whether these texts cannot tell."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special, stats
from statsmodels.stats import contingency_tables, multitest


class Difference(NamedTuple):
    """How much more often one model is right than another.

    Args:
        difference: Float, accuracy of the first minus accuracy of the second.
        low: Lower end of its interval.
        high: Upper end of its interval.
        smallest: The smallest difference that these texts and seeds resolve: half the interval's
            width.
        p_value: Of there being no difference, two-sided; below 0.05 just where the difference is
            beyond the smallest at the level of 0.95.
    """

    difference: float
    low: float
    high: float
    smallest: float
    p_value: float


def mean_interval(
    values: Sequence[float] | np.ndarray, level: float = 0.95
) -> tuple[float, float | None, float | None]:
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
    # Without the checks of scipy.stats, for thousands of calls a report.
    quantile = special.stdtrit(len(values) - 1, (1 + level) / 2)
    half = quantile * values.std(ddof=1) / np.sqrt(len(values))
    return mean, float(mean - half), float(mean + half)


def paired_difference(
    correct: np.ndarray, correct_other: np.ndarray, *, level: float = 0.95
) -> Difference:
    """Difference in accuracy, with its interval over texts and seeds.

    Its variance is the sum of three: of the mean over texts, paired, and of the means over the
    seeds of each model. The first is what resampling the texts without end would give (Efron and
    Tibshirani 1993); to resample a few seeds would give too little, with two of them half. The
    interval is Student's with Welch and Satterthwaite's degrees of freedom (Welch 1947), which are
    few where the spread is that of few seeds. A single run adds nothing: of a model without
    randomness that is right, of others it leaves the seeds out.

    Args:
        correct: Boolean array `(num_seeds, num_texts)`, where the first model is right.
        correct_other: Boolean array `(num_other_seeds, num_texts)`, of the second, same texts.
        level: Float, the interval's share.

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
    gains = correct.mean(axis=0) - correct_other.mean(axis=0)
    averaged = (gains, correct.mean(axis=1), correct_other.mean(axis=1))
    averaged = [values for values in averaged if len(values) > 1]
    variances = np.array([values.var(ddof=1) / len(values) for values in averaged])
    difference, variance = float(gains.mean()), float(variances.sum())
    if variance == 0:
        return Difference(difference, difference, difference, 0.0, float(difference == 0))
    freedom = variance**2 / sum(variances**2 / [len(values) - 1 for values in averaged])
    spread = np.sqrt(variance)
    smallest = float(stats.t.ppf((1 + level) / 2, freedom) * spread)
    p_value = float(2 * stats.t.sf(abs(difference) / spread, freedom))
    return Difference(difference, difference - smallest, difference + smallest, smallest, p_value)


def mcnemar(correct: np.ndarray, correct_other: np.ndarray) -> float:
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


def holm(p_values: Iterable[float]) -> list[float]:
    """Corrects p-values of a family of tests (Holm 1979).

    Args:
        p_values: Floats.

    Returns:
        List of floats in the same order, to compare with the level of the whole family.
    """
    p_values = list(p_values)
    return multitest.multipletests(p_values, method="holm")[1].tolist() if p_values else []
