"""Claims about settings: learning rates, noise in texts, and shares of the data."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from emotion_keras.evaluation.significance import mean_interval
from reports.claims.claim import NOISE_LEVEL, WHICH_FORM, Claim, by_contender, judge_forms
from reports.claims.verdicts import (
    HOLDS,
    NOT_RUN,
    UNDECIDED,
    above_0,
    all_of,
    difference,
    resolve,
    resolved_in_words,
    verdict_of_differences,
    verdict_of_interval,
)
from reports.display.words import METRICS, interval, percent, value_in_words
from reports.records import Run

# The paper gives no numbers for stability; these are ours, round ones.
STABLE = 0.05  # As much accuracy may be lost at `NOISE_LEVEL`,
LARGEST_RATIO = 0.5  # or with this share of the training texts, or the largest below it.

BEST_RATE = 1e-4
HIGH_RATES = (5e-4, 1e-3)

_AUC_FIRST = ("auc", "accuracy", "macro_f1")


def best_rate(rates: dict[tuple[str, Any], list[Run]], gated: Iterable[str]) -> Claim:
    """Whether a learning rate of 1e-4 is best.

    Args:
        rates: Dictionary of lists of `Run` by pairs of contender and learning rate.
        gated: Those contenders that have a gate, as the paper's model has.

    Returns:
        `Claim`.
    """

    def judge(by_rate):
        if BEST_RATE not in by_rate or len(by_rate) < 2:
            return NOT_RUN, "", ["1e-4 and another rate are needed."]
        others = sorted(rate for rate in by_rate if rate != BEST_RATE)
        found = resolve({rate: difference(by_rate[BEST_RATE], by_rate[rate]) for rate in others})
        verdict = verdict_of_differences(found.values())
        best = {
            metric: max([BEST_RATE, *others], key=lambda rate: _mean(by_rate[rate], metric))
            for metric in METRICS
        }
        if verdict == HOLDS and set(best.values()) != {BEST_RATE}:
            verdict = UNDECIDED
        in_words = ", ".join(f"{METRICS[m]} at {value_in_words(rate)}" for m, rate in best.items())
        measured = [f"best means: {in_words}."]
        for rate, one in found.items():
            if one is not None:
                measured.append(
                    f"1e-4 against {value_in_words(rate)}: "
                    f"{resolved_in_words(one, ' points of accuracy')}."
                )
        there = [one for one in found.values() if one is not None]
        resolved = [one.difference.difference > 0 for one in there if one.is_resolved]
        estimate = (
            f"of {len(others)} other rates {sum(resolved)} worse, "
            f"{len(resolved) - sum(resolved)} better"
        )
        return verdict, estimate, measured

    verdict, estimate, measured = judge_forms(by_contender(rates), gated, judge)
    return Claim(
        "best-rate",
        "A learning rate of 1e-4 is best in accuracy, F1 and AUC.",
        "Accuracy at 1e-4 minus that at every other rate tried, on the same texts: all above 0 and "
        "resolved after Holm's correction, and the means of F1 and AUC highest at 1e-4, too. "
        "Refuted if a rate is resolved to be better." + WHICH_FORM,
        verdict,
        estimate,
        "all worse",
        measured,
        "learning-rate",
    )


def high_rates(rates: dict[tuple[str, Any], list[Run]], gated: Iterable[str]) -> Claim:
    """Whether high learning rates hurt, and AUC most.

    Args:
        rates: Dictionary of lists of `Run` by pairs of contender and learning rate.
        gated: Those contenders that have a gate, as the paper's model has.

    Returns:
        `Claim`.
    """

    def judge(by_rate):
        high = [rate for rate in HIGH_RATES if rate in by_rate]
        if BEST_RATE not in by_rate or not high:
            return NOT_RUN, "", ["1e-4 and a rate of 5e-4 or 1e-3 are needed."]
        tests = {rate: {run.seed: run.test for run in by_rate[rate]} for rate in (BEST_RATE, *high)}
        seeds = sorted(set.intersection(*map(set, tests.values())))
        if not seeds or any(tests[r][s]["auc"] is None for r in tests for s in seeds):
            return NOT_RUN, "", ["the rates need the same seeds, and an AUC."]
        drops = {
            metric: [
                tests[BEST_RATE][s][metric] - np.mean([tests[rate][s][metric] for rate in high])
                for s in seeds
            ]
            for metric in METRICS
        }
        beyond = [a - max(b, c) for a, b, c in zip(*(drops[m] for m in _AUC_FIRST), strict=True)]
        _, low, high_end = mean_interval(beyond)
        in_words = ", ".join(
            f"{METRICS[metric]} {percent(np.mean(values))}" for metric, values in drops.items()
        )
        measured = [
            f"lost from 1e-4 to {' and '.join(map(value_in_words, high))}, in points: "
            f"{in_words}; AUC's loss beyond the larger of the other two "
            f"{percent(np.mean(beyond), signed=True)}"
            + (f" ({interval(low, high_end, signed=True)})." if low is not None else ".")
        ]
        estimate = percent(np.mean(beyond), signed=True)
        if low is not None:
            estimate += f" ({interval(low, high_end, signed=True)})"
        return all_of([above_0(drops["auc"]), above_0(beyond)]), estimate, measured

    verdict, estimate, measured = judge_forms(by_contender(rates), gated, judge)
    return Claim(
        "high-rates",
        "High learning rates hurt, and AUC most.",
        "For each seed, points of AUC lost from 1e-4 to the mean of 5e-4 and 1e-3, minus the "
        "larger of the points of accuracy and F1 lost: Student's 95 % interval over seeds above 0, "
        "as that of the points of AUC lost must be." + WHICH_FORM,
        verdict,
        estimate,
        "above 0",
        measured,
        "learning-rate",
    )


def _mean(runs, metric):
    values = [run.test[metric] for run in runs]
    return np.nan if None in values else float(np.mean(values))


def noise(noises: pd.DataFrame, gated: Iterable[str]) -> Claim:
    """Whether the paper's model is stable under noise in its input.

    Args:
        noises: Data frame of a row a run, kind and level of noise.
        gated: Those contenders that have a gate, as the paper's model has.

    Returns:
        `Claim`.
    """

    def judge(frame):
        at_level = frame[frame["level"] == NOISE_LEVEL]
        if at_level.empty:
            return NOT_RUN, "", [f"a level of {NOISE_LEVEL:g} is needed."]
        verdicts, losses = [], {}
        clean = frame[frame["level"] == 0].drop_duplicates("run").set_index("run")["accuracy"]
        for kind, rows in at_level.groupby("kind", sort=False):
            lost = clean.loc[rows["run"]].to_numpy() - rows["accuracy"].to_numpy()
            mean, low, high = mean_interval(lost)
            verdicts.append(verdict_of_interval(low, high, STABLE))
            losses[kind] = mean, low, high
        worst = max(losses, key=lambda kind: losses[kind][0])
        mean, low, high = losses[worst]
        ends = "" if low is None else f" ({interval(low, high)})"
        within = sum(mean <= STABLE for mean, *_ in losses.values())
        estimate = f"{percent(mean)}{ends} by {worst.replace('_', ' ')}"
        return (
            all_of(verdicts),
            estimate,
            [
                f"{within} of {len(losses)} kinds of noise cost at most {100 * STABLE:g} points on "
                f"average; {worst.replace('_', ' ')} costs most, {percent(mean)} points{ends}."
            ],
        )

    by_form = {} if noises.empty else dict(list(noises.groupby("contender")))
    verdict, estimate, measured = judge_forms(by_form, gated, judge)
    return Claim(
        "stable-noise",
        "The model is stable under noise in its input.",
        f"Points of accuracy that a run loses at level {NOISE_LEVEL:g} of each kind of noise in "
        f"texts: Student's 95 % interval over seeds at or below {100 * STABLE:g} for every kind. "
        "The paper names neither kinds, levels nor a limit: these are ours." + WHICH_FORM,
        verdict,
        estimate,
        f"at most {100 * STABLE:g} points",
        measured,
        "noise",
        by_our_limit=True,
    )


def ratios(ratios: dict[tuple[str, Any], list[Run]], gated: Iterable[str]) -> Claim:
    """Whether the paper's model is stable when there is less data.

    Args:
        ratios: Dictionary of lists of `Run` by pairs of contender and data ratio.
        gated: Those contenders that have a gate, as the paper's model has.

    Returns:
        `Claim`.
    """

    def judge(by_ratio):
        smaller = [ratio for ratio in by_ratio if ratio <= LARGEST_RATIO]
        if 1 not in by_ratio or not smaller:
            return (
                NOT_RUN,
                "",
                [f"all of the data and a ratio of at most {LARGEST_RATIO:g} are needed."],
            )
        ratio = max(smaller)
        found = difference(by_ratio[1], by_ratio[ratio])
        if found is None:
            return NOT_RUN, "", ["two runs with predictions at each ratio are needed."]
        ends = interval(found.low, found.high, signed=True)
        return (
            verdict_of_interval(found.low, found.high, STABLE),
            (f"{percent(found.difference)} ({ends}) with {100 * ratio:g} %"),
            [
                f"with {100 * ratio:g} % of the training texts {percent(found.difference)} points "
                f"are lost ({ends})."
            ],
        )

    verdict, estimate, measured = judge_forms(by_contender(ratios), gated, judge)
    return Claim(
        "stable-ratios",
        "The model is stable when there is less data.",
        "Accuracy with all training texts minus that with half of them, or the largest share below "
        "that was run: its 95 % interval over texts and seeds at or below "
        f"{100 * STABLE:g} points. The paper gives neither ratios nor a limit: these are ours."
        + WHICH_FORM,
        verdict,
        estimate,
        f"at most {100 * STABLE:g} points",
        measured,
        "data-ratio",
        by_our_limit=True,
    )
