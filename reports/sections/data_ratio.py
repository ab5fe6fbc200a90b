"""What less data does."""

from typing import Any

from reports.display.page import Page
from reports.findings import Findings
from reports.scores import show_curves

TITLE = "Data ratio"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts scores by the share of the training texts on the page; see `reports.sections`."""
    found = findings.points["data_ratio"]
    return show_curves(
        page, found, "data_ratio", "Data ratio", f"Share of the training {findings.modality.plural}"
    )
