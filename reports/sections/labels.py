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
from reports.display.words import count, or_nan, percent
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
    frame, totals = confusion_frame(runs), label_totals(runs)
    table, by_label = label_table(compared)
    # The page has it as a table, whose cells show their texts.
    page.add_figure(
        "confusion",
        f"Answers of {name} by label, per cent of the texts of which a label holds: rightly on the "
        "diagonal, elsewhere wrongly."
        if findings.several
        else f"Confusion matrix of {name}, per cent of each true label's texts.",
        draw_confusion(frame, totals, findings.several),
    )
    tree = None if findings.several or len(frame) < 3 else draw_tree(frame)
    together = together_frame(runs) if findings.several else None
    return {
        "runs": len(runs),
        "names": list(frame.columns),
        "matrix": _cells(frame, totals),
        "explored": all(run.predictions is not None for run in runs),
        "tree": page.add_figure(
            "label_tree",
            f"Tree of the labels: those that {name} takes for each other most join first.",
            tree,
        ),
        "scores": page.add_table(scores_table(runs, name) if findings.several else None),
        "together": None
        if together is None
        else page.add_figure(
            "labels_together",
            "Shades of how often labels hold together, per cent of the texts of which the row's "
            "label holds. The numbers are in the table below.",
            draw_together(together),
        ),
        "together_table": page.add_table(
            None if together is None else together_table(together, findings.modality.plural)
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


def _cells(frame, totals):
    """Rows of the matrix for the page: of each cell its count, and its share of the label's."""
    shares = frame.div(totals.clip(lower=1), axis=0)
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
    """Confusion of labels on the test split, added up over runs; rows are true labels.

    Where several labels may hold of a text, it is of those of which the row's label holds, how many
    are answered with the column's: on the diagonal rightly, elsewhere wrongly.
    """
    labels = runs[0].labels
    total = np.sum([run.test["confusion_matrix"] for run in runs], axis=0)
    return pd.DataFrame(total, index=labels, columns=labels)


def label_totals(runs: list[Run]) -> pd.Series:
    """The texts of the test split of which each label holds, added up over runs."""
    labels = runs[0].labels
    if not runs[0].target.several:
        return confusion_frame(runs).sum(axis=1)
    support = [[run.test["per_label"][label]["support"] for label in labels] for run in runs]
    return pd.Series(np.sum(support, axis=0), index=labels)


def confusion_table(runs: list[Run], name: str) -> Table:
    """`confusion_frame` as a table: counts, and in brackets the share of the true label's texts."""
    frame, totals = confusion_frame(runs), label_totals(runs)
    shares = frame.div(totals, axis=0)
    several = runs[0].target.several
    shown = pd.DataFrame(
        {
            label: [
                f"{n:,} ({percent(s)})" for n, s in zip(frame[label], shares[label], strict=True)
            ]
            for label in frame.columns
        }
    )
    first = "Where it holds" if several else "True label"
    shown.insert(0, own_heading(first, frame.columns), list(frame.index))
    caption = (
        f"{name}: texts of the test split by true label (rows) and predicted label (columns), "
        f"added up over {len(runs)} runs, and in brackets the per cent of the true label."
    )
    frame = frame.rename_axis(own_heading("true_label", frame.columns)).reset_index()
    sort_by = {label: label for label in runs[0].labels}
    if several:
        texts = own_heading("Texts", [first, *frame.columns])
        shown.insert(1, texts, [f"{number:,}" for number in totals])
        frame.insert(1, own_heading("texts", frame.columns), totals.to_numpy())
        sort_by[texts] = frame.columns[1]
        caption = (
            f"{name}: of the texts of the test split of which a label holds (rows), to how many "
            "each label is answered (columns): on the diagonal rightly, elsewhere wrongly, as it "
            "does not hold. In brackets the per cent of the row’s texts; several labels may be "
            f"answered to a text, so that rows do not add up. Added up over {len(runs)} runs."
        )
    return Table("confusion", caption, frame, shown, sort_by)


def scores_table(runs: list[Run], name: str) -> Table:
    """How well each of several labels is recognised, means over runs.

    Args:
        runs: List of `Run` of one setting.
        name: What readers call the model.

    Returns:
        `Table` of a row a label.
    """
    rows = []
    for number, label in enumerate(runs[0].labels):
        of_runs = [run.test["per_label"][label] for run in runs]
        thresholds = [run.target.thresholds[number] for run in runs]
        row = {"label": label, "texts": of_runs[0]["support"], "threshold": np.mean(thresholds)}
        for score in _SCORES_OF_LABELS:
            row[score] = np.mean([or_nan(of_run[score]) for of_run in of_runs])
        rows.append(row)
    frame = pd.DataFrame(rows)
    texts, threshold = "Texts", "Threshold, %"
    shown = pd.DataFrame(
        {
            "Label": frame["label"],
            texts: frame["texts"].map(count),
            threshold: frame["threshold"].map(percent),
            **{title: frame[score].map(percent) for score, title in _SCORES_OF_LABELS.items()},
        }
    )
    caption = (
        f"{name}, by label on the test split, per cent, means over {len(runs)} runs. A label is "
        "answered from its threshold on, which is fitted to the F1 of the validation split, run by "
        "run. By chance AUC is 50, and average precision (AP) the share of texts of which the "
        "label holds. ECE: expected calibration error of the label’s probability."
    )
    sort_by = {texts: "texts", threshold: "threshold"}
    sort_by |= {title: score for score, title in _SCORES_OF_LABELS.items()}
    return Table("label_scores", caption, frame, shown, sort_by)


_SCORES_OF_LABELS = {
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "auc": "AUC",
    "average_precision": "AP",
    "ece": "ECE",
}


def together_frame(runs: list[Run]) -> pd.DataFrame | None:
    """How often labels hold together in the test split.

    Args:
        runs: List of `Run` of one setting; with folds each tests texts of its own.

    Returns:
        Data frame of a row and a column a label: of how many texts both hold, and on the diagonal
        of how many the label alone; with `texts`, of how many the row's label holds. `None` where
        predictions are missing.
    """
    if any(run.predictions is None for run in runs):
        return None
    rows = pd.concat([run.predictions[run.predictions["split"] == "test"] for run in runs])
    cells = rows.drop_duplicates("id")["label"].tolist()
    truth = runs[0].target.encode(cells).astype(int)
    counts = truth.T @ truth
    texts = np.diag(counts).copy()
    np.fill_diagonal(counts, truth[truth.sum(axis=1) == 1].sum(axis=0))
    frame = pd.DataFrame(counts, runs[0].labels, runs[0].labels)
    return frame.assign(**{own_heading("texts", frame.columns): texts})


def together_table(frame: pd.DataFrame, plural: str) -> Table:
    """What `together_frame` gives as a table: counts, and in brackets shares of the row's texts."""
    *labels, texts = frame.columns
    shares = frame[labels].div(frame[texts], axis=0)
    shown = pd.DataFrame({own_heading("Label", labels): list(frame.index)})
    heading = own_heading(plural.capitalize(), [*shown.columns, *labels])
    shown[heading] = frame[texts].map(count).tolist()
    for label in labels:
        pairs = zip(frame[label], shares[label], strict=True)
        shown[label] = [f"{number:,} ({percent(share)})" for number, share in pairs]
    return Table(
        "labels_together",
        f"How often labels hold together, by the test split’s own labels: {plural} of which both "
        "hold, on the diagonal of which no other does, and in brackets the per cent of those of "
        "which the row’s label holds.",
        frame.rename_axis(own_heading("label", frame.columns)).reset_index(),
        shown,
        {heading: texts} | {label: label for label in labels},
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
def draw_confusion(
    frame: pd.DataFrame, totals: pd.Series | None = None, several: bool = False
) -> Figure:
    """A confusion matrix as shares of the true label's texts, in per cent.

    Args:
        frame: Data frame of counts: rows are true labels, columns predicted ones.
        totals: The texts of each true label; the sums of the rows unless given.
        several: Whether several labels may hold of a text.

    Returns:
        `matplotlib.figure.Figure`.
    """
    totals = frame.sum(axis=1) if totals is None else totals
    names = ("label that is answered", "label that holds")
    return _draw_matrix(frame, totals, names if several else ("predicted label", "true label"))


@styled
def draw_together(frame: pd.DataFrame) -> Figure:
    """How often labels hold together, from `together_frame`: shares of the row's texts."""
    *labels, texts = frame.columns
    return _draw_matrix(frame[labels], frame[texts], ("other label (diagonal: none)", "label"))


def _draw_matrix(frame, totals, titles):
    """Counts as shares of the totals of their rows; `titles` are of columns and rows."""
    values = frame.div(totals.clip(lower=1), axis=0).to_numpy()
    names = short_names(frame.index, longest=24)
    # Room for names that are longer than most.
    size = 1.5 + 0.45 * len(frame) + 0.07 * max(0, max(map(len, names)) - 14)
    figure = Figure(figsize=(size + 0.4, size))
    axes = figure.subplots()
    shade_cells(axes, values)
    axes.set_xticks(np.arange(len(frame)) + 0.5, names, rotation=35, ha="right")
    axes.set_yticks(np.arange(len(frame)) + 0.5, names)
    axes.set_aspect("equal")
    axes.set_xlabel(titles[0])
    axes.set_ylabel(titles[1])
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
