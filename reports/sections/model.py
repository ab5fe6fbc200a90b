"""The model card: what the best model is for, how good it is, and what it is not for."""

from collections.abc import Sequence
from typing import Any

from emotion_keras.evaluation import card, card_words
from emotion_keras.evaluation.attributes import Group
from emotion_keras.evaluation.coverage import Sure, by_coverage, reach
from reports.display.page import Page
from reports.findings import Findings, mean_score
from reports.records import Run
from reports.scores import score_runs
from reports.sections.groups import find_groups
from reports.sections.repeat import from_run_command

TITLE = "Model card"

MODEL_CARD = "MODEL_CARD.md"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Writes the model card, and puts its essence on the page; see `reports.sections`."""
    if findings.best is None:
        return None
    runs = findings.compared[findings.best]
    found = find_groups(runs, findings.part.runs)
    (page.out / MODEL_CARD).write_text(model_card(runs, found), encoding="utf-8")
    run = best_run(runs)
    return {
        "run": run,
        "runs": len(runs),
        "scores": score_runs(runs),
        "purpose": card_words.purpose(run.record),
        "limits": card_words.limits(run.record),
        "ethics": card_words.ethics(run.record, [group.attribute for group in found]),
    }


def best_run(runs: list[Run]) -> Run:
    """Of a contender's runs the one that is best on the validation split."""
    return max(runs, key=lambda run: mean_score([run], "val"))


def model_card(runs: list[Run], groups: Sequence[Group] = ()) -> str:
    """The model card of the best of a contender's runs.

    Args:
        runs: Non-empty list of `Run`, all of the contender that is best.
        groups: How good they are by group, as of `find_groups`.

    Returns:
        String of Markdown.
    """
    run = best_run(runs)
    scores = score_runs(runs)
    judged = [of_run.judged for of_run in runs]
    sure = None
    if all(judged):
        of_test = [of_run["test"] for of_run in judged]
        seeds = [of_run.seed for of_run in runs]
        sure = Sure(by_coverage(of_test, seeds, run.groups), reach(run.thresholds))
    return card.model_card(run.record, scores, len(runs), from_run_command(run), sure, groups)
