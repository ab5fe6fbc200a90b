"""Table 1, measured: models compared on the test split, beside what the paper reports."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from emotion_keras.evaluation.significance import LEVEL
from emotion_keras.inputs import Input, TextInput
from reports.claims.verdicts import Resolved
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import (
    METRICS,
    METRICS_OF_SEVERAL,
    MORE_OF_SEVERAL,
    interval,
    p_in_words,
    percent,
)
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
            compared,
            findings.differences,
            findings.part.data.name,
            findings.with_paper,
            findings.metrics,
        )
    )
    differences = None
    if any(findings.differences.values()):
        differences = page.add_table(
            differences_table(
                findings.differences, findings.best, findings.modality, findings.several
            )
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
                metrics=findings.metrics,
            ),
            findings.metrics,
        )
        if len(kept)
        else [],
    }


def comparison_table(
    compared: dict[str, list[Run]],
    differences: dict[str, Resolved | None],
    corpus: str,
    with_paper: bool,
    metrics: Mapping[str, str] = METRICS,
) -> Table:
    """Table 1: what was measured, by falling accuracy, beside what the paper reports.

    Where several labels may hold of an example it is by falling macro F1.

    Args:
        compared: Dictionary of lists of `Run` by contender.
        differences: Dictionary of `Resolved` or `None` by all contenders but the best.
        corpus: Name of the corpus.
        with_paper: Whether the paper's numbers are of this corpus, and shown.
        metrics: Headings by metric; the first one ranks.

    Returns:
        `Table`. The best accuracy is bold where its lead over every other model is resolved.
    """
    frame = summarize({(name,): runs for name, runs in compared.items()}, ["contender"])
    frame = frame.sort_values(f"{next(iter(metrics))}_mean", ascending=False, ignore_index=True)
    headings = dict(metrics)
    if metrics is METRICS_OF_SEVERAL:
        headings |= MORE_OF_SEVERAL
    shown = pd.DataFrame(
        {
            "Model": frame["contender"].map(name_of),
            "Runs": frame["runs"].astype(str),
            **{title: with_intervals(frame, metric) for metric, title in headings.items()},
            SPREADS: with_spreads(frame, metrics),
        }
    )
    if with_paper:
        reported: list[Any] = [
            TABLE_1.get(name, ("", *[np.nan] * 3)) for name in frame["contender"]
        ]
        columns = ["paper_name", *(f"paper_{metric}" for metric in metrics)]
        frame = frame.join(pd.DataFrame(reported, columns=columns))
        shown["The paper"] = [
            ", ".join(map(percent, values)) if name else "–" for name, *values in reported
        ]
    sort_by = {"Runs": "runs"}
    sort_by |= {title: f"{metric}_mean" for metric, title in headings.items()}
    # The first row is bold where every other one is resolved to be below it.
    others = [differences.get(name) for name in frame["contender"].iloc[1:]]
    leads = others and all(
        one is not None and one.is_resolved and one.difference.difference < 0 for one in others
    )
    heading = metrics["accuracy"]
    bold = {(0, heading)} if leads else set()
    lead, none = "a lead in accuracy", "No accuracy"
    explained = ""
    if metrics is METRICS_OF_SEVERAL:
        lead, none = f"a lead in “{heading}”", f"No “{heading}”"
        explained = (
            " All labels right: the share of examples of which all labels that hold are answered, "
            "and no other; Jaccard: of the labels that hold or are answered, the share that does "
            "both, the mean over examples; LRAP: label ranking average precision, how high the "
            "labels that hold stand among all."
        )
    beside = "; beside them accuracy, F1 and AUC in the paper's Table 1" * with_paper
    return Table(
        "table_1",
        f"Test split of {corpus}, per cent: means over runs, {intervals_in_words(frame, metrics)}"
        f"{beside}. "
        + (
            f"Bold: {lead} over every other model that is resolved."
            if bold
            else f"{none} is bold: no lead over every other model is resolved."
        )
        + explained,
        frame,
        shown,
        sort_by,
        frozenset(bold),
    )


def differences_table(
    differences: dict[str, Resolved | None],
    reference: str,
    modality: type[Input] = TextInput,
    several: bool = False,
) -> Table:
    """Differences in accuracy from the reference, a row each other contender.

    Args:
        differences: Dictionary of `Resolved` or `None` by contender.
        reference: The contender that they are from.
        modality: Class of the `Input` that the examples are of.
        several: Whether several labels may hold of an example, which is right if all are.
    """
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
    measured = "Accuracy"
    if several:
        measured = f"Share of test {modality.plural} with all labels right"
    return Table(
        "differences",
        f"{measured} beyond that of {name_of(reference)}, in points. The interval is that of one "
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
    if run.target.several:
        # What is answered beside each other, the confusion matrix does not say.
        return run.is_baseline and run.record["model"] == "majority"
    return run.is_baseline and np.count_nonzero(np.sum(run.test["confusion_matrix"], axis=0)) == 1
