"""The tests that decide: what differences and intervals say of a claim."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from emotion_keras.evaluation.comparison import correct_by_text, difference_of
from emotion_keras.evaluation.significance import LEVEL, Difference, holm, mean_interval
from reports.display.words import interval, p_in_words, percent
from reports.records import Run

HOLDS = "holds"
DOES_NOT_HOLD = "does not hold"
NOT_RESOLVED = "not resolved"
NOT_RUN = "not run"


class Resolved(NamedTuple):
    """A difference among others that are looked at together.

    Args:
        difference: Its `Difference`.
        p_holm: Its p-value after Holm's correction for all of them.
    """

    difference: Difference
    p_holm: float

    @property
    def is_resolved(self) -> bool:
        """Whether it is more than chance: the one rule of the page."""
        return self.p_holm <= LEVEL


def resolve(found: Mapping[Any, Difference | None]) -> dict[Any, Resolved | None]:
    """Corrects differences that are looked at together for their number.

    Args:
        found: Dictionary of `Difference`, or of `None` where it is unknown.

    Returns:
        Dictionary of `Resolved` or `None` by the same keys.
    """
    known = {key: one for key, one in found.items() if one is not None}
    corrected = dict(zip(known, holm(one.p_value for one in known.values()), strict=True))
    return {
        key: None if one is None else Resolved(one, corrected[key]) for key, one in found.items()
    }


def difference(runs: list[Run], others: list[Run], *, fewest: int = 2) -> Difference | None:
    """Difference in accuracy between runs of two settings, or `None` where it is unknown.

    Args:
        runs: List of `Run`.
        others: List of `Run`, tested on the same texts.
        fewest: So many runs of each are needed: a single one says nothing of other seeds.

    Returns:
        `Difference`, or `None` if predictions, common texts or runs are missing.
    """
    if min(len(runs), len(others)) < fewest:
        return None
    if any(run.predictions is None for run in [*runs, *others]):
        return None
    tables = _correct(tuple(runs)), _correct(tuple(others))
    if tables[0].index.intersection(tables[1].index).empty:
        return None
    return difference_of(*tables, runs[0].groups)


@functools.lru_cache(maxsize=64)
def _correct(runs):
    # A model is in many pairs.
    return correct_by_text([run.predictions.assign(seed=run.seed) for run in runs])


def resolved_in_words(found: Resolved) -> str:
    """A difference in points with its interval and its corrected p-value in brackets."""
    one = found.difference
    ends = interval(one.low, one.high, signed=True)
    p_value = p_in_words(found.p_holm)
    equals = "" if p_value.startswith("<") else "= "
    return f"{percent(one.difference, signed=True)} ({ends}; p {equals}{p_value})"


class Differences:
    """Differences in accuracy between compared models, each worked out once."""

    def __init__(self, compared: dict[str, list[Run]]):
        self.compared = compared
        self._found = {}

    def __call__(self, name: str, other: str) -> Difference | None:
        if (name, other) not in self._found:
            runs, others = (self.compared.get(key, []) for key in (name, other))
            self._found[name, other] = difference(runs, others)
        return self._found[name, other]


def verdict_of_differences(found: Sequence[Difference | None]) -> str:
    """The verdict of a claim that every one of some differences is above 0.

    Args:
        found: List of `Difference`, or `None` for what was not run.

    Returns:
        A verdict.
    """
    there = [one for one in found if one is not None]
    if refuting(there):
        return DOES_NOT_HOLD
    if not there or len(there) < len(found):
        return NOT_RUN
    # All of them at once: no correction is needed to say that each is.
    holds = all(one.difference > 0 and one.p_value <= LEVEL for one in there)
    return HOLDS if holds else NOT_RESOLVED


def refuting(found: Sequence[Difference]) -> list[int]:
    """Of differences that are claimed to be above 0 those resolved to be below, as positions."""
    p_values = [one.p_value for one in found]
    below = [n for n, p in enumerate(p_values) if found[n].difference < 0 and p <= LEVEL]
    if not below:
        return []  # A correction makes no p-value smaller.
    corrected = holm(p_values)
    return [number for number in below if corrected[number] <= LEVEL]


def verdict_of_interval(low: float | None, high: float | None, limit: float) -> str:
    """The verdict of a claim that a number is at most `limit`, from its interval.

    Args:
        low: Lower end, or `None` where a single run has no interval.
        high: Upper end.
        limit: Float.

    Returns:
        A verdict.
    """
    if low is None or np.isnan(low):
        return NOT_RESOLVED
    return HOLDS if high <= limit else DOES_NOT_HOLD if low > limit else NOT_RESOLVED


def above_0(values: Sequence[float]) -> str:
    """The verdict of a claim that a number is above 0, from values of runs."""
    _, low, high = mean_interval(values)
    low, high = (None if end is None else -end for end in (high, low))
    return verdict_of_interval(low, high, 0)


def all_of(verdicts: Sequence[str]) -> str:
    """The verdict of a claim from those of its parts."""
    for verdict in (DOES_NOT_HOLD, NOT_RUN, NOT_RESOLVED):
        if verdict in verdicts:
            return verdict
    return HOLDS if verdicts else NOT_RUN
