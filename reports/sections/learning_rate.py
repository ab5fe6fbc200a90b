"""What the learning rate does: the paper's Figure 2."""

from typing import Any

from reports.display.page import Page
from reports.findings import Findings
from reports.scores import show_curves

TITLE = "Learning rate"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts scores by learning rate on the page; see `reports.sections`."""
    found = findings.points["learning_rate"]
    return show_curves(page, found, "learning_rate", "Learning rate", logarithmic=True)
