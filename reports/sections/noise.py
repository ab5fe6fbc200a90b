"""What noise does: in the texts that are tested, and in the labels that are trained on."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from reports.display.figure import (
    INK,
    WIDTH,
    percent_axis,
    set_title,
    styled,
    within_range,
)
from reports.display.page import Page
from reports.display.words import METRICS
from reports.findings import Findings
from reports.scores import draw_curves, sensitivity_table, show_curves, summarize_noise

TITLE = "Noise"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts scores by kind and level of noise on the page; see `reports.sections`."""
    found, noises = findings.points["noise"], findings.noises
    if not found:
        return None
    section: dict[str, Any] = {"pictures": [], "table": None, "labels": None}
    if not noises.empty:
        summary, metrics = summarize_noise(noises), findings.metrics
        titles = {"contender": "Model", "kind": "Noise", "level": "Level"}
        section["table"] = page.add_table(
            sensitivity_table("noise", titles, summary, list(titles), metrics)
        )
        section["pictures"] = page.by_metric(
            "noise",
            f"Panels by kind of noise in {findings.modality.plural}: {{}} on the test split by "
            "level of noise, every run a dot, lines of means. The numbers are in the table below.",
            lambda metric: draw_noise(noises, summary, metric, metrics),
            metrics,
        )
    trained = {contender for contender, value in found if value > 0}
    if trained:
        section["labels"] = show_curves(
            page,
            {at: runs for at, runs in found.items() if at[0] in trained},
            "wrong_labels",
            "Wrong labels",
            f"Share of training {findings.modality.plural} with "
            + ("one label flipped" if findings.several else "a wrong label"),
        )
    return section


@styled
def draw_noise(
    runs: pd.DataFrame,
    summary: pd.DataFrame,
    metric: str,
    metrics: Mapping[str, str] = METRICS,
) -> Figure:
    """A score by the level of noise, a panel a kind of noise.

    Args:
        runs: Data frame of a row a run, kind and level.
        summary: Data frame of a row a contender, kind and level.
        metric: Key of `metrics`.
        metrics: What readers call the metrics.

    Returns:
        `matplotlib.figure.Figure`.
    """
    kinds = list(dict.fromkeys(summary["kind"]))
    rows = -(-len(kinds) // 2)
    figure = Figure(figsize=(WIDTH, 0.5 + 1.25 * rows))
    panels = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).ravel()
    for panel in panels[len(kinds) :]:
        panel.set_visible(False)
    for axes, kind in zip(panels, kinds, strict=False):
        own, means = (frame[frame["kind"] == kind] for frame in (runs, summary))
        draw_curves(axes, own, means, metric, "level")
        set_title(axes, kind.replace("_", " "))
    # The panels share their axes: one stands for all.
    panels[0].set_ylim(within_range(panels[0].get_ylim()))
    percent_axis(panels[0].yaxis)
    percent_axis(panels[0].xaxis)
    for axes in panels[max(len(kinds) - 2, 0) : len(kinds)]:
        axes.set_xlabel("level of noise, %")
    figure.supylabel(f"{metrics[metric]}, %", fontsize=9, color=INK)
    handles, names = panels[0].get_legend_handles_labels()
    # Lines meet in every panel, so that labels at their ends would cover each other.
    figure.legend(
        handles, names, loc="outside lower left", ncols=2, labelcolor="linecolor", handlelength=2.6,
    )  # fmt: skip
    return figure
