"""Checks that warn by themselves: what is wrong with these runs, and what to do."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from emotion_keras import record
from reports.claims.verdicts import difference, resolve
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.words import count, listed, percent, value_in_words
from reports.findings import Findings, mean_score
from reports.records import SEARCH
from reports.scores import score_runs
from reports.sections.labels import confusion_frame
from reports.sections.training import history_frame

TITLE = "Checks"

# Training accuracy may be so much above that of validation; beyond it a model learns by heart.
LARGEST_GAP = 0.25
# Half of the interval of the best model's accuracy: models that are nearer cannot be separated.
WIDEST_HALF = 0.05
# The share of test texts that may be in the training split, or nearly so.
MOST_REPEATED = 0.005


class Check(NamedTuple):
    """What was found.

    Args:
        fine: What the page says where all is well.
        warnings: List of sentences, empty where all is well.
        advice: What to do about the warnings.
    """

    fine: str
    warnings: list
    advice: str


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Runs every check on what the page is about; see `reports.sections`."""
    if findings.best is None:
        return None
    checks = [check for run in CHECKS if (check := run(findings)) is not None]
    return {
        "warnings": [check for check in checks if check.warnings],
        "passed": [check for check in checks if not check.warnings],
    }


def learns_by_heart(findings: Findings) -> Check | None:
    """Whether the best model fits its training split far better than the validation split."""
    if findings.several:
        # While it trains all labels hold from 0.5 on, and on validation from thresholds on.
        return None
    history = history_frame(findings.records, findings.compared[findings.best])
    if history is None or "accuracy" not in history:
        return None
    last = history.sort_values("epoch").groupby("run").last()
    train, val = last["accuracy"].mean(), last["val_accuracy"].mean()
    warnings = []
    if train - val > LARGEST_GAP:
        warnings.append(
            f"{name_of(findings.best)} ends with {percent(train)} % right on the training split "
            f"and {percent(val)} % on the validation split."
        )
    return Check(
        "The best model does not learn by heart.",
        warnings,
        "Give it more dropout or weight decay, fewer epochs, or more data.",
    )


def stops_early(findings: Findings) -> Check | None:
    """Whether most runs of the best model are best in their last epoch."""
    history = history_frame(findings.records, findings.compared[findings.best])
    main = next(iter(findings.metrics))
    if history is None or f"val_{main}" not in history:
        return None
    at_end, runs = 0, 0
    for _, run in history.sort_values("epoch").groupby("run"):
        if len(run) > 1:
            values = run[f"val_{main}"].to_numpy()
            runs += 1
            # By more than a twentieth of what it gained in all.
            at_end += values[-1] - values[:-1].max() > 0.05 * (values[-1] - values[0])
    if not runs:
        return None
    warnings = []
    if at_end > runs / 2:
        warnings.append(
            f"The validation {_main_in_words(findings)} of {name_of(findings.best)} still rises in "
            f"the last epoch of {at_end} of {runs} runs."
        )
    return Check("Training is long enough.", warnings, "Train it for more epochs (--epochs).")


def _main_in_words(findings):
    """What sentences call the metric that ranks models."""
    return "macro F1" if findings.several else "accuracy"


def is_beaten_by_baseline(findings: Findings) -> Check | None:
    """Whether a baseline without a network is resolved to be better than some network."""
    baselines = [n for n, runs in findings.compared.items() if runs[0].is_baseline]
    networks = [n for n in findings.compared if n not in baselines]
    if not baselines or not networks:
        return None
    # By validation, as everything is chosen.
    best = max(baselines, key=lambda name: mean_score(findings.compared[name], "val"))
    found = resolve(
        {
            name: difference(findings.compared[best], findings.compared[name], fewest=1)
            for name in networks
        }
    )
    worse = [
        name_of(name)
        for name, one in found.items()
        if one is not None and one.is_resolved and one.difference.difference > 0
    ]
    measured = f" in {findings.modality.plural} with all labels right" if findings.several else ""
    return Check(
        "No network is resolved to be behind a baseline.",
        [f"{name_of(best)} is ahead of {listed(worse)}{measured}."] if worse else [],
        "Use the baseline, which is faster and better, or a pretrained encoder.",
    )


def is_at_the_edge(findings: Findings) -> Check | None:
    """Whether a search or an analysis found its best value at the end of what was tried."""
    warnings = []
    is_any = False
    for study in findings.part.studies:
        search = study.files.get(SEARCH)
        scored = [t for t in search["trials"] if t.get("score") is not None] if search else []
        if not search or not scored:
            continue
        is_any = True
        best = max(scored, key=lambda trial: trial["score"])
        at_edge = [
            f"{option}={value_in_words(value)}"
            for option, value in best["options"].items()
            if _is_at_edge(value, search["space"].get(option, ()))
        ]
        if at_edge:
            warnings.append(
                f"The best trial of {study.title} has {listed(at_edge)}, at the end of the space."
            )
    rates = {}
    for (name, rate), runs in findings.points["learning_rate"].items():
        rates.setdefault(name, {})[rate] = mean_score(runs, "val")
    for name, by_rate in rates.items():
        is_any = True
        best = max(by_rate, key=by_rate.__getitem__)
        if _is_at_edge(best, by_rate):
            warnings.append(
                f"{name_of(name)} is best on validation at a learning rate of "
                f"{value_in_words(best)}, at the end of those tried."
            )
    if not is_any:
        return None
    return Check(
        "The best settings lie inside what was tried.", warnings, "Try values beyond that end."
    )


def _is_at_edge(value, tried):
    """Whether a number is the least or the greatest that was tried; 0 has nothing below it."""
    numbers = [one for one in tried if isinstance(one, (int, float)) and not isinstance(one, bool)]
    if isinstance(value, bool) or value not in numbers or len(numbers) < 3 or value == 0:
        return False
    return value in (min(numbers), max(numbers))


def leaks(findings: Findings) -> Check | None:
    """Whether test texts are in the training split, or nearly so."""
    audits = [
        audit
        for runs in findings.compared.values()
        for run in runs
        if (audit := _read_audit(run)) is not None
    ]
    known = [audit for audit in audits if "near_repeats" in audit or "leaks" in audit]
    if not known:
        return None
    warnings = []
    audit = known[0]
    near = audit.get("near_repeats") or {}
    if near and near["texts"] > MOST_REPEATED * near["checked"]:
        warnings.append(
            f"{count(near['texts'])} of {count(near['checked'])} test texts have "
            f"{100 * near['least']:g} % or more of their words in common with a training text."
        )
    plural = findings.modality.plural
    warnings += [
        f"{count(number)} {plural} of the split {name} stand in another split, too."
        for name, number in (audit.get("leaks") or {}).items()
        if number
    ]
    return Check(
        f"Test {plural} are kept out of training.",
        warnings,
        "Remove them, or split by who wrote or spoke them (--group-column).",
    )


def _read_audit(run):
    try:
        return json.loads((run.directory / record.AUDIT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def predicts_every_label(findings: Findings) -> Check:
    """Whether some network never gives some label."""
    warnings = []
    for name, runs in findings.compared.items():
        if runs[0].is_baseline:
            continue
        frame = confusion_frame(runs)
        never = [label for label in frame.columns if frame[label].sum() == 0]
        if never:
            warnings.append(f"{name_of(name)} never answers {listed(never)}.")
    return Check(
        "Every network gives every label.",
        warnings,
        "Give rare labels weight (--balance class_weight), more examples, or more training.",
    )


def is_resolving(findings: Findings) -> Check | None:
    """Whether there are texts and seeds enough to tell models apart."""
    runs = findings.compared[findings.best]
    score = score_runs(runs).get(next(iter(findings.metrics)))
    if score is None or score.high is None or score.low is None:
        return None
    half = (score.high - score.low) / 2
    warnings = []
    if half > WIDEST_HALF:
        warnings.append(
            f"The {_main_in_words(findings)} of {name_of(findings.best)} is known only to within "
            f"±{100 * half:.1f} points."
        )
    if len({run.seed for run in runs}) == 1 and not runs[0].is_baseline:
        warnings.append(
            f"{name_of(findings.best)} was trained with one seed: how much another would change is "
            "not known."
        )
    others = [one for one in findings.differences.values() if one is not None]
    if others and not any(one.is_resolved for one in others):
        warnings.append("No model is resolved to differ from the best.")
    return Check(
        "Examples and seeds are enough to tell some models apart.",
        warnings,
        "Test on more examples or by folds (--folds 5), and train more seeds (--seeds 5).",
    )


CHECKS: tuple[Callable[[Findings], Check | None], ...] = (
    leaks,
    is_beaten_by_baseline,
    predicts_every_label,
    learns_by_heart,
    stops_early,
    is_at_the_edge,
    is_resolving,
)
