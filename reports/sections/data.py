"""The data card: what is known of the corpus."""

import json
from typing import Any

import pandas as pd

from emotion_keras import record
from emotion_keras.inputs import TextInput, modality_of
from emotion_keras.targets.multi import NONE
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import count
from reports.findings import Findings
from reports.records import Run

TITLE = "Data card"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts the data card on the page; see `reports.sections`."""
    card = data_card(findings.part.runs)
    for name in ("labels", "steps"):
        page.add_table(card[name])
    return card


def data_card(runs: list[Run]) -> dict[str, Any]:
    """What is known of the corpus of some runs, from their records and their audit.

    Args:
        runs: Non-empty list of `Run` on the same data.

    Returns:
        Dictionary of `facts`, a list of pairs of a name and a text; `labels` and `steps`, each a
        `Table` or `None`.
    """
    whole = [run for run in runs if _protocol(run).get("train_fraction", 1) == 1]
    run = next((run for run in whole or runs if _audit(run)), (whole or runs)[0])
    try:
        return _data_card(run, _audit(run) or {})
    except (AttributeError, KeyError, TypeError, ValueError):
        # An audit of another make; the record says enough without it.
        return _data_card(run, {})


def _data_card(run, audit):
    corpus = run.record["corpus"]
    protocol = corpus["protocol"]
    is_by_subject = protocol.get("by_subject")
    kind = modality_of(run.record)
    whose = {"text": "respondent"}.get(kind.name, "person")
    kept_together = (
        f"no {f'{whose} and no ' if is_by_subject else ''}{kind.singular} in two of them"
    )
    facts = [
        ("Corpus", corpus["name"]),
        ("Licence", corpus.get("licence") or "not recorded"),
        ("File", f"SHA-256 {corpus['sha256']}"),
        (kind.plural.capitalize(), count(corpus.get("num_examples"))),
        (
            "Split",
            f"{count(protocol.get('num_train'))} to train, {count(protocol.get('num_val'))} to "
            f"validate, {count(protocol.get('num_test'))} to test; {kept_together}",
        ),
    ]
    if sizes := audit.get(kind.size_unit):
        facts.append(
            (
                f"{kind.size_unit.capitalize()} a {kind.singular}",
                f"median {sizes['p50']:g}, mean {sizes['mean']:g}, 5th to 95th percentile "
                f"{sizes['p5']:g} to {sizes['p95']:g}, longest {sizes['most']:g}",
            )
        )
    if repeats := audit.get("repeats"):
        facts.append(
            (
                "Exact repeats",
                f"{repeats['texts']} {kind.plural} occur {repeats['examples']} times in all",
            )
        )
    several = run.target.several
    if conflicts := audit.get("two_labels"):
        of_two = "two sets of labels" if several else "two labels"
        facts.append((f"{kind.plural.capitalize()} with {of_two}", f"{conflicts['texts']}"))
    if several and audit.get("labels"):
        held = {label: counts["out"] for label, counts in audit["labels"].items()}
        without = held.pop(NONE, 0)
        mean = sum(held.values()) / audit["num_out"]
        facts.append(
            (
                f"Labels of one of the {kind.plural}",
                f"mean {mean:.2f}; {count(without)} without any",
            )
        )
    near = audit.get("near_repeats")
    # Of two recordings or images nobody says how much they have in common.
    if near is not None or kind is TextInput:
        facts.append(("Near-repeats across splits", _near(near)))
    return {
        "facts": facts,
        "labels": _labels_table(run, audit, kind.plural),
        "steps": _steps_table(audit, kind.plural),
    }


def _near(near):
    if near is None:
        return "not recorded"
    return (
        f"{count(near['texts'])} of {count(near['checked'])} test texts have "
        f"{100 * near['least']:g} % or more of their words in common with a training text"
    )


def _protocol(run):
    return run.record["corpus"]["protocol"]


def _audit(run):
    path = run.directory / record.AUDIT
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _labels_table(run, audit, plural):
    balance = audit.get("balance", {}).get("labels", {})
    metrics = run.record["metrics"]
    rows = []
    for label in run.labels:
        row = {"label": label, "train": balance.get(label, {}).get("num_in")}
        for split in ("val", "test"):
            row[split] = metrics.get(split, {}).get("per_label", {}).get(label, {}).get("support")
        rows.append(row)
    frame = pd.DataFrame(rows).astype(dict.fromkeys(("train", "val", "test"), float))
    shown = pd.DataFrame({"Label": frame["label"]})
    titles = {"train": "Train", "val": "Validate", "test": "Test"}
    for split, title in titles.items():
        shown[title] = frame[split].map(count)
    sort_by = {title: split for split, title in titles.items()}
    caption = f"{plural.capitalize()} of each label by split."
    if run.target.several:
        caption = (
            f"{plural.capitalize()} of which each label holds, by split; several may hold of one, "
            "so that columns do not add up."
        )
    return Table("labels", caption, frame, shown, sort_by)


def _num_removed(step, why):
    """How many examples a step removed; where several labels may hold, labels count more."""
    return step.get("num_removed", {}).get(why, sum(step["removed"][why].values()))


def _steps_table(audit, plural):
    if not audit.get("steps"):
        return None
    frame = pd.DataFrame(
        {
            "step": step["step"],
            "in": step["num_in"],
            "changed": step.get("changed", 0),
            "removed": step["num_in"] - step["num_out"],
            "why": "; ".join(f"{why}: {_num_removed(step, why)}" for why in step["removed"]),
        }
        for step in audit["steps"]
    )
    before = f"{plural.capitalize()} before"
    shown = pd.DataFrame(
        {
            "Step": frame["step"].str.replace("_", " "),
            before: frame["in"].map(count),
            "Changed": frame["changed"].map(count),
            "Removed": frame["removed"].map(count),
            "Why": frame["why"].replace("", "–"),
        }
    )
    sort_by = {before: "in", "Changed": "changed", "Removed": "removed"}
    return Table(
        "preparation", "What the preparation of the corpus changed.", frame, shown, sort_by
    )
