"""ROC and precision–recall curves: what the answers of a model rank first."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics

from emotion_keras.evaluation.predictions import probability_columns
from reports.display.figure import (
    EDGE,
    WIDTH,
    label_lines,
    percent_axis,
    short_names,
    styled,
)
from reports.display.models import look_of, name_of
from reports.display.page import Page
from reports.display.table import Table, own_heading
from reports.display.words import percent
from reports.findings import Findings
from reports.records import Run

TITLE = "ROC and precision–recall"

NUM_POINTS = 101


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts curves of the best models on the page; see `reports.sections`."""
    drawn = [
        name
        for name in findings.drawn
        if name is not None and all(run.predictions is not None for run in findings.compared[name])
    ]
    if findings.best not in drawn:
        return None
    frame = pd.concat(
        [curves_of(findings.compared[name]).assign(contender=name) for name in drawn],
        ignore_index=True,
    )
    shown = ", ".join(map(name_of, drawn))
    others = f"the {findings.modality.plural} without it" if findings.several else "the others"
    return {
        "table": page.add_table(
            areas_table(findings.compared[findings.best], name_of(findings.best))
        ),
        "roc": page.add_figure(
            "roc",
            f"ROC curves, each label against {others}, means over labels and runs, of {shown}.",
            draw_curves(frame, "roc", findings.several),
        ),
        "precision_recall": page.add_figure(
            "precision_recall",
            f"Precision by recall, each label against {others}, means over labels and runs, of "
            f"{shown}.",
            draw_curves(frame, "precision_recall", findings.several),
        ),
    }


def curves_of(runs: Sequence[Run]) -> pd.DataFrame:
    """The curves of a model, each label against the others: means over labels and runs.

    Args:
        runs: Sequence of `Run` with predictions.

    Returns:
        Data frame of `curve` (`roc` or `precision_recall`), `x` and `y`: the share of texts of
        other labels and of the label that are above a threshold, or recall and precision, where
        precision is the highest at that recall or beyond.
    """
    grid = np.linspace(0, 1, NUM_POINTS)
    rocs, precisions = [], []
    for _, truth, probabilities in _by_label(runs):
        others, own, _ = metrics.roc_curve(truth, probabilities)
        rocs.append(np.interp(grid, others, own))
        precision, recall, _ = metrics.precision_recall_curve(truth, probabilities)
        # The best that can be had at a recall or beyond, so that the mean has no sawteeth.
        best = np.maximum.accumulate(precision[:-1])
        precisions.append(np.interp(grid, recall[:-1][::-1], best[::-1]))
    means = {"roc": np.mean(rocs, axis=0), "precision_recall": np.mean(precisions, axis=0)}
    return pd.concat(
        [pd.DataFrame({"curve": name, "x": grid, "y": values}) for name, values in means.items()],
        ignore_index=True,
    )


def _by_label(runs):
    """By run and label: the label, whether each test text has it, and its probability."""
    for run in runs:
        rows = run.predictions[run.predictions["split"] == "test"]
        truths = run.target.encode(rows["label"].tolist()) > 0
        columns = probability_columns(run.labels)
        for number, (label, column) in enumerate(zip(run.labels, columns, strict=True)):
            truth = truths[:, number]
            # A curve needs texts with the label and others.
            if truth.any() and not truth.all():
                yield label, truth, rows[column].to_numpy()


def areas_table(runs: Sequence[Run], name: str) -> Table:
    """The areas below both curves of each label.

    Args:
        runs: Sequence of `Run` with predictions.
        name: What readers call the model.

    Returns:
        `Table` of a row a label.
    """
    labels = runs[0].labels
    areas = pd.DataFrame(
        {
            "label": label,
            "auc": metrics.roc_auc_score(truth, probabilities),
            "precision": metrics.average_precision_score(truth, probabilities),
            "share": truth.mean(),
        }
        for label, truth, probabilities in _by_label(runs)
    )
    frame = areas.groupby("label").mean().reindex(labels).rename_axis("label").reset_index()
    headings = {
        "auc": "ROC AUC, %",
        "precision": "Average precision, %",
        "share": "Share of the label, %",
    }
    heading = own_heading("Label", labels)
    shown = pd.DataFrame(
        {heading: frame["label"]} | {h: frame[key].map(percent) for key, h in headings.items()}
    )
    others = "the texts without it" if runs[0].target.several else "the others"
    return Table(
        "areas",
        f"{name}: each label against {others} on the test split, means over {len(runs)} runs. By "
        "chance the AUC is 50, and average precision the share of the label.",
        frame,
        shown,
        {h: key for key, h in headings.items()},
    )


@styled
def draw_curves(frame: pd.DataFrame, curve: str, several: bool = False) -> Figure:
    """Curves of several models.

    Args:
        frame: What `curves_of` gives, with `contender`.
        curve: `roc` or `precision_recall`.
        several: Whether several labels may hold of a text.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(WIDTH, 3.0))
    axes = figure.subplots()
    is_roc = curve == "roc"
    if is_roc:
        axes.plot([0, 1], [0, 1], color=EDGE, linestyle=(0, (4, 3)), linewidth=1, label="_chance")
    names = list(dict.fromkeys(frame["contender"]))
    for name, shown in zip(names, short_names(map(name_of, names)), strict=True):
        own = frame[(frame["contender"] == name) & (frame["curve"] == curve)]
        look = look_of(name) | {"marker": None}
        axes.plot(own["x"], own["y"], **look, linewidth=1.5, label=shown)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.01)
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    wrong = f"texts {'without the label' if several else 'of other labels'} taken for it, %"
    axes.set_xlabel(wrong if is_roc else "recall, %")
    axes.set_ylabel("recall, %" if is_roc else "precision, %")
    label_lines(axes, at=0.15 if is_roc else 0.6)
    return figure
