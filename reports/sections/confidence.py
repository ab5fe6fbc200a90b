"""Confidence: whether a model is right as often as it says, before and after scaling."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_keras.evaluation.predictions import probability_columns
from emotion_keras.targets.calibration import (
    reliability_curve,
)
from reports.display.figure import (
    COLOURS,
    EDGE,
    PAPER,
    WIDTH,
    label_lines,
    percent_axis,
    set_title,
    short_names,
    styled,
)
from reports.display.models import look_of, name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import interval, or_nan, percent
from reports.findings import Findings
from reports.records import Run
from reports.scores import SPREADS, score_runs

TITLE = "Confidence"

FEWEST_IN_BIN = 10

_USUAL = ("wrong, on top", "right")
_RIGHT = "; right is an answer all of whose labels are"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts calibration on the page; see `reports.sections`."""
    best = findings.best
    drawn = {
        name: runs
        for name, runs in findings.compared.items()
        if all(run.predictions is not None for run in runs)
    }
    if best not in drawn:
        return None
    table, curves = calibration_table(drawn)
    names = [name for name in findings.drawn if name in drawn]
    measured = "accuracy by confidence"
    if findings.several:
        measured = "how often a label holds by its probability"
    return {
        "table": page.add_table(table),
        "reliability": page.add_figure(
            "reliability",
            f"Reliability diagrams before and after temperature scaling: {measured}, "
            f"over all runs, of {', '.join(map(name_of, names))}; the dashed diagonal is perfect "
            "calibration.",
            draw_reliability(curves, names, findings.several),
        ),
        "histogram": page.add_figure(
            "confidence",
            f"Histogram of the confidence of {name_of(best)} on the test split, right and wrong "
            f"predictions stacked, over all runs{_RIGHT * findings.several}.",
            draw_confidences(confidences(drawn[best]), findings.several),
        ),
    }


def calibration_table(compared: dict[str, list[Run]]) -> tuple[Table, pd.DataFrame]:
    """Calibration before and after temperature scaling, fitted on each run's validation split.

    Args:
        compared: Dictionary of lists of `Run` with predictions, by contender.

    Returns:
        `Table`, and data frames of the reliability of each contender: `contender`, `scaled`,
        `confidence`, `accuracy`, `num_texts`, a row a bin.
    """
    rows, curves = [], []
    for name, runs in compared.items():
        found, parts = [], {False: [], True: []}
        for run in runs:
            rows_of_test = run.predictions[run.predictions["split"] == "test"]
            truth = run.target.encode(rows_of_test["label"].tolist())
            probabilities = rows_of_test[probability_columns(run.labels)].to_numpy()
            scaled = run.target.scale(probabilities, run.temperature)
            found.append((run.temperature, run.target.metrics(truth, scaled)["ece"]))
            parts[False].append(run.target.judged(truth, probabilities))
            parts[True].append(run.target.judged(truth, scaled))
        mean, low, high, spread = map(or_nan, score_runs(runs)["ece"])
        temperature, after = np.mean(found, axis=0)
        rows.append(
            {
                "contender": name,
                "runs": len(runs),
                "ece_mean": mean,
                "ece_low": low,
                "ece_high": high,
                "ece_spread": spread,
                "ece_scaled": after,
                "temperature": temperature,
            }
        )
        for is_scaled, pairs in parts.items():
            sure, correct = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
            curve = pd.DataFrame(reliability_curve(sure, correct))
            curves.append(curve.assign(contender=name, scaled=is_scaled))
    frame = pd.DataFrame(rows).sort_values("ece_mean", ignore_index=True)
    shown = pd.DataFrame(
        {
            "Model": frame["contender"].map(name_of),
            "Runs": frame["runs"].astype(str),
            "ECE, %": frame["ece_mean"].map(percent),
            "95 % interval": [
                interval(*ends) for ends in zip(frame["ece_low"], frame["ece_high"], strict=True)
            ],
            SPREADS: frame["ece_spread"].map(percent),
            "ECE after scaling, %": frame["ece_scaled"].map(percent),
            "Temperature": [f"{value:.2f}" for value in frame["temperature"]],
        }
    )
    of_labels = ""
    if next(iter(compared.values()))[0].target.several:
        of_labels = " of a label’s probability; the mean over labels"
    sort_by = {
        "Runs": "runs",
        "ECE, %": "ece_mean",
        "ECE after scaling, %": "ece_scaled",
        "Temperature": "temperature",
    }
    caption = (
        f"Expected calibration error on the test split (15 bins{of_labels}), means over runs with "
        "95 % "
        f"intervals over texts and seeds, and its standard deviation over seeds ({SPREADS}), "
        "before and after temperature scaling; each run's temperature is fitted on its validation "
        "split."
    )
    return Table("calibration", caption, frame, shown, sort_by), pd.concat(curves)


def confidences(runs: list[Run]) -> pd.DataFrame:
    """Confidence and correctness of each test text and run: `confidence`, `correct`.

    Where several labels may hold of a text, it is the probability that all of them are right if
    they did not depend on each other, and whether they are.
    """
    frames = []
    for run in runs:
        rows = run.predictions[run.predictions["split"] == "test"]
        probabilities = rows[probability_columns(run.labels)].to_numpy()
        frames.append(
            pd.DataFrame(
                {
                    "confidence": run.target.confidence(rows["predicted"].tolist(), probabilities),
                    "correct": rows["label"] == rows["predicted"],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@styled
def draw_reliability(
    curves: pd.DataFrame, contenders: Sequence[str], several: bool = False
) -> Figure:
    """Accuracy by confidence, before and after temperature scaling, a panel each.

    Bins of fewer than `FEWEST_IN_BIN` predictions say nothing, and are left out.

    Args:
        curves: Data frame of a row a contender, `scaled` and bin.
        contenders: Names of those to draw, in order.
        several: Whether several labels may hold of an example; then each label is counted.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(WIDTH, 2.6))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, scaled, title in zip(
        panels, (False, True), ("As they are", "After scaling"), strict=True
    ):
        axes.plot([0, 1], [0, 1], color=EDGE, linestyle=(0, (4, 3)), linewidth=1, label="_perfect")
        for name, shown in zip(contenders, short_names(map(name_of, contenders)), strict=True):
            own = curves[(curves["contender"] == name) & (curves["scaled"] == scaled)]
            own = own[own["num_texts"] >= FEWEST_IN_BIN]
            axes.plot(
                own["confidence"], own["accuracy"], **look_of(name), markersize=4.5,
                markeredgecolor=PAPER, linewidth=1.3, label=shown,
            )  # fmt: skip
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        percent_axis(axes.xaxis)
        percent_axis(axes.yaxis)
        axes.set_xlabel("probability, %" if several else "confidence, %")
        set_title(axes, title)
    panels[0].set_ylabel("how often it holds, %" if several else "accuracy, %")
    label_lines(panels[1])
    return figure


@styled
def draw_confidences(frame: pd.DataFrame, several: bool = False) -> Figure:
    """A histogram of the confidence of right and wrong predictions.

    Args:
        frame: Data frame of `confidence` and `correct`.
        several: Whether several labels may hold of an example.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(WIDTH, 2.6))
    axes = figure.subplots()
    right, wrong = (
        frame.loc[frame["correct"] == is_right, "confidence"] for is_right in (True, False)
    )
    bins = np.linspace(0, 1, 21).tolist()
    axes.hist(
        [right, wrong], bins=bins, stacked=True, color=[COLOURS[0], COLOURS[1]],
        edgecolor=PAPER, linewidth=0.6,
    )  # fmt: skip
    for patch in axes.patches[20:]:  # So that they differ without colour, too.
        patch.set_hatch("////")
    axes.set_xlim(0, 1)
    percent_axis(axes.xaxis)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("confidence, %")
    axes.set_ylabel("predictions")
    names = ("some label wrong, on top", "all labels right") if several else _USUAL
    # Where the bars are low: all labels together are seldom sure.
    at, align = (0.98, "right") if several else (0.02, "left")
    for place, name, colour in zip((0.97, 0.9), names, (COLOURS[1], COLOURS[0]), strict=True):
        axes.text(at, place, name, transform=axes.transAxes, va="top", ha=align, color=colour)
    return figure
