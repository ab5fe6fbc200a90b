"""Searches for settings: their trials, and which option matters."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import ticker
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from scipy import stats

from emotion_keras.evaluation.significance import LEVEL, holm
from reports.display.figure import (
    COLOURS,
    EDGE,
    INK,
    PAPER,
    WIDTH,
    label_lines,
    percent_axis,
    short_names,
    styled,
)
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import or_nan, p_in_words, percent, value_in_words
from reports.findings import Findings
from reports.records import SEARCH, Run

TITLE = "Search for settings"

DEFAULTS = "defaults"  # The name of the trial that gives no option.
MOST_AXES = 7  # More are too small to read where the page is as wide as a telephone.


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts the searches on the page; see `reports.sections`."""
    found = []
    for study in findings.part.studies:
        search = study.files.get(SEARCH)
        if not search or not search["trials"]:
            continue
        search = with_defaults(search, study.runs)
        table = search_table(search)
        importance = importance_table(search)
        name = "search" if not found else f"search_{len(found) + 1}"
        alternative = f"{name_of(search['contender'])}, {search['oracle']} search: "
        found.append(
            {
                "study": study.title,
                "search": search,
                "table": page.add_table(dataclasses.replace(table, name=name)),
                "importance": page.add_table(
                    importance and dataclasses.replace(importance, name=f"{name}_importance")
                ),
                "trials_picture": page.add_figure(
                    f"{name}_trials",
                    alternative + "macro F1 on validation of each trial, and the best so far.",
                    draw_trials(table.frame),
                ),
                # Of differences that may be chance a picture would make facts.
                "importance_picture": page.add_figure(
                    f"{name}_importance",
                    alternative + "bars of the share of the spread of scores that each option "
                    "accounts for.",
                    draw_importance(importance.frame),
                )
                if importance and is_resolved(importance.frame).any()
                else None,
                "parallel_picture": page.add_figure(
                    f"{name}_parallel",
                    alternative
                    + "trials as lines across the values of options, coloured by macro F1 "
                    "on validation.",
                    draw_parallel(table.frame, importance and importance.frame["option"]),
                ),
            }
        )
    return {"searches": found}


def with_defaults(search: dict[str, Any], runs: list[Run]) -> dict[str, Any]:
    """A search whose trials name each option's value, that of the defaults included.

    Args:
        search: What `search.json` holds: of a trial the options that were given.
        runs: List of `Run`, those of the search; their records hold all values.

    Returns:
        Dictionary, `search` with more in the `options` of its trials. An option stays away where
        neither the trial nor a run's record has it.
    """
    settings = {
        run.name: run.record["inputs"] | run.record["hyperparameters"] | run.record["training"]
        for run in runs
    }

    def fill(trial):
        used = next((settings[name] for name in trial["run_ids"] if name in settings), {})
        known = {name: used[name] for name in search["space"] if name in used}
        return trial | {"options": known | trial["options"]}

    return search | {"trials": [fill(trial) for trial in search["trials"]]}


def search_table(search: dict[str, Any]) -> Table:
    """The trials of a search by falling score.

    Args:
        search: What `search.json` holds.

    Returns:
        `Table`, whose frame has a column an option; failed trials come last.
    """
    rows = [
        {
            "trial": trial["trial"],
            "score": or_nan(trial.get("score")),
            **{f"option_{name}": value for name, value in trial["options"].items()},
            "reason": trial.get("reason") or ("under way" if trial.get("score") is None else ""),
        }
        for trial in search["trials"]
    ]
    frame = pd.DataFrame(rows).sort_values("score", ascending=False, ignore_index=True)
    options = [name for name in frame.columns if name.startswith("option_")]
    shown = pd.DataFrame(
        {
            "Trial": frame["trial"],
            "Macro F1 (val)": frame["score"].map(percent),
            **{
                name.removeprefix("option_"): [
                    "default" if pd.isna(v) else value_in_words(v) for v in frame[name]
                ]
                for name in options
            },
        }
    )
    if frame["reason"].any():
        shown["Why it has no score"] = frame["reason"]
    return Table(
        "search",
        f"{name_of(search['contender'])}: trials of the search by macro F1 on the validation "
        "split, in per cent. No run of a search reads the test split.",
        frame,
        shown,
        {"Macro F1 (val)": "score"},
    )


def importance_table(search: dict[str, Any]) -> Table | None:
    """How much of the trials' spread the values of each option account for.

    Epsilon squared of a one-way analysis of variance: the share of the variance of the scores
    that lies between values, less what chance would put there; 0 or below is nothing. Whether it is
    more than chance is Kruskal and Wallis's test on ranks, which trials that collapsed do not rule.

    Args:
        search: What `search.json` holds.

    Returns:
        `Table`, or `None` where there are too few trials to tell.
    """
    table = search_table(search)
    frame = table.frame[table.frame["score"].notna()]
    rows = []
    for column in (name for name in frame.columns if name.startswith("option_")):
        tried = frame[frame[column].notna()]
        groups = [group["score"] for _, group in tried.groupby(column)]
        total = ((tried["score"] - tried["score"].mean()) ** 2).sum()
        free = len(tried) - len(groups)
        # Two trials a value and three beyond: what fewer show is chance, however large it looks.
        if len(groups) < 2 or free < 3 or len(tried) < 2 * len(groups) or total == 0:
            continue
        within = sum(((group - group.mean()) ** 2).sum() for group in groups)
        share = (total - within - (len(groups) - 1) * within / free) / total
        rows.append(
            {
                "option": column.removeprefix("option_"),
                "values": len(groups),
                "trials": len(tried),
                "importance": share,
                "p_holm": float(stats.kruskal(*groups).pvalue),
            }
        )
    if not rows:
        return None
    frame = pd.DataFrame(rows).sort_values("importance", ascending=False, ignore_index=True)
    frame["p_holm"] = holm(frame["p_holm"])
    resolved = frame.loc[is_resolved(frame), "option"].tolist()
    shown = pd.DataFrame(
        {
            "Option": frame["option"],
            "Values tried": frame["values"].astype(str),
            "Trials": frame["trials"].astype(str),
            "Share of the spread, %": frame["importance"].map(percent),
            "p (Kruskal–Wallis, Holm)": frame["p_holm"].map(p_in_words),
        }
    )
    return Table(
        "importance",
        "Share of the variance of the trials' scores that lies between the values of one option, "
        "less what chance would put there (epsilon squared). Each option by itself: what options "
        "do together is not in it, and trials that collapsed make most of the spread. "
        + (
            f"Resolved: {', '.join(resolved)}."
            if resolved
            else "No option is resolved from chance."
        ),
        frame,
        shown,
        {
            "Values tried": "values",
            "Trials": "trials",
            "Share of the spread, %": "importance",
            "p (Kruskal–Wallis, Holm)": "p_holm",
        },
    )


def is_resolved(frame: pd.DataFrame) -> pd.Series:
    """Whether each option of the frame of `importance_table` matters by more than chance."""
    return frame["p_holm"] <= LEVEL


@styled
def draw_trials(frame: pd.DataFrame) -> Figure:
    """Scores of a search's trials by their number, and the best so far.

    Args:
        frame: Frame of `search_table`.

    Returns:
        `matplotlib.figure.Figure`.
    """
    order = frame.assign(
        number=[int(trial) if trial.isdecimal() else 0 for trial in frame["trial"]]
    ).sort_values("number")
    order = order[order["score"].notna()]
    figure = Figure(figsize=(WIDTH, 2.8))
    axes = figure.subplots()
    axes.step(
        order["number"], order["score"].cummax(), where="post", color=COLOURS[1],
        label="best so far",
    )  # fmt: skip
    axes.plot(order["number"], order["score"], "o", color=COLOURS[0], markeredgecolor=PAPER)
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    percent_axis(axes.yaxis)
    axes.set_xlabel("trial (0: the defaults)")
    axes.set_ylabel("Macro F1 on validation, %")
    label_lines(axes)
    return figure


@styled
def draw_importance(frame: pd.DataFrame) -> Figure:
    """Importance of each option of a search as bars, from the frame of `importance_table`."""
    figure = Figure(figsize=(WIDTH, 0.9 + 0.32 * len(frame)))
    axes = figure.subplots()
    axes.barh(frame["option"], frame["importance"].clip(lower=0), color=COLOURS[0], height=0.6)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    percent_axis(axes.xaxis)
    axes.set_xlim(left=0)
    axes.set_xlabel("share of the spread of scores, %")
    return figure


@styled
def draw_parallel(frame: pd.DataFrame, options: Sequence[str] | None = None) -> Figure | None:
    """Trials of a search in parallel coordinates, coloured by score.

    Args:
        frame: Frame of `search_table`.
        options: Names of options, most important first, or `None`; `MOST_AXES` at most are drawn.

    Returns:
        `matplotlib.figure.Figure`, or `None` where no trial set an option.
    """
    columns = [name for name in frame.columns if name.startswith("option_")]
    columns = (columns if options is None else [f"option_{name}" for name in options])[:MOST_AXES]
    tried = frame[frame["score"].notna()].dropna(subset=columns, how="any")
    if not columns or tried.empty:
        return None
    figure = Figure(figsize=(WIDTH, 3.3))
    axes = figure.subplots()
    heights = {}
    for column in columns:
        values = sorted(set(tried[column]), key=lambda v: (isinstance(v, str), v))
        places = np.linspace(0, 1, len(values)) if len(values) > 1 else [0.5]
        heights[column] = dict(zip(values, places, strict=True))
    norm = Normalize(tried["score"].min(), tried["score"].max())
    for _, trial in tried.sort_values("score").iterrows():
        line = [heights[column][trial[column]] for column in columns]
        colour = matplotlib.colormaps["cividis"](norm(trial["score"]))
        axes.plot(range(len(columns)), line, color=colour, alpha=0.85, linewidth=1.6)
        if trial["trial"] == DEFAULTS:
            axes.plot(range(len(columns)), line, color=INK, linestyle="--", linewidth=1.2, zorder=3)
    for place, column in enumerate(columns):
        axes.axvline(place, color=EDGE, linewidth=0.8)
        shown = short_names(map(value_in_words, heights[column]))
        for text, height in zip(shown, heights[column].values(), strict=True):
            axes.text(
                place + 0.03,
                height,
                text,
                fontsize=7.5,
                va="center",
                bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1},
            )
    names = [name.removeprefix("option_").replace("_", "\n") for name in columns]
    axes.set_xticks(range(len(columns)), names)
    axes.set_xlim(-0.1, len(columns) - 0.4)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    mapped = matplotlib.cm.ScalarMappable(norm, "cividis")
    bar = figure.colorbar(mapped, ax=axes, fraction=0.03, pad=0.01)
    bar.ax.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{100 * value:.1f}"))
    bar.set_label("Macro F1 on validation, %", color=INK)
    bar.outline.set_visible(False)
    return figure
