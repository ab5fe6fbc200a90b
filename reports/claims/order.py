"""Claims about Table 1: the numbers of the paper's model, and which model leads which.

The paper does not say where the vectors of most rows come from. So each order is decided under
every reading of the rows that was run, and these stand side by side.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from emotion_keras.evaluation.scores import Score
from emotion_keras.evaluation.significance import LEVEL, Difference
from reports.claims.claim import WHICH_FORM, Claim, judge_forms
from reports.claims.verdicts import (
    HOLDS,
    NOT_RUN,
    REFUTED,
    UNDECIDED,
    Differences,
    Resolved,
    resolve,
    resolved_in_words,
    verdict_of_differences,
)
from reports.display.models import name_of
from reports.display.table import Table
from reports.display.words import METRICS, interval, percent
from reports.paper import BERT, FORMS_OF_OURS, OURS, RIVALS, ROWS, TABLE_1, VECTORS
from reports.records import Run
from reports.scores import score_runs


class Reading(NamedTuple):
    """What an order comes to where certain models stand for the paper's rows.

    Args:
        name: What the reading takes the paper to mean.
        models: Dictionary of the contender that stands for each row.
        found: Dictionary of `Resolved` or `None` by pairs of rows, the one that is to lead first.
        verdict: A verdict.
    """

    name: str
    models: dict[str, str]
    found: dict[tuple[str, str], Resolved | None]
    verdict: str


def result(compared: dict[str, list[Run]], gated: Iterable[str]) -> Claim:
    """Whether our runs reach the numbers of the paper's model.

    Args:
        compared: Dictionary of lists of `Run` by contender.
        gated: Those contenders that have a gate, as the paper's model has.

    Returns:
        `Claim`.
    """
    _, *reported = TABLE_1[OURS]

    def judge(runs):
        scores = score_runs(runs)
        if len(runs) < 2 or any(scores.get(metric, _UNKNOWN).low is None for metric in METRICS):
            return NOT_RUN, "", ["two runs with predictions are needed."]
        measured, verdict = [], HOLDS
        for (metric, title), value in zip(METRICS.items(), reported, strict=True):
            mean, low, high, _ = scores[metric]
            reached = is_reached(scores[metric], value)
            verdict = verdict if reached else REFUTED
            measured.append(
                f"{title} {percent(mean)} ({interval(low, high)}), the paper "
                f"{percent(value)}: {'reached' if reached else 'missed'}."
            )
        estimate = ", ".join(percent(scores[metric].mean) for metric in METRICS)
        low, high = scores["accuracy"][1:3]
        return verdict, f"{estimate} (accuracy {interval(low, high)})", measured

    verdict, estimate, measured = judge_forms(compared, gated, judge)
    accuracy, f1, auc = map(percent, reported)
    return Claim(
        "result",
        f"The gated Transformer reaches {accuracy} % accuracy, {f1} % F1 and {auc} % AUC "
        "(Table 1).",
        "A number of the paper is missed if the 95 % interval of our mean over texts and seeds is "
        "wholly below it, and reached otherwise. Holds if all three are reached, and is refuted if "
        "one is missed." + WHICH_FORM,
        verdict,
        estimate,
        f"{accuracy}, {f1}, {auc}",
        measured,
        "comparison",
    )


_UNKNOWN = Score(*[None] * 4)


def is_reached(score: Score, value: float) -> bool:
    """Whether a score's interval holds a number of the paper, or lies above it."""
    return score.high is not None and score.high >= value


def leads_bert(differences: Differences) -> Claim:
    """Whether the paper's model leads BERT.

    Args:
        differences: `Differences` between compared models.

    Returns:
        `Claim`.
    """
    readings = {
        name: {ROWS[0]: form, "BERT": BERT}
        for name, form in FORMS_OF_OURS.items()
        if form == OURS or differences.has(form)
    }
    return _decide(
        differences,
        readings,
        "leads-bert",
        "The gated Transformer leads BERT (Table 1: by 1.5 points of accuracy).",
        "Where the vectors of the paper's model come from has several readings.",
    )


def order(differences: Differences) -> Claim:
    """Whether the models of Table 1 have the order that they have there.

    Args:
        differences: `Differences` between compared models.

    Returns:
        `Claim`.
    """
    return _decide(
        differences,
        _readings_of_rivals(differences, {ROWS[0]: OURS, "BERT": BERT}),
        "order",
        f"The order of the five: {' above '.join(ROWS)}.",
        "Where the vectors of the last three come from has several readings; the paper's model "
        "stands over BERT's encoder, its strongest form.",
    )


def order_of_four(differences: Differences) -> Claim:
    """Whether the rivals of the paper's model have the order that they have in Table 1.

    Args:
        differences: `Differences` between compared models.

    Returns:
        `Claim`.
    """
    return _decide(
        differences,
        _readings_of_rivals(differences, {"BERT": BERT}),
        "order-of-four",
        f"Among the rivals: {' above '.join(ROWS[1:])}.",
        "Where the vectors of the last three come from has several readings.",
    )


def _readings_of_rivals(differences, given):
    """The models that stand for rows by reading; a row lacks a reading that was not run."""
    readings = {}
    for name, encoder in VECTORS.items():
        models = dict(given)
        for row, model in RIVALS.items():
            over = f"{model}@{encoder}"
            models[row] = over if differences.has(over) else f"{model}@scratch"
        if models not in readings.values():
            readings[name] = models
    return readings


def _decide(differences, readings, name, sentence, about):
    decided = [_read(differences, *reading) for reading in readings.items()]
    verdict = verdict_of_readings([reading.verdict for reading in decided])
    return Claim(
        name,
        sentence,
        "Every pair that the order implies, in accuracy on the same texts. A pair is resolved if "
        f"its p-value, after Holm's correction for all pairs of the reading, is at most {LEVEL:g}. "
        "A reading holds if each pair is resolved in its direction, and is refuted if one is "
        f"resolved against it. {about} The claim holds, or is refuted, where all readings say so, "
        "and is undecided otherwise.",
        verdict,
        _estimate(decided),
        "above 0, every pair",
        [_in_words(reading, differences) for reading in decided],
        "comparison",
        table=readings_table(name, sentence, decided) if _is_any_run(decided) else None,
    )


def _read(differences, name, models):
    found = resolve(
        {
            (row, below): differences(models[row], models[below])
            for row, below in itertools.combinations(models, 2)
        }
    )
    return Reading(name, models, found, verdict_of_differences(found.values()))


def _is_any_run(readings):
    return any(one is not None for reading in readings for one in reading.found.values())


def verdict_of_readings(verdicts: Sequence[str]) -> str:
    """The verdict of a claim from those under each reading: all of them have to agree."""
    if len(set(verdicts)) == 1:
        return verdicts[0]
    return NOT_RUN if NOT_RUN in verdicts else UNDECIDED


def _estimate(readings):
    """What pairs come to under each reading; of a single pair its difference."""
    return "; ".join(filter(None, map(_of_reading, readings)))


def _of_reading(reading):
    there = [one for one in reading.found.values() if one is not None]
    if not there:
        return ""
    if len(reading.found) == 1:
        (one,) = there
        ends = interval(one.difference.low, one.difference.high, signed=True)
        return f"{reading.name}: {percent(one.difference.difference, signed=True)} ({ends})"
    resolved = [one.difference.difference > 0 for one in there if one.is_resolved]
    return (
        f"{reading.name}: of {len(reading.found)} pairs {sum(resolved)} as claimed, "
        f"{len(resolved) - sum(resolved)} against"
    )


def _in_words(reading, differences):
    against = [
        f"{name_of(reading.models[below])} is above {name_of(reading.models[row])}"
        for (row, below), one in reading.found.items()
        if one is not None and one.is_resolved and one.difference.difference < 0
    ]
    why = f", since {'; '.join(against)}" if against else ""
    said = f"{reading.name.capitalize()}: {reading.verdict}{why}."
    if missing := [name for name in reading.models.values() if not differences.has(name)]:
        said += (
            f" Two runs each are needed, and are not there of {', '.join(map(name_of, missing))}."
        )
    return said


def readings_table(name: str, sentence: str, readings: Sequence[Reading]) -> Table:
    """The pairs of an order, a row each, with a column a reading.

    Args:
        name: The claim's name.
        sentence: What the paper claims.
        readings: Non-empty list of `Reading` of the same rows.

    Returns:
        `Table`. Its first rows say which model stands for each row of the paper, and its last has
        the verdicts; resolved differences are bold.
    """
    titles = [reading.name.capitalize() for reading in readings]
    rows = [
        [f"{row}:", *(name_of(reading.models[row]) for reading in readings)]
        for row in readings[0].models
    ]
    bold = set()
    for pair in readings[0].found:
        found = [reading.found[pair] for reading in readings]
        there = zip(titles, found, strict=True)
        bold |= {(len(rows), title) for title, one in there if one is not None and one.is_resolved}
        shown = ("not run" if one is None else resolved_in_words(one) for one in found)
        rows.append([" above ".join(pair), *shown])
    rows.append(["Verdict", *(reading.verdict for reading in readings)])
    return Table(
        f"claim_{name.replace('-', '_')}",
        f"{sentence} Points of accuracy of the first beyond the second under each reading, with "
        "95 % intervals over texts and seeds, and p after Holm's correction for the pairs of the "
        "reading. Bold: resolved.",
        _numbers(readings),
        pd.DataFrame(rows, columns=["Pair", *titles]),
        bold=frozenset(bold),
    )


def _numbers(readings):
    unknown = Difference(*[None] * 4)
    return pd.DataFrame(
        {
            "reading": reading.name,
            "first": reading.models[row],
            "second": reading.models[below],
            **(unknown if one is None else one.difference)._asdict(),
            "p_holm": None if one is None else one.p_holm,
            "verdict": reading.verdict,
        }
        for reading in readings
        for (row, below), one in reading.found.items()
    )
