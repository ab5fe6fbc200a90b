"""Accuracy against coverage: how often a model is right where it is sure enough to answer."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_keras.evaluation.coverage import (
    COVERAGES,
    TARGET_ACCURACY,
    accuracy_from,
    by_coverage,
    reach,
)
from emotion_keras.evaluation.scores import Score
from reports.display.figure import (
    WIDTH,
    label_lines,
    percent_axis,
    short_names,
    styled,
    within_range,
)
from reports.display.models import look_of, name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import capitalized, or_nan, percent
from reports.findings import Findings
from reports.records import Run

TITLE = "When to answer"

# The columns of the table by coverage, and the rows of that by accuracy.
SHOWN = (1.0, 0.8, 0.6, 0.4)
ACCURACIES = (0.75, 0.8, 0.85, TARGET_ACCURACY, 0.95)
# That all labels are right is rarer than that one is.
ACCURACIES_OF_SEVERAL = (0.3, 0.4, 0.5, 0.6, 0.75, TARGET_ACCURACY)

# What is right of an answer, where one label holds and where several may.
_HEADINGS = {False: "Accuracy", True: "All labels right"}
_SURE = (
    " How sure a model is: the probability that all labels are right, if they did not depend on "
    "each other, after temperature scaling."
)

_UNKNOWN = Score(*[None] * 4)


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts accuracy by coverage on the page; see `reports.sections`."""
    known = {
        name: runs
        for name, runs in findings.compared.items()
        if all(run.judged is not None for run in runs)
    }
    if findings.best not in known:
        return None
    measured = capitalized(findings.right)
    curves = coverage_curves({name: known[name] for name in findings.drawn if name in known})
    return {
        "coverage": page.add_table(coverage_table(known, findings.several)),
        "thresholds": page.add_table(
            threshold_table(known[findings.best], name_of(findings.best), findings.several)
        ),
        "picture": page.add_figure(
            "coverage",
            f"{measured} on the test split by the share of examples that is answered, the surest "
            f"first, of {', '.join(map(name_of, curves['contender'].unique()))}, with bands of "
            "95 % intervals.",
            draw_coverage(curves, findings.several),
        ),
        "accuracy": f"{100 * TARGET_ACCURACY:.0f}",
    }


def coverage_curves(compared: dict[str, list[Run]]) -> pd.DataFrame:
    """Accuracy by coverage: a row a contender and coverage, `accuracy`, `low` and `high`."""
    return pd.DataFrame(
        {"contender": name, "coverage": coverage, "accuracy": mean, "low": low, "high": high}
        for name, runs in compared.items()
        for coverage, (mean, low, high, _) in _by_coverage(runs, COVERAGES).items()
    )


def coverage_table(compared: dict[str, list[Run]], several: bool = False) -> Table:
    """What each model reaches about what it is surest of, and where an accuracy is asked for.

    Args:
        compared: Dictionary of lists of `Run` with predictions, by contender.
        several: Whether several labels may hold of an example, which is right if all are.

    Returns:
        `Table` of a row a contender.
    """
    rows = []
    for name, runs in compared.items():
        row = {"contender": name, "runs": len(runs)}
        for coverage, score in _by_coverage(runs, SHOWN).items():
            row |= _columns(f"accuracy_at_{coverage:g}", score)
        rows.append(row | _reached(runs, TARGET_ACCURACY))
    frame = pd.DataFrame(rows)
    heading = _HEADINGS[several]
    headings = {coverage: f"{100 * coverage:.0f} %" for coverage in SHOWN} | {1.0: "All"}
    shown = pd.DataFrame(
        {
            "Model": frame["contender"].map(name_of),
            "Runs": frame["runs"].astype(str),
            **{headings[c]: _with_halves(frame, f"accuracy_at_{c:g}") for c in SHOWN},
            "Answered": frame["answered"].map(percent),
            heading: _with_halves(frame, "accuracy"),
            "Refused": frame["refused"].astype(str),
        }
    )
    sort_by = {"Runs": "runs", "Refused": "refused", "Answered": "answered"}
    sort_by |= {headings[c]: f"accuracy_at_{c:g}_mean" for c in SHOWN}
    sort_by[heading] = "accuracy_mean"
    caption = (
        f"{heading} on the test split, per cent, of all answers and of the 80, 60 and 40 % that a "
        "model is surest of: means over runs, with half of 95 % intervals over examples and seeds. "
        f"Then what is answered, and how often rightly, where {100 * TARGET_ACCURACY:.0f} % are "
        "asked for, from the threshold on that each run's validation split chooses; “Refused” "
        "counts runs in which no threshold surely reaches that on the validation split, which are "
        f"in no mean.{_SURE * several}"
    )
    return Table("coverage", caption, frame, shown, sort_by)


def threshold_table(runs: list[Run], name: str, several: bool = False) -> Table:
    """The thresholds of a model by the accuracy that is asked for.

    Args:
        runs: List of `Run` with predictions.
        name: What readers call the model.
        several: Whether several labels may hold of an example, which is right if all are.

    Returns:
        `Table` of a row an accuracy.
    """
    heading = _HEADINGS[several]
    accuracies = ACCURACIES_OF_SEVERAL if several else ACCURACIES
    frame = pd.DataFrame({"asked": accuracy, **_reached(runs, accuracy)} for accuracy in accuracies)
    shown = pd.DataFrame(
        {
            "Asked for": frame["asked"].map(lambda value: f"{100 * value:.0f}"),
            "Confidence from": frame["min_confidence"].map(percent),
            "Answered": frame["answered"].map(percent),
            heading: _with_halves(frame, "accuracy"),
            "Refused": frame["refused"].astype(str),
        }
    )
    sort_by = {
        "Asked for": "asked",
        "Confidence from": "min_confidence",
        "Answered": "answered",
        heading: "accuracy_mean",
        "Refused": "refused",
    }
    caption = (
        f"Thresholds of {name}, per cent, each chosen on the validation split as the smallest that "
        f"surely reaches {'that share' if several else 'the accuracy'} (lower end of a one-sided "
        "90 % interval), and what comes of them on the test split: means over runs, with half of "
        "95 % intervals over examples and seeds. "
        "“Refused” counts runs in which there is no such threshold, which are in no mean."
        f"{_SURE * several}"
    )
    return Table("thresholds", caption, frame, shown, sort_by)


def _by_coverage(runs, coverages):
    of_test = [run.judged["test"] for run in runs]
    return by_coverage(of_test, [run.seed for run in runs], runs[0].groups, coverages)


def _reached(runs, accuracy):
    """What runs say on the test split from the thresholds on that an accuracy asks for."""
    found = [(run, reach(run.thresholds, accuracy)) for run in runs]
    found = [(run, threshold) for run, threshold in found if threshold is not None]
    row = {"refused": len(runs) - len(found), "min_confidence": np.nan, "answered": np.nan}
    if not found:
        return row | _columns("accuracy", _UNKNOWN)
    levels = [threshold.min_confidence for _, threshold in found]
    score, answered = accuracy_from(
        [run.judged["test"] for run, _ in found],
        levels,
        [run.seed for run, _ in found],
        found[0][0].groups,
    )
    row |= {"min_confidence": float(np.mean(levels)), "answered": answered}
    return row | _columns("accuracy", score)


def _columns(name, score):
    return {f"{name}_{end}": or_nan(value) for end, value in score._asdict().items()}


def _with_halves(frame, name):
    pairs = zip(frame[f"{name}_mean"], frame[f"{name}_high"], strict=True)
    return [
        percent(mean) + ("" if np.isnan(high) else f" ±{100 * (high - mean):.1f}")
        for mean, high in pairs
    ]


@styled
def draw_coverage(curves: pd.DataFrame, several: bool = False) -> Figure:
    """Accuracy by the share of examples that is answered.

    Args:
        curves: What `coverage_curves` gives.
        several: Whether several labels may hold of an example, which is right if all are.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(WIDTH, 3.0))
    axes = figure.subplots()
    names = list(dict.fromkeys(curves["contender"]))
    for name, shown in zip(names, short_names(map(name_of, names)), strict=True):
        own, look = curves[curves["contender"] == name], look_of(name)
        axes.fill_between(
            own["coverage"], own["low"], own["high"], color=look["color"], alpha=0.16, linewidth=0
        )
        axes.plot(own["coverage"], own["accuracy"], **look, markersize=4, label=shown)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(within_range(axes.get_ylim()))
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    axes.set_xlabel("answered, the surest first, %")
    axes.set_ylabel("all labels right, %" if several else "accuracy of the answers, %")
    label_lines(axes, at=1)
    return figure
