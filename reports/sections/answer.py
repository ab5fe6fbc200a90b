"""The answer: the best model, what it scores, and how many claims hold."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from emotion_keras.evaluation.scores import Score
from emotion_keras.inputs import modality_of
from reports.claims import Claim
from reports.claims.order import is_reached
from reports.claims.verdicts import HOLDS, NOT_RUN, REFUTED, UNDECIDED
from reports.display.page import Page
from reports.display.words import METRICS, listed
from reports.findings import Findings, mean_score
from reports.paper import OURS, TABLE_1
from reports.records import Run
from reports.scores import score_runs

TITLE = "The answer"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """What the head of the page says; see `reports.sections`."""
    best, compared = findings.best, findings.compared
    head = {
        "written": datetime.now().astimezone().strftime("%Y-%m-%d"),
        "decided": claims_in_words(findings.claims),
        "best": best,
    }
    if best is None:
        return head
    found = score_runs(compared[best])
    scores = [
        {"title": title, "score": found.get(metric)} for metric, title in findings.metrics.items()
    ]
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
        "reached": reached_in_words(found),
    }


def reached_in_words(scores: dict[str, Score]) -> str:
    """Which numbers of the paper's model a model reaches, such as `its AUC is reached`, or none."""
    titles = {"accuracy": "accuracy", "macro_f1": "F1", "auc": "AUC"}
    reported = dict(zip(METRICS, TABLE_1[OURS][1:], strict=True))
    reached = [
        titles[metric]
        for metric, value in reported.items()
        if metric in scores and is_reached(scores[metric], value)
    ]
    if not reached:
        return ""
    return f"its {listed(reached)} {'are' if len(reached) > 1 else 'is'} reached"


def claims_in_words(claims: Iterable[Claim]) -> str:
    """How many claims were refuted, how many are undecided and how many hold."""
    claims = list(claims)
    refuted = [claim for claim in claims if claim.verdict == REFUTED]
    by_limit = sum(claim.by_our_limit for claim in refuted)
    counts = Counter(claim.verdict for claim in claims)
    if claims and counts[NOT_RUN] == len(claims):
        return f"None of the paper’s {len(claims)} claims has been tested yet."
    parts = [
        f"{len(refuted)} refuted" + (f" ({by_limit} by a limit of ours)" if by_limit else ""),
        f"{counts[UNDECIDED]} undecided",
        f"{counts[HOLDS]} hold" + ("s" if counts[HOLDS] == 1 else ""),
    ]
    if counts[NOT_RUN]:
        parts.append(f"{counts[NOT_RUN]} not tested yet")
    return f"Of the paper’s {len(claims)} claims: {', '.join(parts)}." if claims else ""


def subjects_in_words(run: Run) -> str:
    """What is known of whose examples a model was tested on, since examples of one are no two."""
    modality = modality_of(run.record)
    whose = "respondent" if modality.name == "text" else "person"
    if run.groups:
        return f"{modality.plural} of one {whose} count together"
    if run.record["corpus"]["protocol"].get("by_subject"):
        return f"the records do not say which {modality.plural} are of one {whose}"
    return ""


def better_run(others: list[Run], runs: list[Run]) -> Run | None:
    """Of other runs the best on validation, if it beats the mean of the runs that are headlined."""
    best = max(others, key=lambda run: mean_score([run], "val"), default=None)
    if best is None or mean_score([best], "val") <= mean_score(runs, "val"):
        return None
    return best


def num_test_texts(runs: Iterable[Run]) -> int:
    """How many texts some runs were tested on; with folds each run has its own."""
    folds = {run.record["corpus"]["protocol"].get("fold"): run for run in runs}
    return sum(run.test.get("num_examples", 0) for run in folds.values())
