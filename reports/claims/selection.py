"""Whether a gate that closes earns its place: by what it keeps, under noise, with few texts."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from emotion_keras.evaluation.selection import Selection
from emotion_keras.evaluation.significance import Difference, interval, p_of_0, spread_over_seeds
from reports.claims.claim import NOISE_LEVEL
from reports.claims.verdicts import Resolved, difference, resolve
from reports.display.models import name_of
from reports.display.words import interval as ends_in_words
from reports.display.words import listed, percent
from reports.records import Run

# The model without a gate, which all forms are held against.
NONE = "none"


class Point(NamedTuple):
    """Runs of one form of the gate.

    Args:
        contender: String.
        form: Name of the form, without its share.
        keep: Float, the share of words that it is to keep; 1 where nothing closes it.
        ratio: Float, the share of the training split.
        runs: List of `Run`.
    """

    contender: str
    form: str
    keep: float
    ratio: float
    runs: list

    @property
    def name(self) -> str:
        """The form and its share in words."""
        form = self.form.replace("_", " ")
        return form if self.keep == 1 else f"{form}, {100 * self.keep:g} %"

    @property
    def selects(self) -> bool:
        """Whether its gates close for good."""
        return self.runs[0].gate == "hard_concrete"


class Judged(NamedTuple):
    """What came of the forms of the gate.

    Args:
        points: List of `Point`.
        selections: Dictionary of `Selection` by `Point`'s position.
        accuracy: Dictionary of `Resolved` or `None`, accuracy beyond the model without gate on the
            same part of the training split, by position.
        beyond: Dictionary of `Resolved` by position and what the kept words alone are held against,
            `random` or `contribution`, where the gate's own model reads.
        plain_beyond: The same where the model with the paper's gate reads.
        lost: Dictionary of `Resolved` or `None`, accuracy lost under noise beyond what the model
            without gate loses, by position.
        sentences: Dictionary of a sentence by question: `selection`, `noise` and `data`.
    """

    points: list
    selections: dict
    accuracy: dict
    beyond: dict
    plain_beyond: dict
    lost: dict
    sentences: dict


def judge_gates(
    found: Mapping[tuple[str, str], list[Run]],
    selection_of: Callable[[list[Run]], Selection | None],
    noisy_of: Callable[[Run], float | None],
    noise_level: float = NOISE_LEVEL,
) -> Judged:
    """Judges the forms of a study of gates.

    Differences that one question is about are a family, which Holm's correction is for.

    Args:
        found: Dictionary of lists of `Run` by pairs of contender and value.
        selection_of: Function that gives what runs keep, or `None` where it was not measured.
        noisy_of: Function that gives a run's mean accuracy over kinds of noise, or `None`.
        noise_level: Float, the level of that noise.

    Returns:
        `Judged`.
    """
    points = [_point(name, value, runs) for (name, value), runs in found.items()]
    none = {(p.contender, p.ratio): p.runs for p in points if p.form == NONE}
    gated = [i for i, point in enumerate(points) if point.form != NONE]
    accuracy = {}
    for family in ([i for i in gated if points[i].ratio == 1], *_by_ratio(points, gated)):
        accuracy |= resolve(
            {i: difference(points[i].runs, none.get(_beside(points[i]), [])) for i in family}
        )
    selections = {
        i: kept
        for i in gated
        if points[i].selects and (kept := selection_of(points[i].runs)) is not None
    }
    others = [(i, other) for i in selections for other in ("random", "contribution")]
    beyond, plain_beyond = (
        resolve({(i, other): selections[i].difference(reader, other) for i, other in others})
        for reader in ("own", "plain")
    )
    lost = resolve(
        {
            i: _lost_beyond(points[i].runs, none.get(_beside(points[i]), []), noisy_of)
            for i in gated
            if points[i].ratio == 1
        }
    )
    judged = Judged(points, selections, accuracy, beyond, plain_beyond, lost, {})
    sentences = {
        "selection": _selection(judged),
        "noise": _noise(judged, noise_level),
        "data": _data(judged),
    }
    return judged._replace(sentences={k: text for k, text in sentences.items() if text})


def _point(name, value, runs):
    record = runs[0].record
    keep = record["hyperparameters"].get("keep", 1.0)
    form = value.partition(",")[0].partition(" ")[0]
    ratio = record["corpus"]["protocol"].get("train_fraction") or 1.0
    return Point(name, form, keep, ratio, runs)


def _beside(point):
    return point.contender, point.ratio


def _by_ratio(points, gated):
    ratios = sorted({points[i].ratio for i in gated} - {1})
    return [[i for i in gated if points[i].ratio in ratios]] if ratios else []


def _lost_beyond(runs, others, noisy_of):
    """By seed, accuracy lost under noise minus what other runs lose, as a `Difference`."""
    lost = [
        {run.seed: run.test["accuracy"] - noisy for run in of_one if (noisy := noisy_of(run))}
        for of_one in (runs, others)
    ]
    seeds = sorted(set(lost[0]) & set(lost[1]))
    if len(seeds) < 2:
        return None
    values = np.array([lost[0][seed] - lost[1][seed] for seed in seeds])
    mean, spreads = float(values.mean()), [spread_over_seeds(values)]
    return Difference(mean, *interval(mean, spreads), p_of_0(mean, spreads))


def _selection(judged):
    """At which share of words accuracy falls, and whether the words kept are the right ones."""
    said, earning = [], False
    several = any(run.target.several for point in judged.points for run in point.runs)
    accuracy = "share of texts with all labels right" if several else "accuracy"
    for name in dict.fromkeys(point.contender for point in judged.points):
        own = [i for i in judged.selections if judged.points[i].contender == name]
        whole = [i for i in own if not _falls(judged.accuracy[i])]
        if not own:
            continue
        if not whole:
            said.append(f"{name_of(name)} is less often right with every gate that closes")
            continue
        least = min(whole, key=lambda i: judged.selections[i].share)
        against = {other: judged.beyond[least, other] for other in ("random", "contribution")}
        earns = all(_is(one, below=False) for one in against.values())
        earning |= earns
        said.append(
            f"{name_of(name)} keeps {percent(judged.selections[least].share)} % of the words "
            f"({judged.points[least].name}) before its {accuracy} falls below that without gate"
            f"{_in_brackets(judged.accuracy[least])}; its {accuracy} on these words alone differs "
            f"by {_points(against['random'])} from that on as many random ones, and by "
            f"{_points(against['contribution'])} from that on those of the largest contributions"
        )
    if not said:
        return ""
    verdict = (
        "The gate earns its place by what it selects"
        if earning
        else "No gate selects words that are resolved to be better than those of the largest "
        "contributions"
    )
    return f"{verdict}: {'; '.join(said)}."


def _noise(judged, level):
    known = {i: one for i, one in judged.lost.items() if one is not None}
    if not known:
        return ""
    helping = [i for i, one in known.items() if _is(one, below=True)]
    best = min(known, key=lambda i: known[i].difference.difference)
    return (
        f"{_who(judged, helping)} under noise: at level {level:g} "
        f"{_named(judged.points[best])} loses least, {_points(known[best])} against what the same "
        "loses without gate."
    )


def _data(judged):
    known = {
        i: one
        for i, one in judged.accuracy.items()
        if one is not None and judged.points[i].ratio < 1
    }
    if not known:
        return ""
    helping = [i for i, one in known.items() if _is(one, below=False)]
    best = max(known, key=lambda i: known[i].difference.difference)
    point = judged.points[best]
    ratios = sorted({100 * judged.points[i].ratio for i in known})
    return (
        f"{_who(judged, helping)} with {listed(f'{ratio:g}' for ratio in ratios)} % of the "
        f"training split: {_named(point)} gains most, {_points(known[best])} with "
        f"{100 * point.ratio:g} %."
    )


def _who(judged, helping):
    if not helping:
        return "No form of the gate helps"
    names = dict.fromkeys(_named(judged.points[i]) for i in helping)
    return f"{listed(names)} help{'s' if len(names) == 1 else ''}"


def _named(point):
    return f"{name_of(point.contender)} with {point.name}"


def _is(found: Resolved | None, below: bool) -> bool:
    """Whether a difference is resolved to be below 0, or above."""
    if found is None or not found.is_resolved:
        return False
    return (found.difference.difference < 0) == below


def _falls(found: Resolved | None) -> bool:
    """Whether the interval of a difference lies below 0.

    That a loss is not resolved among many would not say that nothing is lost.
    """
    return found is None or found.difference.high < 0


def _points(found: Resolved) -> str:
    one = found.difference
    return (
        f"{percent(one.difference, signed=True)} points "
        f"({ends_in_words(one.low, one.high, signed=True)})"
    )


def _in_brackets(found: Resolved | None) -> str:
    return "" if found is None else f" ({_points(found)})"
