"""Accuracy against coverage: how often a model is right where it is sure enough to answer.

A threshold is a confidence from which on a model answers. Its coverage is the share of examples
that are answered, its accuracy the share of these answers that are right (El-Yaniv and Wiener
2010). The threshold that is asked for by accuracy is chosen on the validation split: it is the
smallest at which the accuracy is surely reached, by the lower end of Clopper and Pearson's
one-sided 90 % interval (Geifman and El-Yaniv 2017), and where examples are of subjects by that of
Student's interval over subjects, too. The accuracy itself would be too high, as many thresholds are
tried and the best is taken. The test split is looked at afterwards.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from emotion_keras.errors import UserError
from emotion_keras.evaluation.predictions import (
    probability_columns,
    read_predictions,
    temperature_of,
)
from emotion_keras.evaluation.scores import Score, subjects
from emotion_keras.evaluation.significance import interval, spread_over_seeds, spread_over_subjects
from emotion_keras.evaluation.threshold import Threshold, choose_threshold
from emotion_keras.targets import Target, target_of

# How sure it has to be that an accuracy is reached.
LEVEL = 0.9
# The shares of examples, surest first, that tables and curves are about.
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
# Of examples of fewer subjects their number says little, however many there are.
_FEWEST_SUBJECTS = 10
# The accuracy that is asked for where nobody says one.
TARGET_ACCURACY = 0.9
# Thresholds have this many digits, so that there are not more of them than that.
_DIGITS = 4


class Judged(NamedTuple):
    """What came of the answers to the examples of a split.

    Args:
        ids: Array `(num_examples,)` of strings.
        confidence: Float array `(num_examples,)`, after the temperature.
        right: Boolean array `(num_examples,)`.
    """

    ids: np.ndarray
    confidence: np.ndarray
    right: np.ndarray


class Sure(NamedTuple):
    """When the answers of runs of one setting can be relied on.

    Args:
        by_coverage: What `by_coverage` gives.
        threshold: What `reach` gives of one of the runs.
    """

    by_coverage: dict[float, Score]
    threshold: Threshold | None


def judge(rows: pd.DataFrame, target: Target, temperature: float) -> Judged:
    """What came of the answers in the rows of a split.

    Args:
        rows: Data frame as of `read_predictions`.
        target: The run's `Target`.
        temperature: Its temperature.

    Returns:
        `Judged`.
    """
    scaled = target.scale(rows[probability_columns(target.labels)].to_numpy(), temperature)
    return Judged(
        rows["id"].to_numpy(),
        target.confidence(rows["predicted"].tolist(), scaled),
        (rows["label"] == rows["predicted"]).to_numpy(),
    )


def read_judged(directory: str | Path, run: dict[str, Any]) -> dict[str, Judged]:
    """What came of the answers of a finished run.

    Args:
        directory: The run's folder.
        run: Its record, a dictionary.

    Returns:
        Dictionary of `Judged` by split.

    Raises:
        UserError: See `read_predictions`.
    """
    rows = read_predictions(directory, run)
    temperature = temperature_of(run, directory)
    target = target_of(run)
    return {
        split: judge(of_split, target, temperature) for split, of_split in rows.groupby("split")
    }


def thresholds(
    judged: Mapping[str, Judged], groups: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The thresholds by which a model can be asked for an accuracy, ready for JSON.

    Args:
        judged: Dictionary of `Judged` by split, with `val`, and `test` where it was read.
        groups: The subject of each example by id, where examples are of subjects.

    Returns:
        Dictionary of `examples`, their number by split; `subjects`, whose those of `val` are, a
        number, or `None` where that is not known; and `steps`, a list of dictionaries from
        the lowest threshold to the highest, each of which surely reaches more than all before:
        `min_confidence`; `accuracy`, which is surely reached; and `answered` and `right`, numbers
        of examples by split.
    """
    val = judged["val"]
    levels, answered, right = _counts(val)
    # The chance of at least so many right ones is 1 - LEVEL where the accuracy is this.
    surely = special.betaincinv(np.maximum(right, 1), answered - right + 1, 1 - LEVEL)
    surely = np.where(right > 0, surely, 0.0)
    if groups:
        surely = np.minimum(surely, _surely_over_subjects(val, groups, answered))
    # From the lowest threshold on, those that are above all before.
    best_before = np.maximum.accumulate(np.concatenate([[-1.0], surely[:-1]]))
    is_step = surely > best_before
    levels = levels[is_step]
    counts = {split: _counts_from(of, levels) for split, of in judged.items()}
    steps = [
        {
            "min_confidence": level,
            "accuracy": accuracy,
            "answered": {split: int(answered[step]) for split, (answered, _) in counts.items()},
            "right": {split: int(right[step]) for split, (_, right) in counts.items()},
        }
        for step, (level, accuracy) in enumerate(
            zip(levels.tolist(), surely[is_step].tolist(), strict=True)
        )
    ]
    return {
        "examples": {split: len(of.right) for split, of in judged.items()},
        "subjects": len(set(subjects(val.ids.tolist(), groups))) if groups else None,
        "steps": steps,
    }


def _surely_over_subjects(judged, groups, answered):
    """The lower end of Student's one-sided interval, where the first `answered` are answered.

    The variance of an accuracy is that of the sums of its subjects' shares; the squares of these
    are kept up to date as one example after another is answered.
    """
    order = np.argsort(-np.floor(judged.confidence * 10**_DIGITS), kind="stable")
    rows = pd.DataFrame(
        {
            "subject": subjects(judged.ids[order].tolist(), groups),
            "one": 1.0,
            "right": judged.right[order].astype(np.float64),
        }
    )
    right = rows["right"]
    before = rows.groupby("subject")[["one", "right"]].cumsum() - rows[["one", "right"]]
    squares = (2 * before["one"] + 1).cumsum()
    of_right = (2 * before["right"] * right + right).cumsum()
    products = (before["right"] + right * before["one"] + right).cumsum()
    number = np.arange(1, len(rows) + 1)
    accuracy = right.cumsum() / number
    squared = of_right - 2 * accuracy * products + accuracy**2 * squares
    num_subjects = (before["one"] == 0).cumsum()
    freedom = np.maximum(num_subjects - 1, 1)
    error = np.sqrt(np.maximum(squared, 0) * num_subjects / freedom) / number
    low = accuracy - special.stdtrit(freedom, LEVEL) * error
    low = np.where(num_subjects < _FEWEST_SUBJECTS, 0.0, np.maximum(low, 0.0))
    return low[answered.astype(int) - 1]


def _counts_from(judged, levels):
    """How many examples thresholds answer, and how many of these rightly."""
    order = np.argsort(judged.confidence)
    first = np.searchsorted(judged.confidence[order], levels)
    right = np.concatenate([np.cumsum(judged.right[order][::-1])[::-1], [0]])
    return len(order) - first, right[first]


def _counts(judged):
    """Thresholds, upwards, and how many examples each answers, and how many of these rightly."""
    scale = 10**_DIGITS
    steps = np.floor(judged.confidence * scale).astype(int)
    levels, places = np.unique(steps, return_inverse=True)
    # Of each threshold those of it and of all above.
    answered, right = (
        np.cumsum(np.bincount(places, weights)[::-1])[::-1]
        for weights in (np.ones(len(places)), judged.right)
    )
    return levels / scale, answered, right


def threshold_at(judged: Judged, coverage: float) -> float:
    """The threshold at which the surest part of a split is answered.

    Args:
        judged: `Judged`.
        coverage: Float above 0 and at most 1.

    Returns:
        Float: the confidence of the last example that is answered. Where others have the same,
        they are answered as well.
    """
    number = max(1, round(coverage * len(judged.confidence)))
    return float(np.sort(judged.confidence)[-number])


def accuracy_from(
    judged: Sequence[Judged],
    levels: Sequence[float],
    seeds: Sequence[int],
    groups: Mapping[str, str] | None = None,
) -> tuple[Score, float]:
    """The accuracy and the coverage of runs that answer from a threshold on.

    Args:
        judged: `Judged` by run.
        levels: The threshold by run.
        seeds: The seed by run.
        groups: The subject of each example by id; one that is not there is its own.

    Returns:
        `Score` of the accuracy, whose interval over examples and seeds is that of these thresholds;
        and the mean coverage.
    """
    shares, means, coverages = [], [], []
    for of_run, level in zip(judged, levels, strict=True):
        answered = of_run.confidence >= level
        number = max(answered.sum(), 1)
        mean = of_run.right[answered].sum() / number
        shares.append(np.where(answered, of_run.right - mean, 0.0) / number)
        means.append(mean)
        coverages.append(answered.mean())
    whose = np.concatenate([subjects(of_run.ids.tolist(), groups) for of_run in judged])
    together = np.bincount(pd.factorize(whose)[0], np.concatenate(shares)) / len(judged)
    frame = pd.Series(means).groupby(list(seeds)).mean()
    mean = float(np.mean(means))
    ends = interval(mean, [spread_over_subjects(together), spread_over_seeds(frame.to_numpy())])
    spread = float(frame.std()) if len(frame) > 1 else None
    return Score(mean, *ends, spread), float(np.mean(coverages))


def by_coverage(
    judged: Sequence[Judged],
    seeds: Sequence[int],
    groups: Mapping[str, str] | None = None,
    coverages: Sequence[float] = COVERAGES,
) -> dict[float, Score]:
    """The accuracy of runs about the examples that each is surest of; see `accuracy_from`.

    Args:
        judged: `Judged` by run.
        seeds: The seed by run.
        groups: The subject of each example by id.
        coverages: Shares of the examples that are answered.

    Returns:
        Dictionary of `Score` by coverage.
    """
    return {
        coverage: accuracy_from(
            judged, [threshold_at(of_run, coverage) for of_run in judged], seeds, groups
        )[0]
        for coverage in coverages
    }


def reach(known: Mapping[str, Any], accuracy: float = TARGET_ACCURACY) -> Threshold | None:
    """The threshold of a run that an accuracy asks for, or `None` where none surely reaches it.

    Args:
        known: What `thresholds` gives.
        accuracy: Float from 0 to 1.

    Returns:
        `Threshold` or `None`.
    """
    try:
        return choose_threshold(known, accuracy, "")
    except UserError:
        return None


def in_words(
    judged: Mapping[str, Judged], plural: str, groups: Mapping[str, str] | None = None
) -> list[str]:
    """How often a run is right where it is surest, and when it is right often enough.

    Args:
        judged: Dictionary of `Judged` by split.
        plural: What examples are called.
        groups: The subject of each example by id, where examples are of subjects.

    Returns:
        List of sentences.
    """
    split, name = ("test", "test") if "test" in judged else ("val", "validation")
    found = by_coverage([judged[split]], [0], coverages=(0.8, 0.6, 0.4))
    listed = ", ".join(
        f"{100 * score.mean:.1f} % of {100 * share:.0f} %" for share, score in found.items()
    )
    sentences = [f"Right among the {name} {plural} that it is surest of: {listed}."]
    threshold = reach(thresholds(judged, groups))
    asked = f"{100 * TARGET_ACCURACY:.0f} %"
    if threshold is None:
        return [*sentences, f"At no confidence are surely {asked} of its answers right."]
    return [
        *sentences,
        f"`predict --target-accuracy {TARGET_ACCURACY}` answers {100 * threshold.answered:.1f} % "
        f"of the {name} {plural}, {100 * threshold.accuracy:.1f} % of them rightly, and says "
        f"unsure below a confidence of {100 * threshold.min_confidence:.1f} %.",
    ]
