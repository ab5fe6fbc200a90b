"""What the paper claims, and what became of it."""

import pandas as pd

from reports.display.table import Table

TITLE = "Claims"


def show(page, findings):
    """Writes the table of claims; the page says more of each. See `reports.sections`."""
    page.add_table(claims_table(findings.claims))
    return {}


def claims_table(decided):
    """Claims with their verdicts, as a table."""
    frame = pd.DataFrame(
        {
            "claim": claim.sentence,
            "verdict": claim.verdict,
            "measured": " ".join(claim.measured),
            "test": claim.test,
        }
        for claim in decided
    )
    shown = frame.rename(columns=lambda name: name.capitalize())
    return Table("claims", "The paper's claims and what became of them.", frame, shown)
