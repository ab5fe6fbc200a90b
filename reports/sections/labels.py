"""Labels: which are taken for which, and how well each is recognised."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from emotion_keras.evaluation.scores import f1_of
from reports.display.figure import (
    COLOURS,
    WIDTH,
    percent_axis,
    shade_cells,
    short_names,
    styled,
)
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table, own_heading
from reports.display.words import or_nan, percent
from reports.findings import Findings
from reports.records import Run
from reports.scores import score_runs

TITLE = "Labels"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts confusion and F1 by label on the page; see `reports.sections`."""
    best, compared = findings.best, findings.compared
    if best is None:
        return None
    runs, name = compared[best], name_of(best)
    frame = confusion_frame(runs)
    table, by_label = label_table(compared)
    # The page has it as a table, whose cells show their texts.
    page.add_figure(
        "confusion",
        f"Confusion matrix of {name}, per cent of each true label's texts.",
        draw_confusion(frame),
    )
    return {
        "runs": len(runs),
        "names": list(frame.columns),
        "matrix": _cells(frame),
        "explored": all(run.predictions is not None for run in runs),
        "tree": page.add_figure(
            "label_tree",
            f"Tree of the labels: those that {name} takes for each other most join first.",
            draw_tree(frame) if len(frame) > 2 else None,
        ),
        "confusion": page.add_table(confusion_table(runs, name)),
        "label_f1": page.add_table(table),
        "picture": page.add_figure(
            "label_f1",
            "F1 of each label on the test split by model, as numbers on shades. The intervals are "
            "in the table below.",
            draw_labels(by_label),
        ),
    }


def _cells(frame):
    """Rows of the matrix for the page: of each cell its count, and its share of the row."""
    shares = frame.div(frame.sum(axis=1).clip(lower=1), axis=0)
    return [
        {
            "label": label,
            "cells": [
                {
                    "predicted": predicted,
                    "count": int(frame.loc[label, predicted]),
                    "share": float(shares.loc[label, predicted]),
                }
                for predicted in frame.columns
            ],
        }
        for label in frame.index
    ]


def confusion_frame(runs: list[Run]) -> pd.DataFrame:
    """Confusion of labels on the test split, added up over runs; rows are true labels."""
    labels = runs[0].labels
    total = np.sum([run.test["confusion_matrix"] for run in runs], axis=0)
    return pd.DataFrame(total, index=labels, columns=labels)


def confusion_table(runs: list[Run], name: str) -> Table:
    """`confusion_frame` as a table: counts, and in brackets the share of the true label's texts."""
    frame = confusion_frame(runs)
    shares = frame.div(frame.sum(axis=1), axis=0)
    shown = pd.DataFrame(
        {
            label: [
                f"{n:,} ({percent(s)})" for n, s in zip(frame[label], shares[label], strict=True)
            ]
            for label in frame.columns
        }
    )
    shown.insert(0, own_heading("True label", frame.columns), list(frame.index))
    return Table(
        "confusion",
        f"{name}: texts of the test split by true label (rows) and predicted label (columns), "
        f"added up over {len(runs)} runs, and in brackets the per cent of the true label.",
        frame.rename_axis(own_heading("true_label", frame.columns)).reset_index(),
        shown,
        {label: label for label in frame.columns},
    )


def label_table(compared: dict[str, list[Run]]) -> tuple[Table, pd.DataFrame]:
    """F1 of each label and contender, with intervals over texts and seeds."""
    rows = []
    for name, runs in compared.items():
        scores = score_runs(runs)
        for label in runs[0].labels:
            mean, low, high, _ = map(or_nan, scores[f1_of(label)])
            support = runs[0].test["per_label"][label]["support"]
            rows.append(
                {
                    "contender": name,
                    "label": label,
                    "texts": support,
                    "runs": len(runs),
                    "f1_mean": mean,
                    "f1_low": low,
                    "f1_high": high,
                }
            )
    frame = pd.DataFrame(rows)
    labels = list(dict.fromkeys(frame["label"]))
    shown = pd.DataFrame({own_heading("Model", labels): list(map(name_of, compared))})
    wide = pd.DataFrame({"contender": list(compared)})
    for label in labels:
        own = frame[frame["label"] == label].reset_index(drop=True)
        wide = wide.assign(
            **{f"{label}_{end}": own[f"f1_{end}"] for end in ("mean", "low", "high")}
        )
        halves = [
            "" if np.isnan(h) else f" ±{100 * (h - m):.1f}"
            for h, m in zip(own["f1_high"], own["f1_mean"], strict=True)
        ]
        shown[label] = [percent(m) + half for m, half in zip(own["f1_mean"], halves, strict=True)]
    table = Table(
        "label_f1",
        "F1 of each label on the test split, per cent: means over runs, with 95 % intervals over "
        "texts and seeds.",
        wide,
        shown,
        {label: f"{label}_mean" for label in labels},
    )
    return table, frame


def label_tree(frame: pd.DataFrame) -> np.ndarray:
    """How labels join by how often they are taken for each other.

    Args:
        frame: What `confusion_frame` gives.

    Returns:
        Array of SciPy's `linkage` (average of the pairs of two groups), whose distances are 1 minus
        the mean share of texts that a model takes for the other label of a pair.
    """
    shares = frame.div(frame.sum(axis=1).clip(lower=1), axis=0).to_numpy()
    distances = 1 - (shares + shares.T) / 2
    np.fill_diagonal(distances, 0)
    return hierarchy.linkage(squareform(distances, checks=False), "average")


@styled
def draw_tree(frame: pd.DataFrame) -> Figure:
    """The labels as a tree, from `label_tree`; the axis is how often they are confused.

    Args:
        frame: What `confusion_frame` gives.

    Returns:
        `matplotlib.figure.Figure`.
    """
    joined = label_tree(frame)
    tree = hierarchy.dendrogram(joined, no_plot=True)
    figure = Figure(figsize=(WIDTH, 0.8 + 0.3 * len(frame)))
    axes = figure.subplots()
    # Of a model that confuses nothing the axis still has a length.
    left = 1 - max(1.08 * (1 - joined[0, 2]), 0.01)
    for places, distances in zip(tree["icoord"], tree["dcoord"], strict=True):
        # Leaves start at the axis, a little beyond the pair that is confused most.
        shares = [1 - max(distance, left) for distance in distances]
        axes.plot(shares, places, color=COLOURS[0], linewidth=1.6)
    places = 10 * np.arange(len(frame)) + 5
    axes.set_yticks(places, short_names(frame.index[one] for one in tree["leaves"]))
    axes.set_ylim(10 * len(frame), 0)
    axes.set_xlim(1 - left, 0)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    percent_axis(axes.xaxis)
    axes.set_xlabel("taken for each other, % of their texts")
    return figure


@styled
def draw_confusion(frame: pd.DataFrame) -> Figure:
    """A confusion matrix as shares of the true label's texts, in per cent.

    Args:
        frame: Data frame of counts: rows are true labels, columns predicted ones.

    Returns:
        `matplotlib.figure.Figure`.
    """
    values = frame.div(frame.sum(axis=1).clip(lower=1), axis=0).to_numpy()
    names = short_names(frame.index, longest=24)
    # Room for names that are longer than most.
    size = 1.5 + 0.45 * len(frame) + 0.07 * max(0, max(map(len, names)) - 14)
    figure = Figure(figsize=(size + 0.4, size))
    axes = figure.subplots()
    shade_cells(axes, values)
    axes.set_xticks(np.arange(len(frame)) + 0.5, names, rotation=35, ha="right")
    axes.set_yticks(np.arange(len(frame)) + 0.5, names)
    axes.set_aspect("equal")
    axes.set_xlabel("predicted label")
    axes.set_ylabel("true label")
    return figure


@styled
def draw_labels(frame: pd.DataFrame) -> Figure:
    """F1 by model and label, in per cent, as numbers on shades.

    Args:
        frame: Data frame of a row a contender and label: `f1_mean`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    contenders, labels = (list(dict.fromkeys(frame[name])) for name in ("contender", "label"))
    means = frame.set_index(["contender", "label"])["f1_mean"].unstack()
    values = means.reindex(index=contenders, columns=labels).to_numpy()
    figure = Figure(figsize=(max(WIDTH, 2.2 + 0.45 * len(labels)), 1.0 + 0.27 * len(contenders)))
    axes = figure.subplots()
    shade_cells(axes, values)
    axes.set_xticks(
        np.arange(len(labels)) + 0.5, short_names(labels, longest=24), rotation=35, ha="right"
    )
    axes.set_yticks(np.arange(len(contenders)) + 0.5, short_names(map(name_of, contenders)))
    return figure
