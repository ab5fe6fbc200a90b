"""Table 1, measured: models compared on the test split, beside what the paper reports."""

from typing import Any

import numpy as np
import pandas as pd

from emotion_keras.evaluation.significance import LEVEL
from emotion_keras.inputs import Input, TextInput
from reports.claims.verdicts import Resolved
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import METRICS, interval, p_in_words, percent
from reports.findings import Findings
from reports.paper import TABLE_1
from reports.records import Run
from reports.scores import (
    SPREADS,
    draw_scores,
    intervals_in_words,
    runs_of_comparison,
    summarize,
    with_intervals,
    with_spreads,
)

TITLE = "Comparison"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts the comparison on the page; see `reports.sections`."""
    compared, left_out = findings.compared, findings.left_out
    if not compared:
        return None
    table = page.add_table(
        comparison_table(
            compared, findings.differences, findings.part.data.name, findings.with_paper
        )
    )
    differences = None
    if any(findings.differences.values()):
        differences = page.add_table(
            differences_table(findings.differences, findings.best, findings.modality)
        )
    runs = runs_of_comparison(compared)
    # The majority's scores would squeeze all others into a corner.
    not_drawn = [name for name, of_name in compared.items() if all(map(is_constant, of_name))]
    kept = table.frame[~table.frame["contender"].isin(not_drawn)]
    beside = ", and the value that the paper reports, where it has one" * findings.with_paper
    return {
        "table": table,
        "differences": differences,
        "not_drawn": [name_of(name) for name in not_drawn],
        "left_out": sorted({name_of(run.contender) for run in left_out}),
        "num_left_out": len(left_out),
        "pictures": page.by_metric(
            "comparison",
            "Dot plot of {} on the test split by model: every run, the mean with its 95 % interval "
            f"over {findings.modality.plural} and seeds{beside}. The numbers are in the table "
            "below.",
            lambda metric: draw_scores(
                runs,
                kept,
                metric,
                paper=kept[f"paper_{metric}"] if findings.with_paper else None,
            ),
        )
        if len(kept)
        else [],
    }


def comparison_table(
    compared: dict[str, list[Run]],
    differences: dict[str, Resolved | None],
    corpus: str,
    with_paper: bool,
) -> Table:
    """Table 1: what was measured, by falling accuracy, beside what the paper reports.

    Args:
        compared: Dictionary of lists of `Run` by contender.
        differences: Dictionary of `Resolved` or `None` by all contenders but the best.
        corpus: Name of the corpus.
        with_paper: Whether the paper's numbers are of this corpus, and shown.

    Returns:
        `Table`. The best accuracy is bold where its lead over every other model is resolved.
    """
    frame = summarize({(name,): runs for name, runs in compared.items()}, ["contender"])
    frame = frame.sort_values("accuracy_mean", ascending=False, ignore_index=True)
    shown = pd.DataFrame(
        {
            "Model": frame["contender"].map(name_of),
            "Runs": frame["runs"].astype(str),
            **{title: with_intervals(frame, metric) for metric, title in METRICS.items()},
            SPREADS: with_spreads(frame),
        }
    )
    if with_paper:
        reported: list[Any] = [
            TABLE_1.get(name, ("", *[np.nan] * 3)) for name in frame["contender"]
        ]
        columns = ["paper_name", *(f"paper_{metric}" for metric in METRICS)]
        frame = frame.join(pd.DataFrame(reported, columns=columns))
        shown["The paper"] = [
            ", ".join(map(percent, values)) if name else "–" for name, *values in reported
        ]
    sort_by = {"Runs": "runs"}
    sort_by |= {title: f"{metric}_mean" for metric, title in METRICS.items()}
    # The first row is bold where every other one is resolved to be below it.
    others = [differences.get(name) for name in frame["contender"].iloc[1:]]
    leads = others and all(one is not None and one.is_resolved for one in others)
    bold = {(0, METRICS["accuracy"])} if leads else set()
    beside = "; beside them accuracy, F1 and AUC in the paper's Table 1" * with_paper
    return Table(
        "table_1",
        f"Test split of {corpus}, per cent: means over runs, {intervals_in_words(frame)}{beside}. "
        + (
            "Bold: a lead in accuracy over every other model that is resolved."
            if bold
            else "No accuracy is bold: no lead over every other model is resolved."
        ),
        frame,
        shown,
        sort_by,
        frozenset(bold),
    )


def differences_table(
    differences: dict[str, Resolved | None], reference: str, modality: type[Input] = TextInput
) -> Table:
    """Differences in accuracy from the reference, a row each other contender."""
    frame = pd.DataFrame(
        {
            "contender": name,
            **found.difference._asdict(),
            "p_holm": found.p_holm,
            "resolved": found.is_resolved,
        }
        for name, found in differences.items()
        if found is not None
    )
    shown = pd.DataFrame(
        {
            "Model": frame["contender"].map(name_of),
            "Difference, points": [percent(d, signed=True) for d in frame["difference"]],
            "95 % interval": [
                interval(*ends, signed=True)
                for ends in zip(frame["low"], frame["high"], strict=True)
            ],
            "p (Holm)": frame["p_holm"].map(p_in_words),
            "Resolved": ["yes" if found else "no" for found in frame["resolved"]],
        }
    )
    return Table(
        "differences",
        f"Accuracy beyond that of {name_of(reference)}, in points. The interval is that of one "
        f"difference, over {modality.plural} and seeds, paired by {modality.singular}, and wide "
        f"where there are few seeds (with a single run, over {modality.plural} alone). p is of no "
        "difference, after Holm's correction for all of them; a difference is resolved where it "
        f"is at most {LEVEL:g}.",
        frame,
        shown,
        {"Difference, points": "difference", "p (Holm)": "p_holm"},
    )


def is_constant(run: Run) -> bool:
    """Whether the model of a run is a baseline that gives all test texts one label."""
    return run.is_baseline and np.count_nonzero(np.sum(run.test["confusion_matrix"], axis=0)) == 1
