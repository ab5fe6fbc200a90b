"""Claims about models: which leads which, whether confidence is reliable, what the gate does."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from emotion_keras.evaluation.significance import mean_interval
from reports.claims.claim import NOISE_LEVEL, WHICH_FORM, Claim, by_contender, judge_forms
from reports.claims.verdicts import (
    DOES_NOT_HOLD,
    Differences,
    all_of,
    difference,
    refuting,
    verdict_of_differences,
    verdict_of_interval,
)
from reports.display.words import interval, percent
from reports.paper import BERT, ORDER, OURS, OURS_FROM_SCRATCH
from reports.records import Run
from reports.scores import score_runs

# An expected calibration error of at most this; the paper gives no number, it is ours.
CALIBRATED = 0.05


def leads_bert(differences: Differences) -> Claim:
    """Whether the paper's model leads BERT.

    Args:
        differences: `Differences` between compared models.

    Returns:
        `Claim`.
    """
    found = differences(OURS, BERT)
    measured = [_in_words(OURS, BERT, found)]
    if (scratch := differences(OURS_FROM_SCRATCH, BERT)) is not None:
        measured.append(
            "From scratch, without a pretrained encoder: "
            + _in_words(OURS_FROM_SCRATCH, BERT, scratch)
        )
    return Claim(
        "leads-bert",
        "The gated Transformer leads BERT (Table 1: by 1.5 points of accuracy).",
        f"Accuracy of {OURS} minus that of {BERT} on the same texts, with its interval over texts "
        "and seeds: resolved and above 0.",
        verdict_of_differences([found]),
        measured,
        "comparison",
    )


def order(differences: Differences) -> Claim:
    """Whether the models of Table 1 have the order that they have there.

    Args:
        differences: `Differences` between compared models.

    Returns:
        `Claim`.
    """
    return _ordered(
        differences,
        ORDER,
        "order",
        "The order of the five: Ours above BERT above Transformer above LSTM above CNN.",
    )


def order_of_four(differences: Differences) -> Claim:
    """Whether the rivals of the paper's model have the order that they have in Table 1.

    Args:
        differences: `Differences` between compared models.

    Returns:
        `Claim`.
    """
    return _ordered(
        differences,
        ORDER[1:],
        "order-of-four",
        "Among the rivals: BERT above Transformer above LSTM above CNN.",
    )


def _ordered(differences, names, baseline, sentence):
    found = {
        (name, other): differences(name, other)
        for place, name in enumerate(names)
        for other in names[place + 1 :]
    }
    neighbours = list(zip(names, names[1:], strict=False))
    verdict = verdict_of_differences(list(found.values()))
    against = []
    if verdict == DOES_NOT_HOLD:
        there = [pair for pair, one in found.items() if one is not None]
        against = [there[number] for number in refuting([found[pair] for pair in there])]
    measured = [_in_words(*pair, found[pair]) for pair in neighbours if found[pair] is not None]
    for pair in against:
        if pair not in neighbours:
            measured.append(_in_words(*pair, found[pair]))
    if against:
        in_words = "; ".join(f"{other} is above {name}" for name, other in against)
        measured.append(f"Resolved against the order after correction: {in_words}.")
    if missing := [name for name in names if len(differences.compared.get(name, ())) < 2]:
        measured.append(f"Two runs each are needed, and are not there of {', '.join(missing)}.")
    return Claim(
        baseline,
        sentence,
        f"Every pair that the order implies ({len(found)} of them), in accuracy on the same texts. "
        "Holds if each is resolved in its direction; does not hold "
        "if one is resolved against it after Holm's correction. The paper's rows stand for "
        f"{', '.join(names)}.",
        verdict,
        measured,
        "comparison",
    )


def _in_words(name, other, found):
    if found is None:
        return f"{name} and {other}: not enough runs with predictions."
    return (
        f"{name} {percent(found.difference, signed=True)} points against {other} "
        f"({interval(found.low, found.high, signed=True)})."
    )


def calibrated(compared: dict[str, list[Run]], gated: Iterable[str]) -> Claim:
    """Whether the confidence of the paper's model is reliable.

    Args:
        compared: Dictionary of lists of `Run` by contender.
        gated: Those contenders that have a gate, as the paper's model has.

    Returns:
        `Claim`.
    """

    def judge(runs):
        mean, low, high, _ = score_runs(runs)["ece"]
        ends = "" if low is None else f" ({interval(low, high)})"
        return verdict_of_interval(low, high, CALIBRATED), [
            f"expected calibration error {percent(mean)} %{ends}."
        ]

    verdict, measured = judge_forms(compared, gated, judge)
    return Claim(
        "calibrated",
        "The model's confidence is reliable.",
        "Expected calibration error (15 bins) on the test split, before any temperature scaling: "
        f"its 95 % interval over texts and seeds at or below {100 * CALIBRATED:g} %, a limit of "
        "ours." + WHICH_FORM,
        verdict,
        measured,
        "confidence",
    )


def gate(
    differences: Differences,
    gates: dict[tuple[str, Any], list[Run]],
    noises: pd.DataFrame,
    gated: dict[str, str | None],
) -> Claim:
    """Whether the gate suppresses noise and so improves recognition.

    Args:
        differences: `Differences` between compared models.
        gates: Dictionary of lists of `Run` by pairs of contender and form of the gate.
        noises: Data frame of a row a run, kind and level of noise.
        gated: Dictionary by contender with a gate of the contender that is the same without it, or
            of `None`.

    Returns:
        `Claim`.
    """
    found, measured = [], []
    names = [name for name in differences.compared if name in gated]
    for name in names:
        plain = gated[name]
        if plain in differences.compared:
            one = differences(name, plain)
            measured.append(_in_words(name, plain, one))
            found += [one] if one is not None else []
    for name, by_form in by_contender(gates).items():
        if name not in names and {"features", "none"} <= set(by_form):
            one = difference(by_form["features"], by_form["none"])
            measured.append(_in_words(name, "the same without gate", one))
            found += [one] if one is not None else []
    verdict = verdict_of_differences(found)
    if lost := _lost_under_noise(noises, gated):
        for name, (mean, low, high) in lost.items():
            ends = "" if low is None else f" ({interval(low, high, signed=True)})"
            measured.append(
                f"{name} loses {percent(mean, signed=True)} points more under noise than the same "
                f"without gate{ends}."
            )
        verdict = all_of(
            [verdict, *(verdict_of_interval(low, high, 0) for _, low, high in lost.values())]
        )
    return Claim(
        "gate",
        "The gate suppresses noise and so improves recognition.",
        "Accuracy with the gate minus that without it, each with the settings chosen for it (which "
        "may differ in the learning rate), on the same texts, for each encoder that both were run "
        "with: all resolved and above 0. "
        f"Where both were tested with noise, at level {NOISE_LEVEL:g} the gated model must lose "
        "less, on average over kinds, with an interval over seeds below 0.",
        verdict,
        measured or ["Not measured yet."],
        "gate",
    )


def _lost_under_noise(noises, gated):
    """Points that gated models lose under noise beyond the same without gate, with interval."""
    if noises.empty:
        return {}
    clean = noises[noises["level"] == 0].groupby(["contender", "seed"])["accuracy"].mean()
    noisy = noises[noises["level"] == NOISE_LEVEL].groupby(["contender", "seed"])["accuracy"].mean()
    lost = (clean - noisy).dropna().unstack("seed")
    found = {}
    for name in lost.index:
        plain = gated.get(name)
        if plain in lost.index:
            found[name] = mean_interval((lost.loc[name] - lost.loc[plain]).dropna())
    return found
