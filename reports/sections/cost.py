"""What training and using the models costs, and where the runs were made."""

from typing import Any

import numpy as np
import pandas as pd

from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import count
from reports.findings import Findings
from reports.records import Run, Study

TITLE = "Cost"


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
    """What training and using each contender costs."""
    rows = [
        {
            "contender": name,
            "runs": len(runs),
            "parameters": runs[0].record["num_parameters"],
            **{
                key: float(np.mean([run.record["cost"].get(key, np.nan) for run in runs]))
                for key in (
                    "seconds",
                    "milliseconds_for_1_text",
                    "milliseconds_for_256_texts",
                    "peak_memory_bytes",
                )
            },
        }
        for name, runs in compared.items()
    ]
    frame = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Model": frame["contender"],
            "Parameters": frame["parameters"].map(count),
            "Minutes a run": [f"{value / 60:.1f}" for value in frame["seconds"]],
            "ms for 1 text": [f"{value:.1f}" for value in frame["milliseconds_for_1_text"]],
            "ms for 256 texts": [count(value) for value in frame["milliseconds_for_256_texts"]],
            "Peak memory, GB": [f"{value / 1e9:.1f}" for value in frame["peak_memory_bytes"]],
        }
    )
    keys = list(frame.columns[2:])
    caption = "Means over runs. How long a run took depends on what else the machine was doing."
    return Table("cost", caption, frame, shown, dict(zip(shown.columns[1:], keys, strict=True)))


def studies_table(studies: list[Study]) -> Table:
    """Runs and hours of training by study."""
    frame = pd.DataFrame(
        {
            "study": study.title,
            "runs": len(study.runs),
            "hours": sum(run.record["cost"].get("seconds", 0) for run in study.runs) / 3600,
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
