"""Claims about models: whether confidence is reliable, and what the gate does."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from emotion_keras.evaluation.significance import mean_interval
from reports.claims.claim import NOISE_LEVEL, WHICH_FORM, Claim, by_contender, judge_forms
from reports.claims.verdicts import (
    Differences,
    all_of,
    difference,
    resolve,
    resolved_in_words,
    verdict_of_differences,
    verdict_of_interval,
)
from reports.display.models import name_of
from reports.display.words import interval, percent
from reports.records import Run
from reports.scores import score_runs

# An expected calibration error of at most this; the paper gives no number, it is ours.
CALIBRATED = 0.05


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
        return (
            verdict_of_interval(low, high, CALIBRATED),
            f"{percent(mean)} %{ends}",
            [f"expected calibration error {percent(mean)} %{ends}."],
        )

    verdict, estimate, measured = judge_forms(compared, gated, judge)
    return Claim(
        "calibrated",
        "The model's confidence is reliable.",
        "Expected calibration error (15 bins) on the test split, before any temperature scaling: "
        f"its 95 % interval over texts and seeds at or below {100 * CALIBRATED:g} %, a limit of "
        "ours." + WHICH_FORM,
        verdict,
        estimate,
        f"at most {100 * CALIBRATED:g} %",
        measured,
        "confidence",
        by_our_limit=True,
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
    found = {}
    names = [name for name in differences.compared if name in gated]
    for name in names:
        if (plain := gated[name]) in differences.compared:
            found[name, plain] = differences(name, plain)
    for name, by_form in by_contender(gates).items():
        if name not in names and {"features", "none"} <= set(by_form):
            found[name, "the same without gate"] = difference(by_form["features"], by_form["none"])
    pairs = resolve({pair: one for pair, one in found.items() if one is not None})
    verdict = verdict_of_differences(pairs.values())
    measured = [
        f"{name_of(name)} against {name_of(plain)}: "
        f"{resolved_in_words(pairs[name, plain], ' points')}."
        if (name, plain) in pairs
        else f"{name_of(name)} and {name_of(plain)}: not enough runs with predictions."
        for name, plain in found
    ]
    if lost := _lost_under_noise(noises, gated):
        for name, (mean, low, high) in lost.items():
            ends = "" if low is None else f" ({interval(low, high, signed=True)})"
            measured.append(
                f"{name_of(name)} loses {percent(mean, signed=True)} points more under noise than "
                f"the same without gate{ends}."
            )
        verdict = all_of(
            [verdict, *(verdict_of_interval(low, high, 0) for _, low, high in lost.values())]
        )
    return Claim(
        "gate",
        "The gate suppresses noise and so improves recognition.",
        "Accuracy with the gate minus that without it, each with the settings chosen for it (which "
        "may differ in the learning rate), on the same texts, for each encoder that both were run "
        "with: all above 0 and resolved after Holm's correction. "
        f"Where both were tested with noise, at level {NOISE_LEVEL:g} the gated model must lose "
        "less, on average over kinds, with an interval over seeds below 0.",
        verdict,
        "; ".join(
            f"{percent(one.difference.difference, signed=True)} ("
            f"{interval(one.difference.low, one.difference.high, signed=True)}) {_encoder(name)}"
            for (name, _), one in pairs.items()
            if one is not None
        ),
        "above 0, every encoder",
        measured or ["Not measured yet."],
        "gate",
    )


def _encoder(name):
    """What readers call the encoder of a contender, in brackets."""
    return f"({name_of(name).partition(' (')[2]}"


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
