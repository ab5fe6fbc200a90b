"""Modalities: what a model of several loses without each, and which decides for which label."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_keras import record
from emotion_keras.evaluation.comparison import correct_by_text, difference_of
from emotion_keras.evaluation.predictions import probability_columns
from emotion_keras.inputs import modality_of
from emotion_keras.record.names import ADDED, WITHOUT
from reports.display.figure import (
    INK,
    PAPER,
    WIDTH,
    add_legend,
    series_style,
    short_names,
    styled,
)
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import capitalized, interval, percent
from reports.findings import Findings
from reports.records import Records, Run

TITLE = "Modalities"

# Whose score modalities add to, where one label holds and where several may.
_OF = {False: "label that is answered", True: "most probable label"}


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts what each modality does on the page; see `reports.sections`."""
    names = [part.name for part in modality_of(findings.part.runs[0].record).parts()]
    if len(names) < 2:
        return None
    found = {}
    for contender, runs in findings.compared.items():
        frames = [read_modalities(findings.records, run, names) for run in runs]
        if frames and all(frame is not None for frame in frames):
            found[contender] = pd.concat(frames, ignore_index=True)
    if not found:
        return {"table": None, "picture": None}
    groups = findings.part.runs[0].groups
    table = modalities_table(found, names, groups, findings.right)
    explained = {
        contender: frame for contender, frame in found.items() if f"{ADDED}{names[0]}" in frame
    }
    section: dict[str, Any] = {"table": page.add_table(table), "picture": None, "shares": None}
    if explained:
        contender, frame = next(iter(explained.items()))
        said = "finds most probable" if findings.several else "answers"
        shares = shares_table(frame, names, name_of(contender), findings.several)
        section["contender"] = contender
        section["shares"] = page.add_table(shares)
        section["picture"] = page.add_figure(
            "modality_shares",
            f"Bars of what {' and '.join(names)} add to the score of the label that "
            f"{name_of(contender)} {said}, by label, means over the test split. The "
            "numbers are in the table below.",
            draw_shares(shares.frame, names, findings.several),
        )
    return section


def read_modalities(records: Records, run: Run, names: list[str]) -> pd.DataFrame | None:
    """What a run's answers are without each modality, with the true labels.

    Args:
        records: `Records`.
        run: `Run`.
        names: Names of the modalities.

    Returns:
        Data frame of a row an example of the test split: `id`, `run`, `seed`, `split`, `label`,
        `predicted`, `explained`, the label that modalities add to, and columns that begin with
        `without:` and `added:`; `None` where the run did not keep them.
    """
    columns: dict[str, type] = {
        "id": str,
        "predicted": str,
        **{f"{WITHOUT}{name}": str for name in names},
    }
    path = run.directory / record.MODALITIES
    if run.predictions is None or not path.exists():
        return None
    added = [f"{ADDED}{name}" for name in names]
    with open(path, encoding="utf-8") as file:
        if added[0] in file.readline():
            columns |= dict.fromkeys(added, float)
    frame = records.read_beside(run, record.MODALITIES, columns)
    if frame is None:
        return None
    tested = run.predictions[run.predictions["split"] == "test"]
    probabilities = tested[probability_columns(run.labels)].to_numpy()
    explained = np.array(run.labels)[run.target.explained(probabilities)]
    tested = tested[["id", "label"]].assign(explained=explained)
    return frame.merge(tested, on="id").assign(run=run.name, seed=run.seed, split="test")


def modalities_table(
    found: dict[str, pd.DataFrame],
    names: list[str],
    groups: dict[str, str],
    right: str = "accuracy",
) -> Table:
    """Accuracy with all modalities and without each, with the difference.

    Args:
        found: Data frames of `read_modalities`, of all runs, by contender.
        names: Names of the modalities.
        groups: The subject of each example by id.
        right: What the share of examples is called that are answered rightly.
    """
    rows = []
    for contender, frame in found.items():
        whole = correct_by_text([frame])
        row = {"contender": contender, "accuracy": _accuracy(frame)}
        for name in names:
            without = frame.assign(predicted=frame[f"{WITHOUT}{name}"].fillna(""))
            correct = correct_by_text([without])
            lost = difference_of(correct, whole, groups)
            row |= {
                f"without_{name}": _accuracy(without),
                f"without_{name}_difference": lost.difference,
                f"without_{name}_low": lost.low,
                f"without_{name}_high": lost.high,
            }
        rows.append(row)
    frame = pd.DataFrame(rows)
    shown = {"Model": frame["contender"].map(name_of), "All, %": frame["accuracy"].map(percent)}
    sort_by = {"All, %": "accuracy"}
    for name in names:
        column = f"Without {name}, %"
        shown[column] = frame[f"without_{name}"].map(percent)
        sort_by[column] = f"without_{name}"
        ends = zip(frame[f"without_{name}_low"], frame[f"without_{name}_high"], strict=True)
        differences = frame[f"without_{name}_difference"]
        shown[f"Difference without {name}"] = [
            f"{percent(value, True)} ({interval(*pair, True)})"
            for value, pair in zip(differences, ends, strict=True)
        ]
    caption = (
        f"{capitalized(right)} on the test split with all modalities and without each, for which "
        "the models were not trained again: means over runs, and differences by example with 95 % "
        "intervals over examples and seeds. An example with nothing left counts as wrong."
    )
    return Table("modalities", caption, frame, pd.DataFrame(shown), sort_by)


def _accuracy(frame):
    """The mean over runs, as everywhere on the page."""
    return (frame["label"] == frame["predicted"]).groupby(frame["run"]).mean().mean()


def shares_table(
    frame: pd.DataFrame, names: list[str], contender: str, several: bool = False
) -> Table:
    """What each modality adds to the score of the label that is answered, by this label.

    Args:
        frame: Data frame of `read_modalities`, of all runs.
        names: Names of the modalities.
        contender: The model's name, for the caption.
        several: Whether several labels may hold of an example: then it is of the most probable one.
    """
    if several:
        frame = frame.assign(predicted=frame["explained"])
    added = [f"{ADDED}{name}" for name in names]
    by_label = frame.groupby("predicted", sort=False)[added].mean()
    most = frame[added].to_numpy().argmax(axis=1)
    means = by_label.rename(columns=dict(zip(added, names, strict=True))).reset_index()
    means["examples"] = frame["predicted"].value_counts().loc[means["predicted"]].to_numpy()
    for position, name in enumerate(names):
        leads = pd.Series(most == position).groupby(frame["predicted"].to_numpy()).mean()
        means[f"{name}_leads"] = leads.loc[means["predicted"]].to_numpy()
    shown = {"Label": means["predicted"], "Answers": means["examples"].map("{:,}".format)}
    sort_by = {"Answers": "examples"}
    for name in names:
        shown[f"Added by {name}"] = [f"{value:+.2f}".replace("-", "−") for value in means[name]]
        shown[f"{name.capitalize()} adds most, %"] = means[f"{name}_leads"].map(percent)
        sort_by |= {f"Added by {name}": name}
        sort_by |= {f"{name.capitalize()} adds most, %": f"{name}_leads"}
    caption = (
        f"{contender}: what each modality adds to the score of the {_OF[several]}, means "
        "over the test split and all runs, and how often it adds most. With the constant of the "
        "label they are the score."
    )
    return Table("modality_shares", caption, means, pd.DataFrame(shown), sort_by)


@styled
def draw_shares(frame: pd.DataFrame, names: list[str], several: bool = False) -> Figure:
    """Bars of what each modality adds to the score, by label.

    Args:
        frame: Data frame of a row a label: `predicted`, and a column by the name of each modality.
        names: Names of the modalities.
        several: Whether several labels may hold of an example.

    Returns:
        `matplotlib.figure.Figure`.
    """
    figure = Figure(figsize=(WIDTH, 1.2 + 0.25 * (len(names) + 1) * len(frame)))
    axes = figure.subplots()
    height = 0.8 / len(names)
    for number, name in enumerate(names):
        places = np.arange(len(frame)) + height * (number - (len(names) - 1) / 2)
        axes.barh(
            places, frame[name], height, color=series_style(number)["color"], edgecolor=PAPER,
            hatch=("", "////", "....", "xxxx")[number % 4], label=name,
        )  # fmt: skip
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(frame)), short_names(frame["predicted"]))
    axes.set_ylim(len(frame) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"mean contribution to the score of the {_OF[several]}")
    add_legend(figure, axes, columns=len(names))
    return figure
