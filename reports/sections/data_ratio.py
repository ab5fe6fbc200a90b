"""What less data does."""

from reports.scores import show_curves

TITLE = "Data ratio"


def show(page, findings):
    """Puts scores by the share of the training texts on the page; see `reports.sections`."""
    found = findings.points["data_ratio"]
    return show_curves(page, found, "data_ratio", "Data ratio", "Share of the training texts")
