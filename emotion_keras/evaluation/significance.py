"""How sure scores and differences are: intervals over texts and seeds, and tests of differences.

Texts are what a test split has many of, and seeds what a study has few of: the variance of a mean
is the sum of both. That of texts is what resampling them without end would give (Efron and
Tibshirani 1993), with the texts of one subject resampled together, since they are no independent
ones; to resample a few seeds would give too little, with two of them half. Intervals are Student's
with Welch and Satterthwaite's degrees of freedom (Welch 1947), which are few where the spread is
that of few seeds. A single run adds nothing: of a model without randomness that is right, of others
it leaves the seeds out.
"""

import gc
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import special
from statsmodels.stats import multitest

# A difference is resolved where its p-value, after the correction for its family, is at most this.
LEVEL = 0.05


class Difference(NamedTuple):
    """How much more often one model is right than another.

    Args:
        difference: Float, accuracy of the first minus accuracy of the second.
        low: Lower end of its 95 % interval.
        high: Upper end of its interval.
        p_value: Of there being no difference, two-sided; below 0.05 just where the interval leaves
            out 0. Of several differences `holm` corrects it.
    """

    difference: float
    low: float
    high: float
    p_value: float


class Spread(NamedTuple):
    """One of the variances that add up to that of a mean.

    Args:
        variance: Float, of the mean.
        freedom: Its degrees of freedom.
    """

    variance: float
    freedom: int


def mean_interval(
    values: Sequence[float] | np.ndarray, level: float = 0.95
) -> tuple[float, float | None, float | None]:
    """Mean of values with one source of chance, such as differences by seed, with its interval.

    Args:
        values: Floats.
        level: Float, the interval's share.

    Returns:
        Mean, lower and upper end of Student's interval; the ends are `None` for a single value.

    Example:

    >>> mean_interval([0.70, 0.72])
    (0.71, 0.582..., 0.837...)
    """
    values = np.asarray(values, np.float64)
    mean = float(values.mean())
    if len(values) < 2:
        return mean, None, None
    return mean, *interval(mean, [spread_over_seeds(values)], level)


def spread_over_seeds(values: Sequence[float] | np.ndarray) -> Spread | None:
    """How far a mean over seeds would move with other seeds, from the values of two or more."""
    if len(values) < 2:
        return None
    return Spread(float(np.var(values, ddof=1) / len(values)), len(values) - 1)


def spread_over_subjects(shares: np.ndarray) -> Spread | None:
    """How far a score would move with the texts of other subjects.

    Args:
        shares: Float array `(num_subjects,)` that sums to 0: what the texts of each subject add to
            the score's distance from its expectation. Of an accuracy each text adds its own, less
            the mean, by the number of texts; see `evaluation.scores` for other scores.

    Returns:
        `Spread`, or `None` where there is one subject alone.
    """
    number = len(shares)
    if number < 2:
        return None
    return Spread(float(number / (number - 1) * np.sum(shares**2)), number - 1)


def interval(
    mean: float, spreads: Iterable[Spread | None], level: float = 0.95
) -> tuple[float, float]:
    """Student's interval of a mean whose variance is the sum of several, `None` for one unknown."""
    spread, freedom = _together(spreads)
    half = spread * special.stdtrit(freedom, (1 + level) / 2) if spread else 0.0
    return float(mean - half), float(mean + half)


def p_of_0(mean: float, spreads: Iterable[Spread | None]) -> float:
    """The two-sided p-value of a mean of 0; see `interval`."""
    spread, freedom = _together(spreads)
    if not spread:
        return float(mean == 0)
    return float(2 * special.stdtr(freedom, -abs(mean) / spread))


def _together(spreads):
    """The standard error of all spreads, and its degrees of freedom."""
    there = [one for one in spreads if one is not None and one.variance > 0]
    variance = sum(one.variance for one in there)
    if not there:
        return 0.0, np.inf
    return np.sqrt(variance), variance**2 / sum(one.variance**2 / one.freedom for one in there)


def paired_difference(
    correct: np.ndarray,
    correct_other: np.ndarray,
    groups: Sequence[Any] | np.ndarray | None = None,
    *,
    level: float = 0.95,
) -> Difference:
    """Difference in accuracy, paired by text, with its interval over texts and seeds.

    Args:
        correct: Boolean array `(num_seeds, num_texts)`, where the first model is right.
        correct_other: Boolean array `(num_other_seeds, num_texts)`, of the second, same texts.
        groups: Array `(num_texts,)` that is equal for texts of one subject; each text is its own
            where `None`.
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
    difference = float(gains.mean())
    shares = (gains - difference) / len(gains)
    if groups is not None:
        shares = np.bincount(np.unique(groups, return_inverse=True)[1], shares)
    spreads = [
        spread_over_subjects(shares),
        spread_over_seeds(correct.mean(axis=1)),
        spread_over_seeds(correct_other.mean(axis=1)),
    ]
    ends = interval(difference, spreads, level)
    return Difference(difference, *ends, p_of_0(difference, spreads))


def holm(p_values: Iterable[float]) -> list[float]:
    """Corrects p-values of a family of tests (Holm 1979).

    Args:
        p_values: Floats.

    Returns:
        List of floats in the same order, to compare with the level of the whole family.
    """
    p_values = list(p_values)
    if not p_values:
        return []
    # The library collects garbage at each call: a tenth of a second where much is loaded, unless
    # what is loaded is set aside.
    gc.freeze()
    try:
        return multitest.multipletests(p_values, method="holm")[1].tolist()
    finally:
        gc.unfreeze()
