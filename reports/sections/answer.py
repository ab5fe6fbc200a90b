"""The answer: the best model, what it scores, and how many claims hold."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from reports.claims.verdicts import DOES_NOT_HOLD, HOLDS, NOT_RESOLVED, NOT_RUN
from reports.display.page import Page
from reports.display.words import METRICS
from reports.findings import Findings, mean_accuracy
from reports.paper import OURS, TABLE_1
from reports.records import Run
from reports.scores import score_runs

TITLE = "The answer"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """What the head of the page says; see `reports.sections`."""
    best, compared = findings.best, findings.compared
    verdicts = [claim.verdict for claim in findings.claims]
    head = {
        "written": datetime.now().astimezone().strftime("%Y-%m-%d"),
        "verdicts": {
            verdict: verdicts.count(verdict)
            for verdict in (HOLDS, DOES_NOT_HOLD, NOT_RESOLVED, NOT_RUN)
        },
        "num_claims": len(verdicts),
        "sentence": how_many_hold(verdicts) if verdicts else "",
        "best": best,
    }
    if best is None:
        return head
    found = score_runs(compared[best])
    scores = [{"title": title, "score": found.get(metric)} for metric, title in METRICS.items()]
    return {
        **head,
        "scores": scores,
        "runs": len(compared[best]),
        "subjects": subjects_in_words(compared[best][0]),
        "num_texts": num_test_texts(compared[best]),
        "num_models": len(compared),
        "skips_single_runs": len({len(runs) > 1 for runs in compared.values()}) > 1,
        "better": better_run(findings.left_out, compared[best]),
        "paper": TABLE_1[OURS] if findings.with_paper else None,
    }


def subjects_in_words(run: Run) -> str:
    """What is known of whose texts a model was tested on, since texts of one are no two."""
    if run.groups:
        return "texts of one respondent count together"
    if run.record["corpus"]["protocol"].get("by_subject"):
        return "the records do not say which texts are of one respondent"
    return ""


def better_run(others: list[Run], runs: list[Run]) -> Run | None:
    """Of other runs the best on validation, if it beats the mean of the runs that are headlined."""
    best = max(others, key=lambda run: mean_accuracy([run], "val"), default=None)
    if best is None or mean_accuracy([best], "val") <= mean_accuracy(runs, "val"):
        return None
    return best


def num_test_texts(runs: Iterable[Run]) -> int:
    """How many texts some runs were tested on; with folds each run has its own."""
    folds = {run.record["corpus"]["protocol"].get("fold"): run for run in runs}
    return sum(run.test.get("num_examples", 0) for run in folds.values())


def how_many_hold(verdicts: Sequence[str]) -> str:
    """How many claims hold, of those that were tested."""
    tested = [verdict for verdict in verdicts if verdict != NOT_RUN]
    if not tested:
        return f"None of the paper’s {len(verdicts)} claims has been tested yet."
    holding = tested.count(HOLDS)
    number = str(holding) if holding else "None"
    verb = "hold" if holding > 1 else "holds"
    if len(tested) == len(verdicts):
        return f"{number} of the paper’s {len(verdicts)} claims {verb}."
    return f"{number} of the {len(tested)} claims of the paper tested so far {verb}."
