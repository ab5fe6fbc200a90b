"""Labels: which are taken for which, and how well each is recognised."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

from emotion_keras.evaluation.scores import f1_of
from reports.display.figure import (
    COLOURS,
    PAPER,
    add_legend,
    percent_axis,
    series_style,
    short_names,
    styled,
)
from reports.display.page import Page
from reports.display.table import Table, own_heading
from reports.display.words import or_nan, percent
from reports.findings import Findings
from reports.records import Run
from reports.scores import score_runs

TITLE = "Labels"

_BLUE = to_rgb(COLOURS[0])


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts confusion and F1 by label on the page; see `reports.sections`."""
    best, compared = findings.best, findings.compared
    if best is None:
        return None
    runs = compared[best]
    frame = confusion_frame(runs)
    table, by_label = label_table(compared)
    drawn = findings.drawn
    return {
        "counts": page.add_figure(
            "confusion_counts",
            f"Confusion matrix of {best}, counts added up over {len(runs)} runs; rows are true "
            "labels. The numbers are in the table below.",
            draw_confusion(frame),
        ),
        "shares": page.add_figure(
            "confusion_shares",
            f"Confusion matrix of {best}, per cent of each true label's texts. The numbers are in "
            "the table below.",
            draw_confusion(frame, shares=True),
        ),
        "confusion": page.add_table(confusion_table(runs, best)),
        "label_f1": page.add_table(table),
        "picture": page.add_figure(
            "label_f1",
            "F1 of each label on the test split with 95 % intervals over texts and seeds, of "
            f"{', '.join(drawn)}. The numbers are in the table below.",
            draw_labels(by_label, drawn),
        ),
    }


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
    shown = pd.DataFrame({own_heading("Model", labels): list(compared)})
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


@styled
def draw_confusion(frame: pd.DataFrame, shares: bool = False) -> Figure:
    """A confusion matrix, as counts or as shares of the true label's texts.

    Args:
        frame: Data frame of counts: rows are true labels, columns predicted ones.
        shares: Whether to divide each row by its sum.

    Returns:
        `matplotlib.figure.Figure`.
    """
    values = frame.div(frame.sum(axis=1), axis=0) if shares else frame
    names = short_names(frame.index, longest=24)
    # Room for names that are longer than most.
    size = 1.9 + 0.55 * len(frame) + 0.07 * max(0, max(map(len, names)) - 14)
    figure = Figure(figsize=(size + 0.6, size))
    axes = figure.subplots()
    # From clear to a blue that text can be read on, on white paper and on black.
    colours = LinearSegmentedColormap.from_list("clear", [(*_BLUE, 0), (*_BLUE, 0.6)])
    axes.pcolormesh(values.to_numpy(), cmap=colours, vmin=0, edgecolors=PAPER, linewidth=1)
    for (row, column), value in np.ndenumerate(values.to_numpy()):
        text = f"{100 * value:.0f}" if shares else f"{value:.0f}"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8.5)
    places = np.arange(len(frame)) + 0.5
    axes.set_xticks(places, names, rotation=35, ha="right")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted label")
    axes.set_ylabel("true label")
    return figure


@styled
def draw_labels(frame: pd.DataFrame, contenders: Sequence[str]) -> Figure:
    """F1 by label: a marker for each contender, with the interval over runs.

    Args:
        frame: Data frame of a row a contender and label: `f1_mean`, `f1_low`, `f1_high`.
        contenders: Names of those to draw, in order.

    Returns:
        `matplotlib.figure.Figure`.
    """
    labels = list(dict.fromkeys(frame["label"]))
    figure = Figure(figsize=(6.4, 1.2 + 0.5 * len(labels)))
    axes = figure.subplots()
    for number, (name, shown) in enumerate(zip(contenders, short_names(contenders), strict=True)):
        own = frame[frame["contender"] == name]
        series = series_style(number)
        shift = 0.14 * (number - (len(contenders) - 1) / 2)
        places = np.array([labels.index(label) for label in own["label"]]) + shift
        axes.hlines(places, own["f1_low"], own["f1_high"], color=series["color"], linewidth=1.8)
        axes.plot(
            own["f1_mean"], places, **series, linestyle="none", markersize=6,
            markeredgecolor=PAPER, label=shown,
        )  # fmt: skip
    axes.set_yticks(range(len(labels)), short_names(labels))
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    percent_axis(axes.xaxis)
    axes.set_xlabel("F1 on the test split, %")
    add_legend(figure, axes, columns=3)
    return figure
