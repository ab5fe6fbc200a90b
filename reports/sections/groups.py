"""Groups: how good the best model is by what is known of examples, such as a writer's country."""

import contextlib
import functools
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_keras.errors import UserError
from emotion_keras.evaluation.attributes import (
    FEWEST_EXAMPLES,
    FEWEST_SUBJECTS,
    Group,
    in_words,
    score_groups,
)
from emotion_keras.evaluation.predictions import read_attributes
from reports.display.figure import (
    COLOURS,
    EDGE,
    MUTED,
    PAPER,
    WIDTH,
    percent_axis,
    set_title,
    short_names,
    styled,
)
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import capitalized, count, or_nan, p_in_words, percent
from reports.findings import Findings
from reports.records import Run

TITLE = "Groups"

# The panels of the figure, and the limits of what each shows.
_MEASURES = {
    "accuracy": ("accuracy, %", 0, 1),
    "overconfidence": ("overconfidence, points", -1, 1),
}

_CONFIDENCE = (
    "; confident is a model of all labels together, by the probability that all are right if they "
    "did not depend on each other"
)


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts accuracy and calibration by group on the page; see `reports.sections`."""
    runs = findings.compared.get(findings.best, [])
    found = find_groups(runs, findings.part.runs)
    if not found:
        return None
    plural = findings.modality.plural
    frame = groups_frame(found)
    what = findings.right if findings.several else "the accuracy"
    return {
        "sentences": in_words(found, plural, capitalized(findings.right)),
        "groups": page.add_table(
            groups_table(frame, name_of(findings.best), plural, findings.several)
        ),
        "picture": page.add_figure(
            "groups",
            f"Dot plot of {what} of {name_of(findings.best)} by group, and of how much its "
            "confidence is above that, with 95 % intervals. The numbers are in the table below.",
            draw_groups(frame, findings.right),
        ),
    }


def find_groups(runs: list[Run], knowing: list[Run]) -> list[Group]:
    """How good a model is by group.

    Args:
        runs: List of `Run`, all of the model.
        knowing: List of `Run` on the same data, whose folders say the attributes of examples.

    Returns:
        What `score_groups` gives; empty where predictions are missing, or no attribute is known.
    """
    return _find_groups(tuple(runs), tuple(knowing))


@functools.lru_cache(maxsize=4)
def _find_groups(runs, knowing):
    # The model card shows the same groups.
    known = []
    for run in knowing:
        # Of a broken file the page says that it was skipped.
        with contextlib.suppress(UserError):
            known.append(read_attributes(run.directory))
    attributes = pd.concat(known) if known else pd.DataFrame()
    judged = [run.judged for run in runs]
    if attributes.columns.empty or not judged or not all(judged):
        return []
    attributes = attributes[~attributes.index.duplicated()].fillna("")
    of_test = [of_run["test"] for of_run in judged]
    return score_groups(of_test, [run.seed for run in runs], attributes, runs[0].groups)


def groups_frame(found: list[Group]) -> pd.DataFrame:
    """What `score_groups` gives as a frame: a row a group."""
    rows = []
    for group in found:
        row = {
            "attribute": group.attribute,
            "group": group.value,
            "examples": group.num_examples,
            "subjects": group.num_subjects,
        }
        for name in ("accuracy", "ece", "overconfidence"):
            for end, value in getattr(group, name)._asdict().items():
                row[f"{name}_{end}"] = or_nan(value)
        for name in ("accuracy", "overconfidence"):
            compared = getattr(group, f"{name}_beyond")
            ends = ("difference", "low", "high", "p_value")
            found_ends = [np.nan] * 4 if compared is None else compared.difference
            row |= {f"{name}_beyond_{end}": v for end, v in zip(ends, found_ends, strict=True)}
            row[f"{name}_beyond_p_holm"] = np.nan if compared is None else compared.p_holm
            row[f"{name}_resolved"] = compared is not None and compared.is_resolved
        rows.append(row)
    return pd.DataFrame(rows)


def groups_table(frame: pd.DataFrame, name: str, plural: str, several: bool = False) -> Table:
    """Accuracy and calibration by group.

    Args:
        frame: What `groups_frame` gives.
        name: What readers call the model that it is of.
        plural: What examples are called.
        several: Whether several labels may hold of an example, which is right if all are.

    Returns:
        `Table` of a row a group.
    """
    right = "All labels right" if several else "Accuracy"
    less = "the share with all labels right" if several else "the accuracy"
    with_people = (frame["subjects"] < frame["examples"]).any()
    columns = {
        "Attribute": frame["attribute"],
        "Group": frame["group"],
        plural.capitalize(): frame["examples"].map(count),
        "People": frame["subjects"].map(count),
        right: _with_halves(frame, "accuracy_mean", "accuracy_high"),
        "Against the rest": _with_halves(
            frame, "accuracy_beyond_difference", "accuracy_beyond_high", signed=True
        ),
        "p (Holm)": frame["accuracy_beyond_p_holm"].map(p_in_words),
        "ECE": _with_halves(frame, "ece_mean", "ece_high"),
        "Overconfidence": _with_halves(
            frame, "overconfidence_mean", "overconfidence_high", signed=True
        ),
    }
    sort_by = {
        plural.capitalize(): "examples",
        "People": "subjects",
        right: "accuracy_mean",
        "Against the rest": "accuracy_beyond_difference",
        "p (Holm)": "accuracy_beyond_p_holm",
        "ECE": "ece_mean",
        "Overconfidence": "overconfidence_mean",
    }
    if not with_people:
        del columns["People"], sort_by["People"]
    bold = {
        (row, heading)
        for measure, heading in (
            ("accuracy", "Against the rest"),
            ("overconfidence", "Overconfidence"),
        )
        for row in np.flatnonzero(frame[f"{measure}_resolved"])
    }
    together = ", in which those of one person count together" if with_people else ""
    few_people = f" or of {FEWEST_SUBJECTS} people" if with_people else ""
    caption = (
        f"{name} by what is known of the test {plural}, per cent: means over runs, with half of "
        f"95 % intervals over {plural} and seeds{together}. The rest are the other {plural} of "
        "which the attribute is known; p is corrected for all comparisons of this table, and in "
        "bold is what differs from the rest. Overconfidence is the mean confidence, after "
        f"temperature scaling, less {less}{_CONFIDENCE * several}. Where one side has fewer than "
        f"{FEWEST_EXAMPLES} {plural}{few_people}, nothing is compared; of few {plural} the "
        "expected calibration error (ECE) is large by chance alone. Groups may differ in their "
        "labels, too."
    )
    return Table("groups", caption, frame, pd.DataFrame(columns), sort_by, frozenset(bold))


def _with_halves(frame, name, high, signed=False):
    return [
        percent(mean, signed) + ("" if np.isnan(end) else f" ±{100 * (end - mean):.1f}")
        for mean, end in zip(frame[name], frame[high], strict=True)
    ]


@styled
def draw_groups(frame: pd.DataFrame, right: str = "accuracy") -> Figure:
    """Accuracy and overconfidence by group, a row of panels an attribute.

    Args:
        frame: What `groups_frame` gives.
        right: What the share of examples is called that are answered rightly.

    Returns:
        `matplotlib.figure.Figure`. Filled dots are of groups that were compared; blue ones differ
        from the rest.
    """
    attributes = list(dict.fromkeys(frame["attribute"]))
    heights = [(frame["attribute"] == name).sum() for name in attributes]
    figure = Figure(figsize=(WIDTH, 0.8 + 0.21 * len(frame) + 0.34 * len(attributes)))
    panels = figure.subplots(
        len(attributes),
        len(_MEASURES),
        sharex="col",
        squeeze=False,
        gridspec_kw={"height_ratios": heights, "width_ratios": [3, 2]},
    )
    for row, attribute in zip(panels, attributes, strict=True):
        own = frame[frame["attribute"] == attribute].reset_index(drop=True)
        for axes, (name, (_, least, most)) in zip(row, _MEASURES.items(), strict=True):
            _draw_dots(axes, own, name, least, most)
        names = short_names(own["group"], longest=24)
        shown = zip(names, own["examples"].map(count), strict=True)
        row[0].set_yticks(range(len(own)), [f"{group}  {number}" for group, number in shown])
        row[1].set_yticks([])
        set_title(row[0], *short_names([attribute]))
    for axes, (heading, _, _) in zip(panels[-1], _MEASURES.values(), strict=True):
        axes.set_xlabel(f"{right}, %" if heading.startswith("accuracy") else heading)
        percent_axis(axes.xaxis)
    return figure


def _draw_dots(axes, own, name, least, most):
    weights = own["examples"] / own["examples"].sum()
    middle = 0 if name == "overconfidence" else (own[f"{name}_mean"] * weights).sum()
    axes.axvline(middle, color=EDGE, linewidth=0.8)
    for place, group in own.iterrows():
        is_apart, is_compared = group[f"{name}_resolved"], group[f"{name}_beyond_p_holm"] >= 0
        colour = COLOURS[0] if is_apart else MUTED
        ends = np.clip([group[f"{name}_low"], group[f"{name}_high"]], least, most)
        axes.hlines(place, *ends, color=colour, linewidth=1.8 if is_apart else 1.1)
        axes.plot(
            group[f"{name}_mean"], place, "o", color=colour, markersize=5, markeredgewidth=1.1,
            markerfacecolor=colour if is_compared else PAPER,
        )  # fmt: skip
        if is_apart:  # Said beside it, so that nobody has to know what the colour stands for.
            difference = percent(group[f"{name}_beyond_difference"], signed=True)
            axes.annotate(
                difference,
                (ends[1], place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=colour,
            )
    axes.set_ylim(len(own) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
