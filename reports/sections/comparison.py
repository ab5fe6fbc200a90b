"""Table 1, measured: models compared on the test split, beside what the paper reports."""

from typing import Any

import numpy as np
import pandas as pd

from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import METRICS, interval, p_in_words, percent
from reports.findings import Findings
from reports.paper import TABLE_1
from reports.records import Run
from reports.scores import KIND_NAMES, draw_scores, runs_of_comparison, summarize, with_intervals

TITLE = "Comparison"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts the comparison on the page; see `reports.sections`."""
    compared, comparison = findings.compared, findings.comparison
    left_out = findings.left_out
    if not compared:
        return None
    table = page.add_table(
        comparison_table(compared, comparison, findings.part.data.name, findings.with_paper)
    )
    differences = None
    if comparison and len(compared) > 1:
        differences = page.add_table(differences_table(table, comparison["reference"]))
    runs = runs_of_comparison(compared)
    # The majority's scores would squeeze all others into a corner.
    not_drawn = [name for name, of_name in compared.items() if all(map(is_constant, of_name))]
    kept = table.frame[~table.frame["contender"].isin(not_drawn)]
    beside = ", and the value that the paper reports, where it has one" * findings.with_paper
    return {
        "table": table,
        "differences": differences,
        "not_drawn": not_drawn,
        "left_out": sorted({run.contender for run in left_out}),
        "num_left_out": len(left_out),
        "pictures": page.by_metric(
            "comparison",
            "Dot plot of {} on the test split by model: every run, the mean with its 95 % interval "
            f"over seeds{beside}. The numbers are in the table below.",
            lambda metric: draw_scores(
                runs,
                kept,
                metric,
                paper=kept[f"paper_{metric}"] if findings.with_paper else None,
                kinds=kept["kind"],
            ),
        )
        if len(kept)
        else [],
    }


def comparison_table(
    compared: dict[str, list[Run]],
    comparison: dict[str, Any] | None,
    corpus: str,
    with_paper: bool,
) -> Table:
    """Table 1: what was measured, by falling accuracy, beside what the paper reports.

    Args:
        compared: Dictionary of lists of `Run` by contender.
        comparison: What `compare_runs` gives, or `None` where predictions are missing.
        corpus: Name of the corpus.
        with_paper: Whether the paper's numbers are of this corpus, and shown.

    Returns:
        `Table`. The best accuracy is bold where its lead over every other model is resolved.
    """
    frame = summarize(runs_of_comparison(compared), ["contender"])
    frame = frame.sort_values("accuracy_mean", ascending=False, ignore_index=True)
    frame.insert(1, "kind", [kind_of(compared[name][0]) for name in frame["contender"]])
    if with_paper:
        reported = [TABLE_1.get(name, ("", *[np.nan] * 3)) for name in frame["contender"]]
        columns = ["paper_name", *(f"paper_{metric}" for metric in METRICS)]
        frame = frame.join(pd.DataFrame(reported, columns=columns))
    found = {row["name"]: row.get("difference") for row in (comparison or {}).get("contenders", ())}
    for key in ("difference", "low", "high", "smallest", "p_holm"):
        frame[key] = [(found.get(name) or {}).get(key, np.nan) for name in frame["contender"]]
    frame["resolved"] = [(found.get(name) or {}).get("resolved") for name in frame["contender"]]
    shown = pd.DataFrame(
        {
            "Model": frame["contender"],
            "Encoder": frame["kind"].replace(KIND_NAMES),
            "Runs": frame["runs"].astype(str),
            **{title: with_intervals(frame, metric) for metric, title in METRICS.items()},
        }
    )
    if with_paper:
        shown["The paper: accuracy, F1, AUC"] = [
            f"{name} {', '.join(map(percent, values))}" if name else "–"
            for name, *values in frame[columns].itertuples(index=False)
        ]
    sort_by = {"Runs": "runs"}
    sort_by |= {title: f"{metric}_mean" for metric, title in METRICS.items()}
    # The first row is bold where every other one is resolved to be below it.
    leads = (
        comparison is not None
        and len(frame) > 1
        and comparison["reference"] == frame["contender"].iloc[0]
        and all(found is True for found in frame["resolved"].iloc[1:].tolist())
    )
    bold = {(0, METRICS["accuracy"])} if leads else set()
    beside = ", beside the values of the paper's Table 1" * with_paper
    return Table(
        "table_1",
        f"Test split of {corpus}, per cent: means over runs, with 95 % intervals of the mean over "
        f"seeds (Student's t){beside}. "
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


def differences_table(table: Table, reference: str) -> Table:
    """Differences in accuracy from the reference, from the frame of Table 1."""
    frame = table.frame[table.frame["contender"] != reference].reset_index(drop=True)
    columns = ["contender", "difference", "low", "high", "smallest", "p_holm", "resolved"]
    frame = frame[columns]
    shown = pd.DataFrame(
        {
            "Model": frame["contender"],
            "Difference, points": [percent(d, signed=True) for d in frame["difference"]],
            "95 % interval": [
                interval(*ends, signed=True)
                for ends in zip(frame["low"], frame["high"], strict=True)
            ],
            "Smallest resolved": frame["smallest"].map(percent),
            "p (McNemar, Holm)": frame["p_holm"].map(p_in_words),
            "Resolved": ["yes" if found else "no" for found in frame["resolved"]],
        }
    )
    sort_by = {
        "Difference, points": "difference",
        "Smallest resolved": "smallest",
        "p (McNemar, Holm)": "p_holm",
    }
    return Table(
        "differences",
        f"Accuracy beyond that of {reference}, in points. The interval is over texts and seeds, "
        "paired by text, and wide where there are few seeds (with a single run, over texts alone). "
        "A difference is resolved if it is at least the smallest that these texts and seeds can "
        "tell from chance. p, after Holm's correction, is McNemar's exact test of the mean of each "
        "model's runs, which is a different question from that of single runs.",
        frame,
        shown,
        sort_by,
    )


def kind_of(run: Run) -> str:
    """Whether the model of a run is pretrained, from scratch, or a baseline: a key of `KINDS`."""
    if run.is_baseline:
        return "anchor"
    if run.encoder in (None, "scratch"):
        return "from scratch"
    return "pretrained vectors" if run.encoder == "embeddings" else "pretrained"


def is_constant(run: Run) -> bool:
    """Whether the model of a run is a baseline that gives all test texts one label."""
    return run.is_baseline and np.count_nonzero(np.sum(run.test["confusion_matrix"], axis=0)) == 1
