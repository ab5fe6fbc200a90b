"""How the best model was trained: loss and accuracy by epoch."""

from typing import Any

import pandas as pd
from matplotlib import ticker
from matplotlib.figure import Figure

from emotion_keras import record
from reports.display.figure import (
    PAPER,
    WIDTH,
    label_lines,
    percent_axis,
    series_style,
    set_title,
    styled,
)
from reports.display.models import name_of
from reports.display.page import Page
from reports.findings import Findings
from reports.records import Records, Run

TITLE = "Training"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts the course of training on the page; see `reports.sections`."""
    best = findings.best
    history = history_frame(findings.records, findings.compared[best]) if best else None
    if history is None:
        return None
    of_loss = "loss and accuracy by epoch on the training and the validation split"
    if findings.several:
        of_loss = "loss by epoch on the training and the validation split, macro F1 on the latter"
    alternative = f"{name_of(best)}: {of_loss}, a thin line a run and a thick one for the mean."
    figure = draw_history(history, findings.several)
    return {"picture": page.add_figure("training", alternative, figure)}


def history_frame(records: Records, runs: list[Run]) -> pd.DataFrame | None:
    """The epochs of runs: what `history.csv` holds, with `run`; `None` where there are none."""
    columns = dict.fromkeys(("epoch", "loss", "accuracy", "val_loss", "val_accuracy"), float)
    if runs and runs[0].target.several:
        columns["val_macro_f1"] = float
    frames = [
        frame.assign(run=run.name)
        for run in runs
        if (frame := records.read_beside(run, record.HISTORY, columns)) is not None
    ]
    return pd.concat(frames, ignore_index=True) if frames else None


@styled
def draw_history(history: pd.DataFrame, several: bool = False) -> Figure:
    """Loss and accuracy by epoch, of the training and the validation split, a line a run.

    Args:
        history: Data frame of a row an epoch and run.
        several: Whether several labels may hold of an example: then in place of accuracy it is the
            macro F1 of the validation split, since in training no thresholds are known.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(WIDTH, 2.5))
    panels = figure.subplots(1, 2)
    titles = {"loss": "Loss", "accuracy": "Accuracy, %"}
    if several:
        titles = {"loss": "Loss", "macro_f1": "Macro F1 on validation, %"}
    for axes, (column, title) in zip(panels, titles.items(), strict=True):
        for number, (prefix, name) in enumerate((("", "training"), ("val_", "validation"))):
            if prefix + column not in history:
                continue
            for _, run in history.groupby("run"):
                series = series_style(number)
                axes.plot(
                    run["epoch"],
                    run[prefix + column],
                    **series,
                    alpha=0.3,
                    linewidth=1,
                    markersize=3,
                    label="_run",
                )
            means = history.groupby("epoch")[prefix + column].mean()
            axes.plot(means.index, means, **series_style(number), markeredgecolor=PAPER, label=name)
        axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        set_title(axes, title)
    percent_axis(panels[1].yaxis)
    label_lines(panels[0] if several else panels[1])
    return figure
