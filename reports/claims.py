"""The paper's claims, each with the test that decides it, stated before it is applied.

A claim says something about all of its parts, so it holds where every part is resolved in its
favour, and does not hold where one part is resolved against it; between the two it is not resolved.
Pairs of models that one claim is about are a family: their p-values are corrected after Holm. That
is needed for refuting a claim, which one pair is enough for; holding asks for all of them.
"""

import functools
from typing import NamedTuple

import numpy as np

from emotion_keras.evaluation.significance import holm, mean_interval, paired_difference
from reports.records import correct_by_text
from reports.tables import METRICS, interval, percent, value_in_words

HOLDS = "holds"
DOES_NOT_HOLD = "does not hold"
NOT_RESOLVED = "not resolved"
NOT_RUN = "not run"

# The form of each model that stands for its row of Table 1. The paper builds its model on
# pretrained embeddings and calls BERT pretrained; of the other three it says neither.
OURS = "gated_transformer@minilm"
OURS_FROM_SCRATCH = "gated_transformer@scratch"
BERT = "bert@minilm"
ORDER = (OURS, BERT, "transformer@scratch", "lstm@scratch", "cnn@scratch")

# The paper gives no numbers for stability and calibration; these are ours, round ones.
STABLE = 0.05  # As much accuracy may be lost,
NOISE_LEVEL = 0.1  # at this level of each kind of noise,
LARGEST_RATIO = 0.5  # or with this share of the training texts, or the largest below it.
CALIBRATED = 0.05  # An expected calibration error of at most this.
LEVEL = 0.05

BEST_RATE = 1e-4
HIGH_RATES = (5e-4, 1e-3)


class Claim(NamedTuple):
    """A sentence of the paper, and what became of it.

    Args:
        name: Its anchor on the page.
        sentence: What the paper claims, in our words.
        test: The test that decides it.
        verdict: `holds`, `does not hold`, `not resolved` or `not run`.
        measured: List of sentences, what we measured.
        section: Anchor of the section with the numbers.
    """

    name: str
    sentence: str
    test: str
    verdict: str
    measured: list
    section: str


class Evidence(NamedTuple):
    """What the claims are decided by.

    Args:
        compared: Dictionary of lists of `Run` by contender.
        rates: Dictionary of lists of `Run` by pairs of contender and learning rate.
        noises: Data frame of a row a run, kind and level of noise, as of `runs_of_noise`.
        ratios: Dictionary of lists of `Run` by pairs of contender and data ratio.
        gates: Dictionary of lists of `Run` by pairs of contender and form of the gate.
    """

    compared: dict
    rates: dict
    noises: object
    ratios: dict
    gates: dict


def difference(runs, others):
    """Difference in accuracy between runs of two settings, or `None` where it cannot be told.

    Args:
        runs: List of `Run`.
        others: List of `Run`, tested on the same texts.

    Returns:
        `Difference`, or `None` if predictions, common texts or a second run of either are missing.
    """
    if min(len(runs), len(others)) < 2 or any(r.predictions is None for r in [*runs, *others]):
        return None
    tables = [_correct(tuple(runs)), _correct(tuple(others))]
    texts = tables[0].index.intersection(tables[1].index)
    if not len(texts):
        return None
    correct, correct_other = (table.loc[texts].to_numpy().T for table in tables)
    return paired_difference(correct, correct_other)


@functools.lru_cache(maxsize=64)
def _correct(runs):
    # A model is in many pairs.
    return correct_by_text(runs)


def verdict_of_differences(found):
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


def refuting(found):
    """Of differences that are claimed to be above 0 those resolved to be below, as positions."""
    p_values = [one.p_value for one in found]
    below = [n for n, p in enumerate(p_values) if found[n].difference < 0 and p <= LEVEL]
    if not below:
        return []  # A correction makes no p-value smaller.
    corrected = holm(p_values)
    return [number for number in below if corrected[number] <= LEVEL]


def verdict_of_interval(low, high, limit):
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


def all_of(verdicts):
    """The verdict of a claim from those of its parts."""
    for verdict in (DOES_NOT_HOLD, NOT_RUN, NOT_RESOLVED):
        if verdict in verdicts:
            return verdict
    return HOLDS if verdicts else NOT_RUN


def decide_claims(evidence):
    """Decides all claims.

    Args:
        evidence: `Evidence`.

    Returns:
        List of `Claim`, in the order in which the paper makes them.
    """
    pairs = _Pairs(evidence.compared)
    return [
        _leads_bert(pairs),
        _order(pairs),
        _order_of_four(pairs),
        _best_rate(evidence.rates),
        _high_rates(evidence.rates),
        _noise(evidence.noises),
        _ratios(evidence.ratios),
        _calibrated(evidence.compared),
        _gate(pairs, evidence.gates, evidence.noises),
    ]


class _Pairs:
    """Differences in accuracy between compared models, each worked out once."""

    def __init__(self, compared):
        self.compared = compared
        self._found = {}

    def __call__(self, name, other):
        if (name, other) not in self._found:
            runs, others = (self.compared.get(key, []) for key in (name, other))
            self._found[name, other] = difference(runs, others)
        return self._found[name, other]


def _in_words(name, other, found):
    if found is None:
        return f"{name} and {other}: not enough runs with predictions."
    return (
        f"{name} {percent(found.difference, signed=True)} points against {other} "
        f"({interval(found.low, found.high, signed=True)})."
    )


def _leads_bert(pairs):
    found = pairs(OURS, BERT)
    measured = [_in_words(OURS, BERT, found)]
    if (scratch := pairs(OURS_FROM_SCRATCH, BERT)) is not None:
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


def _order(pairs):
    return _ordered(
        pairs,
        ORDER,
        "order",
        "The order of the five: Ours above BERT above Transformer above LSTM above CNN.",
    )


def _order_of_four(pairs):
    return _ordered(
        pairs,
        ORDER[1:],
        "order-of-four",
        "Among the rivals: BERT above Transformer above LSTM above CNN.",
    )


def _ordered(pairs, names, anchor, sentence):
    found = {
        (name, other): pairs(name, other)
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
    if missing := [name for name in names if len(pairs.compared.get(name, ())) < 2]:
        measured.append(f"Two runs each are needed, and are not there of {', '.join(missing)}.")
    return Claim(
        anchor,
        sentence,
        f"Every pair that the order implies ({len(found)} of them), in accuracy on the same texts. "
        "Holds if each is resolved in its direction; does not hold "
        "if one is resolved against it after Holm's correction. The paper's rows stand for "
        f"{', '.join(names)}.",
        verdict,
        measured,
        "comparison",
    )


def _ours(names):
    """The form of the paper's model that an analysis is judged by, and its other forms."""
    forms = [name for name in dict.fromkeys(names) if name.startswith("gated_transformer")]
    ordered = sorted(forms, key=lambda name: (name != OURS, name != OURS_FROM_SCRATCH, name))
    return ordered[0] if ordered else None, ordered[1:]


def _judged(by_form, judge):
    """Verdict and sentences of the form that decides, followed by those of the others."""
    first, others = _ours(by_form)
    if first is None:
        return NOT_RUN, ["Not measured yet."]
    verdict, measured = judge(by_form[first])
    told = [f"{first}: {' '.join(measured)}"]
    for name in others:
        other_verdict, sentences = judge(by_form[name])
        told.append(f"{name} ({other_verdict}): {' '.join(sentences)}")
    return verdict, told


def _by_form(points):
    found = {}
    for (name, value), runs in points.items():
        found.setdefault(name, {})[value] = runs
    return found


def _mean(runs, metric):
    values = [run.test[metric] for run in runs]
    return np.nan if None in values else float(np.mean(values))


_WHICH_FORM = (
    f" Decided by {OURS} where that was run, or else by the form from scratch; others are told."
)


def _best_rate(rates):
    def judge(by_rate):
        if BEST_RATE not in by_rate or len(by_rate) < 2:
            return NOT_RUN, ["1e-4 and another rate are needed."]
        others = sorted(rate for rate in by_rate if rate != BEST_RATE)
        found = [difference(by_rate[BEST_RATE], by_rate[rate]) for rate in others]
        verdict = verdict_of_differences(found)
        best = {
            metric: max([BEST_RATE, *others], key=lambda rate: _mean(by_rate[rate], metric))
            for metric in METRICS
        }
        if verdict == HOLDS and set(best.values()) != {BEST_RATE}:
            verdict = NOT_RESOLVED
        in_words = ", ".join(f"{METRICS[m]} at {value_in_words(rate)}" for m, rate in best.items())
        measured = [f"best means: {in_words}."]
        for rate, one in zip(others, found, strict=True):
            if one is not None:
                measured.append(
                    f"1e-4 against {value_in_words(rate)}: "
                    f"{percent(one.difference, signed=True)} points of accuracy "
                    f"({interval(one.low, one.high, signed=True)})."
                )
        return verdict, measured

    verdict, measured = _judged(_by_form(rates), judge)
    return Claim(
        "best-rate",
        "A learning rate of 1e-4 is best in accuracy, F1 and AUC.",
        "Accuracy at 1e-4 minus that at every other rate tried, on the same texts: all resolved "
        "and above 0, and the means of F1 and AUC highest at 1e-4, too. Does "
        "not hold if a rate is resolved to be better, after Holm's correction." + _WHICH_FORM,
        verdict,
        measured,
        "learning-rate",
    )


def _high_rates(rates):
    def judge(by_rate):
        high = [rate for rate in HIGH_RATES if rate in by_rate]
        if BEST_RATE not in by_rate or not high:
            return NOT_RUN, ["1e-4 and a rate of 5e-4 or 1e-3 are needed."]
        tests = {rate: {run.seed: run.test for run in by_rate[rate]} for rate in (BEST_RATE, *high)}
        seeds = sorted(set.intersection(*map(set, tests.values())))
        if not seeds or any(tests[r][s]["auc"] is None for r in tests for s in seeds):
            return NOT_RUN, ["the rates need the same seeds, and an AUC."]
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
        return all_of([_above_0(drops["auc"]), _above_0(beyond)]), measured

    verdict, measured = _judged(_by_form(rates), judge)
    return Claim(
        "high-rates",
        "High learning rates hurt, and AUC most.",
        "For each seed, points of AUC lost from 1e-4 to the mean of 5e-4 and 1e-3, minus the "
        "larger of the points of accuracy and F1 lost: Student's 95 % interval over seeds above 0, "
        "as that of the points of AUC lost must be." + _WHICH_FORM,
        verdict,
        measured,
        "learning-rate",
    )


_AUC_FIRST = ("auc", "accuracy", "macro_f1")


def _above_0(values):
    """The verdict of a claim that a number is above 0, from values of runs."""
    _, low, high = mean_interval(values)
    return verdict_of_interval(*(None if end is None else -end for end in (high, low)), 0)


def _noise(noises):
    def judge(frame):
        at_level = frame[frame["level"] == NOISE_LEVEL]
        if at_level.empty:
            return NOT_RUN, [f"a level of {NOISE_LEVEL:g} is needed."]
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
        return all_of(verdicts), [
            f"{within} of {len(losses)} kinds of noise cost at most {100 * STABLE:g} points on "
            f"average; {worst.replace('_', ' ')} costs most, {percent(mean)} points{ends}."
        ]

    by_form = {} if noises.empty else dict(list(noises.groupby("contender")))
    verdict, measured = _judged(by_form, judge)
    return Claim(
        "stable-noise",
        "The model is stable under noise in its input.",
        f"Points of accuracy that a run loses at level {NOISE_LEVEL:g} of each kind of noise in "
        f"texts: Student's 95 % interval over seeds at or below {100 * STABLE:g} for every kind. "
        "The paper names neither kinds, levels nor a limit: these are ours." + _WHICH_FORM,
        verdict,
        measured,
        "noise",
    )


def _ratios(ratios):
    def judge(by_ratio):
        smaller = [ratio for ratio in by_ratio if ratio <= LARGEST_RATIO]
        if 1 not in by_ratio or not smaller:
            return NOT_RUN, [
                f"all of the data and a ratio of at most {LARGEST_RATIO:g} are needed."
            ]
        ratio = max(smaller)
        found = difference(by_ratio[1], by_ratio[ratio])
        if found is None:
            return NOT_RUN, ["two runs with predictions at each ratio are needed."]
        return verdict_of_interval(found.low, found.high, STABLE), [
            f"with {100 * ratio:g} % of the training texts {percent(found.difference)} points are "
            f"lost ({interval(found.low, found.high, signed=True)})."
        ]

    verdict, measured = _judged(_by_form(ratios), judge)
    return Claim(
        "stable-ratios",
        "The model is stable when there is less data.",
        "Accuracy with all training texts minus that with half of them, or the largest share below "
        "that was run: its 95 % interval over texts and seeds at or below "
        f"{100 * STABLE:g} points. The paper gives neither ratios nor a limit: these are ours."
        + _WHICH_FORM,
        verdict,
        measured,
        "data-ratio",
    )


def _calibrated(compared):
    def judge(runs):
        mean, low, high = mean_interval([run.test["ece"] for run in runs])
        ends = "" if low is None else f" ({interval(low, high)})"
        return verdict_of_interval(low, high, CALIBRATED), [
            f"expected calibration error {percent(mean)} %{ends}."
        ]

    verdict, measured = _judged(compared, judge)
    return Claim(
        "calibrated",
        "The model's confidence is reliable.",
        "Expected calibration error (15 bins) on the test split, before any temperature scaling: "
        f"Student's 95 % interval over seeds at or below {100 * CALIBRATED:g} %, a limit of ours."
        + _WHICH_FORM,
        verdict,
        measured,
        "confidence",
    )


def _gate(pairs, gates, noises):
    found, measured = [], []
    names = [name for name in pairs.compared if name.startswith("gated_transformer@")]
    for name in names:
        plain = f"transformer@{name.partition('@')[2]}"
        if plain in pairs.compared:
            one = pairs(name, plain)
            measured.append(_in_words(name, plain, one))
            found += [one] if one is not None else []
    for name, by_form in _by_form(gates).items():
        if name not in names and {"features", "none"} <= set(by_form):
            one = difference(by_form["features"], by_form["none"])
            measured.append(_in_words(name, "the same without gate", one))
            found += [one] if one is not None else []
    verdict = verdict_of_differences(found)
    if lost := _lost_under_noise(noises):
        for name, (mean, low, high) in lost.items():
            ends = "" if low is None else f" ({interval(low, high, signed=True)})"
            measured.append(
                f"{name} loses {percent(mean, signed=True)} points more under noise than the same "
                f"without gate{ends}."
            )
        verdict = all_of([verdict, *(verdict_of_interval(*ends, 0) for _, *ends in lost.values())])
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


def _lost_under_noise(noises):
    """Points that gated models lose under noise beyond the same without gate, with interval."""
    if noises.empty:
        return {}
    clean = noises[noises["level"] == 0].groupby(["contender", "seed"])["accuracy"].mean()
    noisy = noises[noises["level"] == NOISE_LEVEL].groupby(["contender", "seed"])["accuracy"].mean()
    lost = (clean - noisy).dropna().unstack("seed")
    found = {}
    for name in lost.index:
        plain = name.removeprefix("gated_")
        if name.startswith("gated_transformer@") and plain in lost.index:
            found[name] = mean_interval((lost.loc[name] - lost.loc[plain]).dropna())
    return found
