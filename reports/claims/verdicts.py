"""The tests that decide: what differences and intervals say of a claim."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from emotion_keras.evaluation.comparison import correct_by_text, difference_of
from emotion_keras.evaluation.significance import LEVEL, Difference, holm, mean_interval
from reports.display.words import interval, p_in_words, percent
from reports.records import Run

HOLDS = "holds"
REFUTED = "refuted"
UNDECIDED = "undecided"
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


def resolved_in_words(found: Resolved, unit: str = "") -> str:
    """A difference in points, and in brackets its interval and corrected p-value."""
    one = found.difference
    p_value = p_in_words(found.p_holm)
    return (
        f"{percent(one.difference, signed=True)}{unit} ("
        f"{interval(one.low, one.high, signed=True)}; p {'' if p_value.startswith('<') else '= '}"
        f"{p_value})"
    )


class Differences:
    """Differences in accuracy between compared models, each worked out once."""

    def __init__(self, compared: dict[str, list[Run]]):
        self.compared = compared
        self._found = {}

    def has(self, name: str) -> bool:
        """Whether a model has the two runs that a difference needs."""
        return len(self.compared.get(name, ())) > 1

    def __call__(self, name: str, other: str) -> Difference | None:
        if (name, other) not in self._found:
            runs, others = (self.compared.get(key, []) for key in (name, other))
            self._found[name, other] = difference(runs, others)
        return self._found[name, other]


def verdict_of_differences(found: Iterable[Resolved | None]) -> str:
    """The verdict of a claim that every one of some differences is above 0.

    Args:
        found: `Resolved` differences, or `None` for what was not run.

    Returns:
        A verdict.
    """
    found = list(found)
    there = [one for one in found if one is not None]
    if any(one.is_resolved and one.difference.difference < 0 for one in there):
        return REFUTED
    if not there or len(there) < len(found):
        return NOT_RUN
    return HOLDS if all(one.is_resolved for one in there) else UNDECIDED


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
        return UNDECIDED
    return HOLDS if high <= limit else REFUTED if low > limit else UNDECIDED


def above_0(values: Sequence[float]) -> str:
    """The verdict of a claim that a number is above 0, from values of runs."""
    _, low, high = mean_interval(values)
    low, high = (None if end is None else -end for end in (high, low))
    return verdict_of_interval(low, high, 0)


def all_of(verdicts: Sequence[str]) -> str:
    """The verdict of a claim from those of its parts."""
    for verdict in (REFUTED, NOT_RUN, UNDECIDED):
        if verdict in verdicts:
            return verdict
    return HOLDS if verdicts else NOT_RUN
