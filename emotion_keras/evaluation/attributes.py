"""How good a model is by group: examples that share the value of an attribute, such as a country.

A group is compared with the rest: the other examples of which the attribute is known. Where an
attribute has two groups, that is one comparison. All comparisons of a model, of accuracy and of
confidence, are corrected together.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from emotion_keras.evaluation.coverage import Judged
from emotion_keras.evaluation.scores import Score, calibration_gaps, subjects
from emotion_keras.evaluation.significance import (
    LEVEL,
    Difference,
    Spread,
    holm,
    interval,
    p_of_0,
    spread_over_seeds,
    spread_over_subjects,
)

# A group, and the rest, of fewer examples or of fewer subjects is not compared: Student's t would
# be of little worth.
FEWEST_EXAMPLES, FEWEST_SUBJECTS = 50, 10


class Compared(NamedTuple):
    """A group against the rest.

    Args:
        difference: `Difference` of the group from the rest.
        p_holm: Its p-value after the correction for all comparisons of the model.
    """

    difference: Difference
    p_holm: float

    @property
    def is_resolved(self) -> bool:
        return self.p_holm <= LEVEL


class Group(NamedTuple):
    """How good a model is about a group.

    Args:
        attribute: The attribute's name.
        value: What the group's examples have in common.
        num_examples: Their number.
        num_subjects: Whose they are, a number.
        accuracy: `Score`.
        ece: `Score` of the expected calibration error; of few examples it is large by chance alone.
        overconfidence: `Score` of the mean confidence less the accuracy.
        accuracy_beyond: `Compared` accuracy, or `None` of a group that is too small.
        overconfidence_beyond: `Compared` overconfidence, likewise.
    """

    attribute: str
    value: str
    num_examples: int
    num_subjects: int
    accuracy: Score
    ece: Score
    overconfidence: Score
    accuracy_beyond: Compared | None
    overconfidence_beyond: Compared | None


def score_groups(
    judged: Sequence[Judged],
    seeds: Sequence[int],
    attributes: pd.DataFrame,
    groups: Mapping[str, str] | None = None,
) -> list[Group]:
    """How good the runs of one setting are by group.

    Args:
        judged: `Judged` by run.
        seeds: The seed by run. Runs of one seed are of different folds.
        attributes: Data frame as of `read_attributes`.
        groups: The subject of each example by id; one that is not there is its own.

    Returns:
        List of `Group`, attribute by attribute. Those of numbers are in their order, and others by
        falling accuracy.
    """
    right, confidence = (_by_seed(judged, seeds, name) for name in ("right", "confidence"))
    ids = right.index.intersection(attributes.index)
    right, confidence = right.loc[ids].to_numpy(float), confidence.loc[ids].to_numpy(float)
    whose = pd.factorize(subjects(ids.tolist(), groups))[0]
    found, compared = [], {}
    for attribute in attributes:
        values = attributes.loc[ids, attribute].to_numpy(str)
        known = np.flatnonzero(values != "")
        different = sorted(set(values[known]))
        measured = []
        for value in different:
            is_in = values == value
            rows = np.flatnonzero(is_in)
            measured.append(
                Group(
                    attribute,
                    value,
                    len(rows),
                    len(set(whose[rows])),
                    _mean(right[rows], whose[rows]),
                    _mean(_gaps(confidence[rows], right[rows]), whose[rows]),
                    _mean((confidence - right)[rows], whose[rows]),
                    None,
                    None,
                )
            )
            # Of two groups, one says it of both.
            if len(different) == 2 and value == different[1]:
                continue
            rest = known[~is_in[known]]
            if _is_enough(rows, whose) and _is_enough(rest, whose):
                for measure, of_texts in (("accuracy", right), ("over", confidence - right)):
                    compared[attribute, value, measure] = _beyond(of_texts, rows, rest, whose)
        found += sorted(measured, key=_order)
    corrected = holm(difference.p_value for difference in compared.values())
    tested = {
        at: Compared(difference, p_holm)
        for (at, difference), p_holm in zip(compared.items(), corrected, strict=True)
    }
    return [_with_tests(group, found, tested) for group in found]


def _by_seed(judged, seeds, name):
    """What is said of each example, by id, with a column a seed; those that all seeds speak of."""
    columns = {}
    for of_run, seed in zip(judged, seeds, strict=True):
        columns.setdefault(seed, []).append(pd.Series(getattr(of_run, name), of_run.ids, float))
    # Folds may share no example; runs that do, as of several splits, count alike.
    frame = pd.DataFrame(
        {seed: pd.concat(parts).groupby(level=0).mean() for seed, parts in columns.items()}
    )
    return frame.dropna()


def _gaps(confidence, right):
    columns = zip(confidence.T, right.T, strict=True)
    return np.column_stack([calibration_gaps(*of_seed) for of_seed in columns])


def _mean(of_texts, whose):
    """The mean of an array `(num_examples, num_seeds)` as a `Score`."""
    by_seed = of_texts.mean(axis=0)
    mean = float(by_seed.mean())
    spread = float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None
    of_subjects = spread_over_subjects(_shares(of_texts, whose))
    if of_subjects is None:  # One subject says nothing of others.
        return Score(mean, None, None, spread)
    return Score(mean, *interval(mean, [of_subjects, spread_over_seeds(by_seed)]), spread)


def _shares(of_texts, whose):
    """What the examples of each subject add to a mean's distance from its expectation."""
    values = of_texts.mean(axis=1)
    _, places = np.unique(whose, return_inverse=True)
    return np.bincount(places, (values - values.mean()) / len(values))


def _is_enough(rows, whose):
    return len(rows) >= FEWEST_EXAMPLES and len(set(whose[rows])) >= FEWEST_SUBJECTS


def _beyond(of_texts, rows, rest, whose):
    """The mean of some examples less that of the rest, a `Difference`."""
    by_seed = of_texts[rows].mean(axis=0) - of_texts[rest].mean(axis=0)
    difference = float(by_seed.mean())
    spreads = [*_spreads(of_texts, rows, rest, whose), spread_over_seeds(by_seed)]
    return Difference(difference, *interval(difference, spreads), p_of_0(difference, spreads))


def _spreads(of_texts, rows, rest, whose) -> Iterator[Spread | None]:
    if not set(whose[rows]) & set(whose[rest]):
        # As few degrees of freedom as the smaller side has (Welch 1947).
        yield spread_over_subjects(_shares(of_texts[rows], whose[rows]))
        yield spread_over_subjects(_shares(of_texts[rest], whose[rest]))
        return
    # Paired by subject, as where a speaker speaks both loud and low.
    values = of_texts.mean(axis=1)
    shares = np.zeros(len(values))
    for side, sign in ((rows, 1), (rest, -1)):
        shares[side] = sign * (values[side] - values[side].mean()) / len(side)
    both = np.concatenate([rows, rest])
    _, places = np.unique(whose[both], return_inverse=True)
    yield spread_over_subjects(np.bincount(places, shares[both]))


def _order(group):
    """Numbers and their bins come in their order, and other values by falling accuracy."""
    start = group.value.partition(" to ")[0]
    try:
        return (0, float(start), group.value)
    except ValueError:
        return (1, -group.accuracy.mean, group.value)


def _with_tests(group, found, tested):
    measures = ("accuracy", "over")
    own = [tested.get((group.attribute, group.value, measure)) for measure in measures]
    others = [one for one in found if one.attribute == group.attribute and one != group]
    if own[0] is None and len(others) == 1:
        mirrored = [tested.get((group.attribute, others[0].value, m)) for m in measures]
        own = [None if one is None else _mirrored(one) for one in mirrored]
    return group._replace(accuracy_beyond=own[0], overconfidence_beyond=own[1])


def _mirrored(compared):
    difference, low, high, p_value = compared.difference
    return compared._replace(difference=Difference(-difference, -high, -low, p_value))


def in_words(found: Sequence[Group], plural: str, right: str = "Accuracy") -> list[str]:
    """Between which groups accuracy differs, a sentence an attribute.

    Args:
        found: What `score_groups` gives.
        plural: What examples are called.
        right: What the share of examples is called that are answered rightly, as a sentence begins.
    """
    sentences, alike, small = [], [], []
    for attribute in dict.fromkeys(group.attribute for group in found):
        own = [group for group in found if group.attribute == attribute]
        tested = {group.value: group.accuracy_beyond for group in own if group.accuracy_beyond}
        apart = {value: one.difference for value, one in tested.items() if one.is_resolved}
        ranked = sorted(apart, key=lambda value: -apart[value].difference)
        if apart:
            listed = ", ".join(f"{value} {_points(apart[value])}" for value in ranked)
            sentences.append(f"{right} by {attribute}, against the other {plural}: {listed}.")
        elif tested:
            alike.append(attribute)
        else:
            small.append(attribute)
    if alike:
        sentences.append(f"{right} by {', '.join(alike)}: no difference is resolved.")
    if small:
        names = ", ".join(small)
        sentences.append(f"{right} by {names}: the groups are too small to be compared.")
    return sentences


def _points(found):
    difference, low, high, _ = (100 * value for value in found)
    return f"{difference:+.1f} points ({low:+.1f} to {high:+.1f})".replace("-", "−")
