"""What other forms of the gate do, and other poolings."""

from typing import Any

import numpy as np
import pandas as pd

from reports.claims.verdicts import Resolved, difference, resolve
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import interval, p_in_words, percent
from reports.findings import Findings
from reports.paper import GATE
from reports.scores import draw_scores, runs_of_points, sensitivity_table, summarize

TITLE = "Gate"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts scores by form of the gate on the page; see `reports.sections`."""
    found = findings.points["gate"]
    if not found:
        return None
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
                        of_name, own, metric, name="value"
                    ),
                ),
            }
        )
    differences = resolve(
        {
            (name, form): None if form == GATE else difference(of_form, found.get((name, GATE), []))
            for (name, form), of_form in found.items()
        }
    )
    table = gate_table(summary, differences, findings.modality.plural)
    return {"table": page.add_table(table), "forms": sections}


def gate_table(
    frame: pd.DataFrame, differences: dict[tuple[str, str], Resolved | None], plural: str
) -> Table:
    """What the runs reach with each form of the gate, and how much beyond the paper's form.

    Args:
        frame: What `summarize` gives by `contender` and `value`.
        differences: Dictionary of `Resolved`, or `None` where it is unknown, by pairs of
            contender and form.

    Returns:
        `Table`.
    """
    table = sensitivity_table(
        "gate",
        {"contender": "Model", "value": "Gate or pooling"},
        frame,
        ["contender", "value"],
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
        f"{table.caption} Beyond {GATE}, the paper's gate: difference in accuracy on the "
        f"same {plural} with its 95 % interval over {plural} and seeds; p of all of them together "
        "after Holm's correction."
    )
    return Table("gate", caption, frame, shown, {**table.sort_by, "p (Holm)": "p_holm"})
