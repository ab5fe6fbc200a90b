"""Words: which are most telling of each label in the texts that the models have learned from."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_keras import record
from reports.display.figure import COLOURS, MUTED, WIDTH, set_title, short_names, styled
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import count
from reports.findings import Findings
from reports.records import Records, Run

TITLE = "Telling words"

NUM_WORDS = 8
NUM_NAMED = 5  # Of these in the sentence above the figure.
_COLUMNS = {"label": str, "word": str, "z": float, "count": float, "count_rest": float}
_PANELS = 3


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts the words most telling of each label on the page; see `reports.sections`."""
    runs = [*findings.compared.get(findings.best, []), *findings.part.runs]
    frame = find_words(findings.records, runs)
    if frame is None:
        return None
    first = frame.groupby("label", sort=False)["word"].apply(lambda words: words.head(NUM_NAMED))
    return {
        "first": {label: list(words) for label, words in first.groupby(level=0, sort=False)},
        "words": page.add_table(words_table(frame)),
        "picture": page.add_figure(
            "words",
            "Dot plots, one a label, of the words most telling of it, by the z-score of their "
            "log-odds. The numbers are in the table below.",
            draw_words(frame),
        ),
    }


def find_words(records: Records, runs: list[Run]) -> pd.DataFrame | None:
    """The words most telling of each label, of the first run that keeps them.

    Args:
        records: `Records`.
        runs: List of `Run` of one split: their training texts are the same.

    Returns:
        Data frame of a row a label and word: `label`, `word`, `z`, `count` and `count_rest`; `None`
        where no run keeps them.
    """
    for run in runs:
        frame = records.read_beside(run, record.WORDS, _COLUMNS)
        if frame is not None and not frame.empty:
            of_labels = [frame[frame["label"] == label].head(NUM_WORDS) for label in run.labels]
            return pd.concat(of_labels, ignore_index=True)[list(_COLUMNS)]
    return None


def words_table(frame: pd.DataFrame) -> Table:
    """The words most telling of each label, with how often they stand where."""
    shown = pd.DataFrame(
        {
            "Label": frame["label"],
            "Word": frame["word"],
            "z": [f"{z:.1f}" for z in frame["z"]],
            "In its texts": frame["count"].map(count),
            "In others": frame["count_rest"].map(count),
        }
    )
    return Table(
        "words",
        "The words most telling of each label in the training split: how much greater their "
        "log-odds are in the label’s texts than in the others, by the standard error (z), with the "
        "counts of all texts as prior (Monroe et al. 2008); and how often they stand in either. "
        "Only words that stand in five texts and are of two people at least.",
        frame,
        shown,
        {"z": "z", "In its texts": "count", "In others": "count_rest"},
    )


@styled
def draw_words(frame: pd.DataFrame) -> Figure:
    """The words most telling of each label, from the frame of their table: a panel a label."""
    labels = list(dict.fromkeys(frame["label"]))
    num_rows = -(-len(labels) // _PANELS)
    figure = Figure(figsize=(WIDTH, 0.5 + num_rows * (0.5 + 0.19 * NUM_WORDS)))
    panels = figure.subplots(num_rows, _PANELS, sharex=True, squeeze=False).ravel()
    for axes, label in zip(panels, labels, strict=False):
        own = frame[frame["label"] == label]
        places = np.arange(len(own))
        axes.hlines(places, 0, own["z"], color=MUTED, linewidth=0.7)
        axes.plot(own["z"], places, "o", color=COLOURS[0], markersize=5)
        axes.set_yticks(places, short_names(own["word"], longest=20))
        axes.set_ylim(NUM_WORDS - 0.5, -0.5)
        axes.set_xlim(0, 1.05 * frame["z"].max())
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        set_title(axes, *short_names([label]))
    for axes in panels[len(labels) :]:
        axes.set_axis_off()
    for axes in panels[max(len(labels) - _PANELS, 0) : len(labels)]:
        axes.set_xlabel("z of the log-odds")
        axes.tick_params(labelbottom=True)
    return figure
