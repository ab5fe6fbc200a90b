"""What was read: the runs that no other section shows, and those that are kept apart."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import value_in_words
from reports.findings import Findings
from reports.records import SEARCH, Study
from reports.scores import (
    SPREADS,
    intervals_in_words,
    summarize,
    with_intervals,
    with_spreads,
)

TITLE = "What was read"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts what else was read on the page; see `reports.sections`."""
    return {
        "others": page.add_table(
            short_table(_others(findings), "Runs that are in none of the sections above")
        ),
        "apart": [
            {"part": part, "table": short_table(part.studies, str(part))} for part in findings.apart
        ],
    }


def _others(findings):
    """Studies with the runs that no section shows: neither compared, nor analysed, nor searched."""
    groups = [runs for found in findings.points.values() for runs in found.values()]
    # By name: studies share runs.
    shown = {run.name for runs in [*groups, *findings.compared.values()] for run in runs}
    return [
        dataclasses.replace(study, runs=[run for run in study.runs if run.name not in shown])
        for study in findings.part.studies
        if SEARCH not in study.files
    ]


def short_table(studies: list[Study], name: str) -> Table | None:
    """Means of runs, a row a study, contender and setting; `None` where none was tested."""
    groups = {}
    for study in studies:
        for run in study.runs:
            if run.test is not None:
                groups.setdefault((study.title, run.contender, run.setting), []).append(run)
    if not groups:
        return None
    rows = [
        {"study": study, **row}
        for (study, contender, _), runs in groups.items()
        for row in summarize({(contender,): runs}, ["contender"]).to_dict("records")
    ]
    frame = pd.DataFrame(rows)
    metrics = next(iter(groups.values()))[0].metrics
    frame["learning_rate"] = [
        runs[0].record["training"].get("learning_rate") for runs in groups.values()
    ]
    shown = pd.DataFrame(
        {
            "Study": frame["study"],
            "Model": frame["contender"].map(name_of),
            "Learning rate": [
                "–" if value is None or np.isnan(value) else value_in_words(value)
                for value in frame["learning_rate"]
            ],
            "Runs": frame["runs"].astype(str),
            **{title: with_intervals(frame, metric) for metric, title in metrics.items()},
            SPREADS: with_spreads(frame, metrics),
        }
    )
    sort_by = {"Learning rate": "learning_rate", "Runs": "runs"}
    sort_by |= {title: f"{m}_mean" for m, title in metrics.items()}
    caption = (
        f"{name}: test split, per cent, one row for each study and setting, "
        f"{intervals_in_words(frame, metrics)}."
    )
    return Table("other_runs", caption, frame, shown, sort_by)
