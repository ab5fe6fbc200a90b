"""What the paper claims, and what became of it."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from reports.claims.claim import Claim
from reports.display.page import Page
from reports.display.table import Table
from reports.findings import Findings

TITLE = "What the paper claims"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Writes the table of claims; the page says more of each. See `reports.sections`."""
    if findings.claims:
        page.add_table(claims_table(findings.claims))
    for claim in findings.claims:
        page.add_table(claim.table)
    return {}


def claims_table(decided: Iterable[Claim]) -> Table:
    """Claims with their verdicts, as a table."""
    frame = pd.DataFrame(
        {
            "claim": claim.sentence,
            "verdict": claim.verdict,
            "by_our_limit": claim.by_our_limit,
            "estimate": claim.estimate,
            "limit": claim.limit,
            "measured": " ".join(claim.measured),
            "test": claim.test,
        }
        for claim in decided
    )
    shown = frame.drop(columns="by_our_limit").rename(columns=str.capitalize)
    return Table("claims", "The paper's claims and what became of them.", frame, shown)
