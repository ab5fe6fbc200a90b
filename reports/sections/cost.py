"""What training and using the models costs, and where the runs were made."""

from typing import Any

import numpy as np
import pandas as pd

from emotion_keras.evaluation.cost import LATENCIES, summarize_cost
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import count
from reports.findings import Findings
from reports.records import Run, Study

TITLE = "Cost and environment"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts cost and environment on the page; see `reports.sections`."""
    part, compared = findings.part, findings.compared
    return {
        "table": page.add_table(cost_table(compared)) if compared else None,
        "studies": page.add_table(studies_table(part.studies)),
        "environment": page.add_table(environment_table(part.runs)),
        "hours": sum(run.record["cost"].get("seconds", 0) for run in part.runs) / 3600,
    }


def cost_table(compared: dict[str, list[Run]]) -> Table:
    """What training and using each contender costs.

    Args:
        compared: Dictionary of lists of `Run` by contender.

    Returns:
        `Table`; it has no latencies where none was measured alone.
    """
    frame = pd.DataFrame(
        {
            "contender": name,
            "runs": len(runs),
            "parameters": runs[0].record["num_parameters"],
            **summarize_cost([run.record for run in runs]),
        }
        for name, runs in compared.items()
    ).drop(columns="examples_per_second")
    frame = frame.astype(dict.fromkeys(LATENCIES, float))
    shown = pd.DataFrame(
        {
            "Model": frame["contender"].map(name_of),
            "Parameters": frame["parameters"].map(count),
            "Minutes a run": [f"{value / 60:.1f}" for value in frame["seconds"]],
            "Peak memory, GB": [f"{value / 1e9:.1f}" for value in frame["peak_memory_bytes"]],
            "ms for 1 text": [_latency(value, 1) for value in frame["milliseconds_for_1_text"]],
            "ms for 256 texts": [
                _latency(value, 0) for value in frame["milliseconds_for_256_texts"]
            ],
        }
    )
    keys = ["parameters", "seconds", "peak_memory_bytes", *LATENCIES]
    sort_by = dict(zip(shown.columns[1:], keys, strict=True))
    caption = "Means over runs. How long a run took depends on what else the machine was doing. "
    if frame[LATENCIES[0]].notna().any():
        caption += (
            "Milliseconds are the least of the runs' medians, of runs that had the machine to "
            "themselves."
        )
    else:
        caption += (
            "Latency was not measured alone: no run is known to have had the machine to itself."
        )
        shown = shown.iloc[:, : -len(LATENCIES)]
        sort_by = {title: key for title, key in sort_by.items() if key not in LATENCIES}
    return Table("cost", caption, frame, shown, sort_by)


def _latency(value, digits):
    return "not measured alone" if np.isnan(value) else f"{value:,.{digits}f}"


def studies_table(studies: list[Study]) -> Table:
    """Runs and hours of training by study."""
    frame = pd.DataFrame(
        {
            "study": study.title,
            "runs": len(runs := [*study.runs, *study.aside]),
            "hours": sum(run.record["cost"].get("seconds", 0) for run in runs) / 3600,
        }
        for study in studies
    )
    shown = pd.DataFrame(
        {
            "Study": frame["study"],
            "Runs": frame["runs"].astype(str),
            "Hours of training": [f"{hours:.2f}" for hours in frame["hours"]],
        }
    )
    caption = "Hours are the sum over runs, whether they ran one after the other or side by side."
    sort_by = {"Runs": "runs", "Hours of training": "hours"}
    return Table("studies", caption, frame, shown, sort_by)


def environment_table(runs: list[Run]) -> Table:
    """Where runs were made: backend, device, precision, versions and commit."""
    rows = []
    for run in runs:
        found = run.record["environment"]
        versions = found.get("versions", {})
        rows.append(
            {
                "backend": run.backend,
                "device": found.get("device", ""),
                "precision": found.get("precision", ""),
                "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
                "commit": (found.get("commit") or "not recorded")[:12],
            }
        )
    frame = pd.DataFrame(rows).value_counts(sort=False).rename("runs").reset_index()
    frame = frame.sort_values("runs", ascending=False, ignore_index=True)
    shown = pd.DataFrame(
        {
            "Runs": frame["runs"].astype(str),
            "Backend": frame["backend"],
            "Device": frame["device"],
            "Precision": frame["precision"],
            "Commit": frame["commit"],
            "Versions": frame["versions"],
        }
    )
    caption = "The environments of the runs, from their records."
    return Table("environment", caption, frame, shown, {"Runs": "runs"})
