"""What protocols found in papers make of a number, and which of them reach the paper's."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_keras.data.flaws import FLAWS, LABELS_ON_TEST
from emotion_keras.evaluation.predictions import probability_columns
from reports.display.figure import (
    MUTED,
    PAPER,
    WIDTH,
    add_legend,
    percent_axis,
    styled,
    within_range,
)
from reports.display.models import look_of, name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import METRICS, listed, percent
from reports.findings import Findings, analyses
from reports.paper import OURS as PAPERS_MODEL
from reports.paper import TABLE_1
from reports.records import OURS, PROTOCOL, SENSITIVITY, Part, Run
from reports.scores import runs_of_points, sensitivity_table, summarize

TITLE = "Protocol"

FLAW_MARK = "†"

# The paper does not say which F1 it means.
_SAID = {"accuracy": "an accuracy", "macro_f1": "an F1", "auc": "an AUC"}


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts scores by protocol on the page; see `reports.sections`."""
    found = findings.points[PROTOCOL]
    if not found:
        return None
    recorded = recorded_points(findings.part)
    frame = protocol_frame(found, recorded)
    runs = runs_of_points(found)
    # The paper's numbers are of ISEAR alone; see `reports.paper.is_about`.
    papers = dict(zip(METRICS, TABLE_1[PAPERS_MODEL][1:], strict=True))
    paper = papers if findings.with_paper else None
    return {
        "answer": paper and answer(frame, paper),
        "pictures": page.by_metric(
            PROTOCOL,
            "Dot plot of {} on the test split of each protocol: every run, the mean with its 95 % "
            f"interval over {findings.modality.plural} and seeds"
            f"{', and the value of the paper as a line' if paper else ''}. The numbers are in the "
            "table below.",
            lambda metric: draw_protocols(
                runs, frame, metric, paper and paper[metric], findings.metrics
            ),
            findings.metrics,
        ),
        "table": page.add_table(
            protocol_table(frame, paper, findings.modality.plural, findings.metrics)
        ),
        "flaws": flaws_in_words(frame),
    }


def recorded_points(part: Part) -> dict[tuple[str, str], dict[str, Any]]:
    """What the analysis has kept of each protocol, by pairs of contender and protocol.

    Args:
        part: `Part`.
    """
    return {
        (point["contender"], point["value"]): point
        for study in analyses(part, PROTOCOL)
        for point in study.files[SENSITIVITY]["points"]
    }


def flaws_in_words(frame: pd.DataFrame) -> dict[str, str]:
    """What is wrong with each protocol that has flaws, of whichever model, by its name in words.

    Args:
        frame: What `protocol_frame` gives.
    """
    flawed = frame[frame["flaws"] != ""]
    named = {
        protocol: {name for flaws in rows["flaws"] for name in flaws.split()}
        for protocol, rows in flawed.groupby("protocol", sort=False)
    }
    return {
        protocol: "; ".join(said for name, said in FLAWS.items() if name in names)
        for protocol, names in named.items()
    }


def protocol_in_words(value: str, flaws: Collection[str]) -> str:
    """What readers call a protocol, with a mark where its numbers are no honest ones."""
    return f"{value.replace('_', ' ')}{f' {FLAW_MARK}' if flaws else ''}"


def protocol_frame(
    found: Mapping[tuple[str, str], list[Run]], recorded: Mapping[tuple[str, str], dict[str, Any]]
) -> pd.DataFrame:
    """What runs reach under each protocol.

    Args:
        found: Dictionary of lists of `Run` by pairs of contender and protocol.
        recorded: What `recorded_points` gives: flaws, and the intervals of runs whose predictions
            are missing.

    Returns:
        Data frame of what `summarize` gives by `contender` and `value`, with `protocol` in words,
        `flaws` as names with blanks between them, `labels`, how many, `seen`, the share of the test
        examples that are in training, too, and `among`, see `accuracy_among`.
    """
    rows = []
    for (contender, value), runs in found.items():
        of_value = recorded[contender, value].get("flaws", [])
        protocols = [run.record["corpus"]["protocol"] for run in runs]
        ours = found.get((contender, OURS), [])
        is_ours_but_labels = value != OURS and set(of_value) <= {LABELS_ON_TEST}
        rows.append(
            {
                "protocol": protocol_in_words(value, of_value),
                "flaws": " ".join(of_value),
                "labels": len(runs[0].labels),
                "seen": np.mean(
                    [p.get("num_test_cells_in_train", 0) / p["num_test"] for p in protocols]
                ),
                "among": accuracy_among(ours, runs[0].labels) if is_ours_but_labels else np.nan,
            }
        )
    kept = pd.DataFrame([_ends(recorded[at]) for at in found]).astype(float)
    frame = summarize(found, ["contender", "value"]).fillna(kept)
    return pd.concat([frame, pd.DataFrame(rows)], axis=1)


def _ends(point):
    """The ends of the intervals of a point, by column of `summarize`."""
    return {
        f"{metric}_{end}": point.get("test", {}).get(metric, {}).get(end)
        for metric in METRICS
        for end in ("low", "high")
    }


def accuracy_among(runs: Sequence[Run], labels: Sequence[str]) -> float:
    """How often runs would be right if they were asked to choose among some labels alone.

    Args:
        runs: Runs that were trained on more labels.
        labels: Names of those to choose among.

    Returns:
        Mean over runs of the accuracy on the test examples of these labels; NaN where several
        labels may hold of an example, and models do not choose among them, and where predictions
        are missing.
    """
    found = []
    for run in runs:
        if run.predictions is None or run.target.several:
            return np.nan
        rows = run.predictions
        rows = rows[(rows["split"] == "test") & rows["label"].isin(labels)]
        best = rows[probability_columns(labels)].to_numpy().argmax(axis=1)
        found.append(np.mean(np.array(labels)[best] == rows["label"].to_numpy()))
    return float(np.mean(found)) if found else np.nan


def reached(row: Any, paper: Mapping[str, float]) -> list[str]:
    """The metrics in which a row of `protocol_frame` is at least what the paper reports."""
    return [metric for metric, value in paper.items() if row[f"{metric}_mean"] >= value]


def answer(frame: pd.DataFrame, paper: Mapping[str, float]) -> str:
    """Which protocols reach what the paper reports in all its metrics at once: sentences.

    Args:
        frame: What `protocol_frame` gives.
        paper: Fractions by metric of `METRICS`.
    """
    reports = listed(f"{_SAID[metric]} of {percent(value)}" for metric, value in paper.items())
    reaching = frame[[len(reached(row, paper)) == len(paper) for _, row in frame.iterrows()]]
    said = f"The paper reports {reports}. "
    if reaching.empty:
        return f"{said}None of these protocols reaches all of them at once with these models."
    named = [
        f"{protocol} ({listed(map(name_of, rows['contender']))})"
        for protocol, rows in reaching.groupby("protocol", sort=False)
    ]
    said += f"All of them at once are reached by: {'; '.join(named)}."
    everything = frame["labels"].max()
    if not ((reaching["flaws"] == "") & (reaching["labels"] == everything)).any():
        said += f" None of these is about all {everything} labels and without flaws."
    return said


def protocol_table(
    frame: pd.DataFrame,
    paper: Mapping[str, float] | None,
    plural: str,
    metrics: Mapping[str, str] = METRICS,
) -> Table:
    """What runs reach under each protocol, and whether that is what the paper reports.

    Args:
        frame: What `protocol_frame` gives.
        paper: Fractions by metric of `METRICS`, or `None` where the paper is about other data.
        plural: What the examples are called.
        metrics: Headings by metric, in their order.

    Returns:
        `Table`.
    """
    titles = {"contender": "Model", "value": "Protocol"}
    table = sensitivity_table(PROTOCOL, titles, frame, list(titles), metrics)
    seen, among = "Test in training", "Ours among these"
    shown = table.shown.assign(Protocol=frame["protocol"])
    shown.insert(2, "Labels", frame["labels"].astype(str))
    shown[seen] = frame["seen"].map(percent)
    sort_by = {**table.sort_by, "Labels": "labels", seen: "seen"}
    caption = (
        f"{table.caption} Each seed has a split of its own. {FLAW_MARK}: no honest number. {seen}: "
        f"per cent of the test {plural} that are in the training split as well."
    )
    # Where several labels may hold, models do not choose among them.
    if metrics is METRICS:
        shown[among] = frame["among"].map(percent)
        sort_by[among] = "among"
        caption += (
            f" {among}: accuracy of the runs with all labels, if they choose among these alone, on "
            f"the {plural} of these."
        )
    if paper:
        shown["Reaches the paper's"] = [
            listed(METRICS[metric] for metric in reached(row, paper)) or "–"
            for _, row in frame.iterrows()
        ]
    return Table(PROTOCOL, caption, table.frame, shown, sort_by)


@styled
def draw_protocols(
    runs: pd.DataFrame,
    frame: pd.DataFrame,
    metric: str,
    paper: float | None,
    metrics: Mapping[str, str] = METRICS,
) -> Figure:
    """Scores by protocol, the models below each other: every run a dot, means with intervals.

    Args:
        runs: Data frame of a row a run, with `contender`, `value` and `metric`.
        frame: What `protocol_frame` gives.
        metric: Key of `metrics`.
        paper: What the paper reports, or `None`.
        metrics: What readers call the metrics.

    Returns:
        `matplotlib.figure.Figure`.
    """
    protocols = frame.drop_duplicates("value")
    contenders = list(dict.fromkeys(frame["contender"]))
    step = 0.7 / len(contenders)
    figure = Figure(figsize=(WIDTH, 1.1 + len(protocols) * (0.14 + 0.1 * len(contenders))))
    axes = figure.subplots()
    if paper is not None:
        axes.axvline(paper, color=MUTED, linestyle=(0, (4, 3)), linewidth=1, label="the paper")
    for row, value in enumerate(protocols["value"]):
        for number, contender in enumerate(contenders):
            own = frame[(frame["value"] == value) & (frame["contender"] == contender)]
            if own.empty:
                continue
            look = {key: look_of(contender)[key] for key in ("color", "marker")}
            place = row + step * (number - (len(contenders) - 1) / 2)
            of_runs = runs[(runs["value"] == value) & (runs["contender"] == contender)][metric]
            axes.scatter(of_runs, [place] * len(of_runs), s=9, alpha=0.4, linewidths=0, **look)
            mean, low, high = (own.iloc[0][f"{metric}_{end}"] for end in ("mean", "low", "high"))
            axes.plot([low, high], [place, place], color=look["color"], linewidth=1.6)
            axes.plot(
                mean, place, **look, linestyle="none", markersize=5.5, markeredgecolor=PAPER,
                label=name_of(contender),
            )  # fmt: skip
    axes.set_yticks(range(len(protocols)), protocols["protocol"])
    axes.set_ylim(len(protocols) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(within_range(axes.get_xlim()))
    percent_axis(axes.xaxis)
    axes.set_xlabel(f"{metrics[metric]}, %")
    add_legend(figure, axes, columns=2)
    return figure
