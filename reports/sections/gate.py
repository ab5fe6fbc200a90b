"""What other forms of the gate do, and other poolings; and what gates that close keep."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_keras.evaluation.selection import COLUMNS, Selection, selection_path
from emotion_keras.evaluation.sensitivity import NOISE
from reports.claims.claim import NOISE_LEVEL
from reports.claims.selection import Judged, judge_gates
from reports.claims.verdicts import Resolved, difference, resolve
from reports.display.figure import (
    PAPER,
    WIDTH,
    label_lines,
    percent_axis,
    series_style,
    set_title,
    styled,
    within_range,
)
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import METRICS, capitalized, interval, or_nan, p_in_words, percent
from reports.findings import Findings
from reports.paper import GATE
from reports.scores import draw_scores, runs_of_points, sensitivity_table, summarize

TITLE = "Gate"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts scores by form of the gate on the page; see `reports.sections`."""
    studied = findings.points["gate"]
    if not studied:
        return None
    # Of those that close, and of parts of the data, the second half of the section is.
    found = {
        at: runs for at, runs in studied.items() if not any(mark in at[1] for mark in (" ", "%"))
    }
    level = _noise_level([run for of_form in studied.values() for run in of_form], findings)
    judged = judge_gates(
        studied,
        lambda runs: _selection_of(runs, findings),
        lambda run: _noisy_accuracy(run, level, findings),
        level,
    )
    runs = runs_of_points(found)
    summary = summarize(found, ["contender", "value"])
    sections = []
    for name in dict.fromkeys(summary["contender"]):
        own = summary[summary["contender"] == name]
        of_name = runs[runs["contender"] == name]
        sections.append(
            {
                "contender": name,
                "pictures": page.by_metric(
                    page.new_name(f"gate_{name.partition('@')[2]}"),
                    f"Dot plot of {{}} of {name_of(name)} on the test split with each form of the "
                    "gate and of pooling: every run, the mean with its 95 % interval over "
                    f"{findings.modality.plural} and seeds.",
                    lambda metric, own=own, of_name=of_name: draw_scores(
                        of_name, own, metric, name="value", metrics=findings.metrics
                    ),
                    findings.metrics,
                ),
            }
        )
    differences = resolve(
        {
            (name, form): None if form == GATE else difference(of_form, found.get((name, GATE), []))
            for (name, form), of_form in found.items()
        }
    )
    right = findings.right
    table = gate_table(summary, differences, findings.modality.plural, findings.metrics, right)
    return {
        "table": page.add_table(table),
        "forms": sections,
        "sentences": judged.sentences,
        "selection": page.add_table(selection_table(judged, findings.modality.unit_plural, right)),
        "small": page.add_table(small_data_table(judged, right)),
        "pictures": [
            page.add_figure(
                f"gate_selection_{number}",
                f"Line plot of {right} of {name_of(name)} by the share of "
                f"{findings.modality.unit_plural} that the gate keeps: of whole "
                f"{findings.modality.plural}, of what is kept alone, of as much at random, and of "
                "what contributes most, with 95 % intervals. The numbers are in the table below.",
                figure,
            )
            for number, (name, figure) in enumerate(draw_selections(judged, right).items())
        ],
    }


def _selection_of(runs, findings):
    frames = [
        findings.records.read_beside(run, selection_path(run.directory).name, COLUMNS)
        for run in runs
    ]
    frames = [frame for frame in frames if frame is not None]
    return Selection(frames, runs[0].groups) if frames else None


def _read_noise(run, findings):
    columns = {"kind": str, "level": float, "accuracy": float}
    return findings.records.read_beside(run, NOISE, columns)


def _noise_level(runs, findings):
    """The level of noise that gates are judged at: the claims' own, or what runs were tested at."""
    frames = [frame for run in runs if (frame := _read_noise(run, findings)) is not None]
    levels = {level for frame in frames for level in frame["level"]}
    return NOISE_LEVEL if NOISE_LEVEL in levels else max(levels, default=NOISE_LEVEL)


def _noisy_accuracy(run, level, findings):
    frame = _read_noise(run, findings)
    if frame is None:
        return None
    at_level = frame.loc[frame["level"] == level, "accuracy"]
    return None if at_level.empty else float(at_level.mean())


# What is read, as lines of the figure.
_READ = {
    "all": "whole",
    "kept": "kept",
    "contribution": "largest contributions",
    "random": "random",
}


def draw_selections(judged: Judged, right: str = "accuracy") -> dict[str, Figure]:
    """Accuracy by the share of words kept, a figure a model, a panel a form of the gate."""
    return {
        name: _draw_selection(judged, name, right)
        for name in dict.fromkeys(judged.points[i].contender for i in judged.selections)
    }


@styled
def _draw_selection(judged, name, right):
    own = [i for i in judged.selections if judged.points[i].contender == name]
    forms = list(dict.fromkeys(judged.points[i].form for i in own))
    figure = Figure(figsize=(WIDTH, 0.6 + 2.6 * len(forms)))
    panels = figure.subplots(len(forms), squeeze=False, sharex=True)[:, 0]
    for axes, form in zip(panels, forms, strict=True):
        kept = sorted(
            (judged.selections[i] for i in own if judged.points[i].form == form),
            key=lambda selection: selection.share,
        )
        shares = [selection.share for selection in kept]
        for number, (chosen, label) in enumerate(_READ.items()):
            found = [selection.accuracy("own", chosen) for selection in kept]
            means, low, high = zip(*found, strict=True)
            style = series_style(number)
            axes.fill_between(shares, low, high, color=style["color"], alpha=0.14, linewidth=0)
            axes.plot(shares, means, **style, markersize=5.5, markeredgecolor=PAPER, label=label)
        set_title(axes, form.replace("_", " "))
        percent_axis(axes.yaxis)
        percent_axis(axes.xaxis)
        axes.set_ylabel(f"{capitalized(right)}, %")
        axes.set_ylim(within_range(axes.get_ylim()))
        label_lines(axes)
    panels[-1].set_xlabel("Share of the words that the gate keeps, %")
    return figure


def selection_table(judged: Judged, units: str, right: str = "accuracy") -> Table | None:
    """What each gate keeps, and what it costs or gains."""
    rows, shown = [], []
    for i, point in enumerate(judged.points):
        if point.ratio < 1 or (point.keep == 1 and judged.lost.get(i) is None):
            continue
        kept = judged.selections.get(i)
        parts = {
            "accuracy": judged.accuracy.get(i),
            "beyond_random": judged.beyond.get((i, "random")),
            "beyond_contribution": judged.beyond.get((i, "contribution")),
            "plain_beyond_random": judged.plain_beyond.get((i, "random")),
            "plain_beyond_contribution": judged.plain_beyond.get((i, "contribution")),
            "lost_under_noise": judged.lost.get(i),
        }
        alone = None if kept is None else kept.accuracy("own", "kept")[0]
        rows.append(
            {
                "contender": point.contender,
                "form": point.form,
                "keep": point.keep,
                "runs": len(point.runs),
                "kept": np.nan if kept is None else kept.share,
                "kept_alone": or_nan(alone),
                **{
                    f"{name}{end}": np.nan if one is None else getattr(one.difference, key)
                    for name, one in parts.items()
                    for end, key in (("", "difference"), ("_low", "low"), ("_high", "high"))
                },
                **{
                    f"{name}_p_holm": np.nan if one is None else one.p_holm
                    for name, one in parts.items()
                },
            }
        )
        shown.append(
            {
                "Model": name_of(point.contender),
                "Gate": point.name,
                "Runs": str(len(point.runs)),
                "Kept, %": percent(rows[-1]["kept"]),
                "Beyond no gate": _cell(parts["accuracy"]),
                "Kept alone, %": percent(alone),
                "beyond random": _cell(parts["beyond_random"]),
                "beyond contributions": _cell(parts["beyond_contribution"]),
                "Other reader, beyond random": _cell(parts["plain_beyond_random"]),
                "Other reader, beyond contributions": _cell(parts["plain_beyond_contribution"]),
                "Lost under noise beyond no gate": _cell(parts["lost_under_noise"]),
            }
        )
    if not rows:
        return None
    caption = (
        f"Gates that close: the share of {units} that they keep, {right} beyond the same model "
        f"without a gate, and {right} on the kept {units} alone, beyond as many random ones and "
        "beyond those that contribute most in the model with the paper's gate, which is the other "
        "reader. Points with 95 % intervals over texts and seeds, of noise over seeds; * resolved "
        "after Holm's correction within a column."
    )
    return Table("gate_selection", caption, pd.DataFrame(rows), pd.DataFrame(shown))


def small_data_table(judged: Judged, right: str = "accuracy") -> Table | None:
    """What gates add on parts of the training split."""
    on_parts = [(i, judged.points[i]) for i in judged.accuracy if judged.points[i].ratio < 1]
    if not on_parts:
        return None
    rows = [
        {
            "contender": point.contender,
            "form": point.form,
            "keep": point.keep,
            "ratio": point.ratio,
            "runs": len(point.runs),
            "accuracy": np.mean([run.test["accuracy"] for run in point.runs]),
            **{
                key: np.nan if (one := judged.accuracy[i]) is None else getattr(one.difference, key)
                for key in ("difference", "low", "high")
            },
        }
        for i, point in on_parts
    ]
    shown = [
        {
            "Model": name_of(point.contender),
            "Data, %": f"{100 * point.ratio:g}",
            "Gate": point.name,
            "Runs": str(len(point.runs)),
            capitalized(right): percent(row["accuracy"]),
            "Beyond no gate": _cell(judged.accuracy[i]),
        }
        for (i, point), row in zip(on_parts, rows, strict=True)
    ]
    caption = (
        f"Gates with few training texts: {right}, and how much it is beyond the same model without "
        "a gate on the same part of the training split, in points with 95 % intervals over texts "
        "and seeds; * resolved after Holm's correction."
    )
    return Table("gate_small_data", caption, pd.DataFrame(rows), pd.DataFrame(shown))


def _cell(found):
    if found is None:
        return "–"
    one = found.difference
    mark = " *" if found.is_resolved else ""
    ends = interval(one.low, one.high, signed=True)
    return f"{percent(one.difference, signed=True)} ({ends}){mark}"


def gate_table(
    frame: pd.DataFrame,
    differences: dict[tuple[str, str], Resolved | None],
    plural: str,
    metrics: Mapping[str, str] = METRICS,
    right: str = "accuracy",
) -> Table:
    """What the runs reach with each form of the gate, and how much beyond the paper's form.

    Args:
        frame: What `summarize` gives by `contender` and `value`.
        differences: Dictionary of `Resolved`, or `None` where it is unknown, by pairs of
            contender and form.
        plural: What the examples are called.
        metrics: Headings by metric, in their order.
        right: What the share of examples is called that are answered rightly.

    Returns:
        `Table`.
    """
    table = sensitivity_table(
        "gate",
        {"contender": "Model", "value": "Gate or pooling"},
        frame,
        ["contender", "value"],
        metrics,
    )
    found = [differences[at] for at in zip(frame["contender"], frame["value"], strict=True)]
    frame = table.frame.assign(
        **{
            key: [np.nan if one is None else getattr(one.difference, key) for one in found]
            for key in ("difference", "low", "high")
        },
        p_holm=[np.nan if one is None else one.p_holm for one in found],
    )
    shown = table.shown.assign(
        **{
            f"Beyond {GATE}, points": [
                "–"
                if one is None
                else f"{percent(one.difference.difference, signed=True)} "
                f"({interval(one.difference.low, one.difference.high, signed=True)})"
                for one in found
            ],
            "p (Holm)": frame["p_holm"].map(p_in_words),
        }
    )
    caption = (
        f"{table.caption} Beyond {GATE}, the paper's gate: difference in {right} on the "
        f"same {plural} with its 95 % interval over {plural} and seeds; p of all of them together "
        "after Holm's correction."
    )
    return Table("gate", caption, frame, shown, {**table.sort_by, "p (Holm)": "p_holm"})
