"""What runs score, by model or by the value of a setting: frames, a table and figures.

Sections about models and settings share these; each also has what it alone shows.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion_keras.evaluation.scores import Score, summarize_scores
from emotion_keras.evaluation.sensitivity import NOISE
from reports.display.figure import (
    MUTED,
    PAPER,
    WIDTH,
    label_lines,
    percent_axis,
    series_style,
    short_names,
    styled,
    within_range,
)
from reports.display.models import look_of, name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import (
    METRICS,
    MORE_OF_SEVERAL,
    listed,
    or_nan,
    percent,
    value_in_words,
)
from reports.records import Records, Run

# The heading of the column of `with_spreads`.
SPREADS = "SD over seeds"

# What sentences call the metrics that they do not call by their headings.
_IN_WORDS = {"Accuracy": "accuracy", "Macro F1": "F1", "All labels right": "all labels right"}


def summarize(groups: Mapping[tuple, list[Run]], by: list[str]) -> pd.DataFrame:
    """Means over runs, with intervals over texts and seeds.

    Args:
        groups: Dictionary of lists of `Run` by tuples of what tells settings apart.
        by: Names of the members of these tuples.

    Returns:
        Data frame of a row a setting: `by`, `runs`, and for each metric of `METRICS`, and where
        several labels may hold of `MORE_OF_SEVERAL`, `_mean`, `_low`, `_high`
        and `_spread`, the standard deviation over seeds; see `Score`. What is unknown is missing.
    """
    return pd.DataFrame(
        dict(zip(by, at, strict=True)) | {"runs": len(runs)} | _columns(score_runs(runs))
        for at, runs in groups.items()
    )


def summarize_noise(frame: pd.DataFrame) -> pd.DataFrame:
    """What `summarize` gives, by model, kind and level of noise, from the frame of `runs_of_noise`.

    Intervals are missing: what was predicted of perturbed texts is not kept.
    """
    by, metrics = ["contender", "kind", "level"], list(METRICS)
    of_kind = frame.groupby(by, sort=False)
    # With folds, whose texts differ, several runs are of one seed.
    by_seed = frame.groupby([*by, "seed"], sort=False)[metrics].mean().groupby(by, sort=False)
    means = of_kind[metrics].mean().where(of_kind[metrics].count().eq(of_kind.size(), axis=0))
    found = {"mean": means, "low": np.nan, "high": np.nan, "spread": by_seed.std()}
    summary = of_kind.size().rename("runs").reset_index()
    for metric in metrics:
        for end, values in found.items():
            is_known = isinstance(values, pd.DataFrame)
            summary[f"{metric}_{end}"] = values[metric].to_numpy() if is_known else values
    return summary


def score_runs(runs: list[Run]) -> dict[str, Score]:
    """The scores of runs of one setting on the test split; see `summarize_scores`."""
    return _score_runs(tuple(runs))


@functools.lru_cache(maxsize=256)
def _score_runs(runs):
    # Several sections show the same models.
    return summarize_scores(
        [run.scores for run in runs], [run.seed for run in runs], [run.shares for run in runs]
    )


def _columns(scores):
    unknown = Score(*[None] * 4)
    return {
        f"{metric}_{end}": or_nan(value)
        for metric in (*METRICS, *(name for name in MORE_OF_SEVERAL if name in scores))
        for end, value in scores.get(metric, unknown)._asdict().items()
    }


def metrics_of(run: Run) -> dict[str, float]:
    """The metrics of a run on the test split, by name."""
    return {metric: or_nan(run.test[metric]) for metric in METRICS}


def runs_of_comparison(compared: dict[str, list[Run]]) -> pd.DataFrame:
    """A row a run: `contender`, `seed`, and its scores on the test split."""
    return pd.DataFrame(
        {"contender": name, "run": run.name, "seed": run.seed, **metrics_of(run)}
        for name, runs in compared.items()
        for run in runs
    )


def runs_of_points(points: dict[tuple[str, Any], list[Run]]) -> pd.DataFrame:
    """A row a run of an analysis: `contender`, `value`, `seed` and its scores."""
    return pd.DataFrame(
        {"contender": name, "value": value, "run": run.name, "seed": run.seed, **metrics_of(run)}
        for (name, value), runs in points.items()
        for run in runs
    )


def runs_of_noise(records: Records, points: dict[tuple[str, Any], list[Run]]) -> pd.DataFrame:
    """A row a run, kind and level of noise in texts, with level 0 for the texts as they are."""
    columns = {"kind": str, "level": float, **dict.fromkeys(METRICS, float)}
    rows = []
    for (name, value), runs in points.items():
        for run in runs if value == 0 else ():
            noises = records.read_beside(run, NOISE, columns)
            if noises is None:
                continue
            of_run = {"contender": name, "run": run.name, "seed": run.seed}
            for kind in noises["kind"].unique():
                rows.append({**of_run, "kind": kind, "level": 0.0, **metrics_of(run)})
            rows += [of_run | noise for noise in noises[list(columns)].to_dict("records")]
    frame = pd.DataFrame(rows)
    if frame.empty:
        return frame
    kinds = list(dict.fromkeys(frame["kind"]))
    return frame.sort_values(
        ["contender", "kind", "level"],
        key=lambda column: column.map(kinds.index) if column.name == "kind" else column,
        kind="stable",
        ignore_index=True,
    )


def sensitivity_table(
    name: str,
    title: dict[str, str],
    frame: pd.DataFrame,
    by: list[str],
    metrics: Mapping[str, str] = METRICS,
) -> Table:
    """What the runs of an analysis reach at each value.

    Args:
        name: The table's name.
        title: Heading by column of `by`.
        frame: What `summarize` gives.
        by: Names of the columns that tell settings apart.
        metrics: Headings by metric, in their order.

    Returns:
        `Table`.
    """
    shown = pd.DataFrame(
        {
            **{title[column]: [_in_words(column, v) for v in frame[column]] for column in by},
            "Runs": frame["runs"].astype(str),
            **{heading: with_intervals(frame, metric) for metric, heading in metrics.items()},
            SPREADS: with_spreads(frame, metrics),
        }
    )
    numbers = [column for column in by if pd.api.types.is_numeric_dtype(frame[column])]
    sort_by = {title[column]: column for column in numbers} | {"Runs": "runs"}
    sort_by |= {heading: f"{metric}_mean" for metric, heading in metrics.items()}
    caption = f"Test split, per cent: means over runs, {intervals_in_words(frame, metrics)}."
    return Table(name, caption, frame, shown, sort_by)


def _in_words(column, value):
    return name_of(value) if column == "contender" else value_in_words(value)


def with_intervals(frame: pd.DataFrame, metric: str) -> list[str]:
    """Cells of a metric from what `summarize` gives: the mean, and half of its interval."""

    def cell(row):
        mean, high = row[f"{metric}_mean"], row[f"{metric}_high"]
        half = "" if np.isnan(high) else f" ±{100 * (high - mean):.1f}"
        return percent(mean) + half

    return [cell(row) for _, row in frame.iterrows()]


def with_spreads(frame: pd.DataFrame, metrics: Mapping[str, str] = METRICS) -> list[str]:
    """Cells of the standard deviations over seeds, in points, from what `summarize` gives."""
    columns = frame[[f"{metric}_spread" for metric in metrics]]
    return [", ".join(map(percent, row)) for row in columns.itertuples(index=False)]


def intervals_in_words(frame: pd.DataFrame, metrics: Mapping[str, str] = METRICS) -> str:
    """What a caption says of the cells of `with_intervals` and `with_spreads`."""
    known = frame["accuracy_high"].notna().any()
    ends = "with 95 % intervals over texts and seeds" if known else "without intervals"
    named = listed(_IN_WORDS.get(metrics[metric], metrics[metric]) for metric in metrics)
    return f"{ends}; {SPREADS}: standard deviations of {named}"


@styled
def draw_scores(
    runs: pd.DataFrame,
    summary: pd.DataFrame,
    metric: str,
    name: str = "contender",
    paper: pd.Series | None = None,
    metrics: Mapping[str, str] = METRICS,
) -> Figure:
    """Scores by model or other name: every run a dot, the mean a marker, its interval a line.

    Args:
        runs: Data frame of a row a run, with columns `name` and `metric`.
        summary: Data frame of a row a name, in the order to show, with the columns `_mean`, `_low`
            and `_high` of the metric.
        metric: Key of `metrics`.
        name: Column of the names; `contender` gives each model its name and its look.
        paper: Values that the paper reports, as fractions in the order of `summary`, or `None`.
        metrics: What readers call the metrics.

    Returns:
        `matplotlib.figure.Figure`.
    """
    of_models = name == "contender"
    figure = Figure(figsize=(WIDTH, 0.8 + 0.29 * len(summary)))
    axes = figure.subplots()
    reported = np.full(len(summary), np.nan) if paper is None else paper.to_numpy(float)
    for row, (_, at) in enumerate(summary.iterrows()):
        look = look_of(at[name]) if of_models else series_style(0)
        colour, marker = look["color"], look["marker"]
        values = runs.loc[runs[name] == at[name], metric]
        # Below the mean, which would cover them.
        places = np.full(len(values), row + 0.27)
        axes.scatter(values, places, s=11, alpha=0.5, linewidths=0, color=colour, marker=marker)
        low, high = at[f"{metric}_low"], at[f"{metric}_high"]
        if not np.isnan(low):
            axes.plot([low, high], [row, row], color=colour, linewidth=2.2)
        axes.plot(
            at[f"{metric}_mean"], row, color=colour, marker=marker, linestyle="none",
            markersize=7, markeredgecolor=PAPER,
        )  # fmt: skip
        if not np.isnan(reported[row]):
            axes.plot(
                reported[row], row, "D", markersize=6, markerfacecolor="none",
                markeredgecolor=MUTED, label="the paper",
            )  # fmt: skip
    axes.set_yticks(
        range(len(summary)),
        short_names(map(name_of, summary[name]) if of_models else summary[name]),
    )
    # Room above the first row, where the paper's mark is named.
    axes.set_ylim(len(summary) - 0.5, -0.5 if np.isnan(reported).all() else -0.9)
    if not np.isnan(reported).all():
        row = int(np.flatnonzero(~np.isnan(reported))[0])
        axes.annotate(
            "the paper", (reported[row], row), (0, 7), textcoords="offset points",
            ha="center", fontsize=8, color=MUTED,
        )  # fmt: skip
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(within_range(axes.get_xlim()))
    percent_axis(axes.xaxis)
    axes.set_xlabel(f"{metrics[metric]} on the test split, %")
    return figure


@styled
def draw_curve(
    runs: pd.DataFrame,
    summary: pd.DataFrame,
    metric: str,
    value: str,
    label: str,
    logarithmic: bool = False,
    metrics: Mapping[str, str] = METRICS,
) -> Figure:
    """A score by the value of a setting: every run a dot, a line of means, a band of intervals.

    Args:
        runs: Data frame of a row a run, with `contender`, the column `value`, and `metric`.
        summary: Data frame of a row a contender and value.
        metric: Key of `metrics`.
        value: Column of the values.
        label: What the values are.
        logarithmic: Whether the axis of the values is.
        metrics: What readers call the metrics.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(WIDTH, 3.0))
    axes = figure.subplots()
    draw_curves(axes, runs, summary, metric, value)
    if logarithmic:
        axes.set_xscale("log")
    ticks = sorted(set(summary[value]))
    axes.set_xticks(ticks, [value_in_words(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(within_range(axes.get_ylim()))
    percent_axis(axes.yaxis)
    axes.set_xlabel(label)
    axes.set_ylabel(f"{metrics[metric]}, %")
    label_lines(axes)
    return figure


def draw_curves(
    axes: Axes, runs: pd.DataFrame, summary: pd.DataFrame, metric: str, value: str
) -> None:
    """Draws what `draw_curve` shows into existing axes."""
    # Limits are looked for once, at the end: panels that share axes would look at each other's.
    axes.set_autoscale_on(False)
    names = list(dict.fromkeys(summary["contender"]))
    for name, shown in zip(names, short_names(map(name_of, names)), strict=True):
        own = runs[runs["contender"] == name]
        means = summary[summary["contender"] == name].sort_values(value)
        look = look_of(name)
        dots = {key: look[key] for key in ("color", "marker")}
        axes.scatter(own[value], own[metric], s=12, alpha=0.5, linewidths=0, **dots)
        if means[f"{metric}_low"].notna().any():
            axes.fill_between(
                means[value], means[f"{metric}_low"], means[f"{metric}_high"],
                color=look["color"], alpha=0.16, linewidth=0,
            )  # fmt: skip
        axes.plot(
            means[value], means[f"{metric}_mean"], **look, markersize=5.5, markeredgecolor=PAPER,
            label=shown,
        )  # fmt: skip
    axes.autoscale()


def show_curves(
    page: Page,
    found: dict[tuple[str, Any], list[Run]],
    name: str,
    title: str,
    label: str | None = None,
    logarithmic: bool = False,
) -> dict[str, Any] | None:
    """Puts scores by the value of a setting on the page.

    Args:
        page: `Page`.
        found: Dictionary of lists of `Run` by pairs of contender and value.
        name: The name of the table and of the figures.
        title: What the values are, as a heading.
        label: What the values are, at the axis; `title` unless given.
        logarithmic: Whether that axis is.

    Returns:
        Dictionary of `table` and `pictures`; `None` where nothing was found.
    """
    if not found:
        return None
    runs = runs_of_points(found)
    summary = summarize(found, ["contender", "value"])
    metrics = next(iter(found.values()))[0].metrics
    titles = {"contender": "Model", "value": title}
    table = sensitivity_table(name, titles, summary, ["contender", "value"], metrics)
    return {
        "table": page.add_table(table),
        "pictures": page.by_metric(
            name,
            f"Line plot of {{}} on the test split by {title.lower()}: every run a dot, a line of "
            "means, a band of 95 % intervals over texts and seeds. The numbers are in the table "
            "below.",
            lambda metric: draw_curve(
                runs, summary, metric, "value", label or title, logarithmic, metrics
            ),
            metrics,
        ),
    }
