"""Errors: those that matter, and the labels that are confused."""

from typing import Any

import pandas as pd

from emotion_keras import record
from emotion_keras.evaluation.predictions import probability_columns
from emotion_keras.inputs import Input
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import count, percent
from reports.findings import Findings
from reports.records import Records, Run
from reports.sections.labels import confusion_frame

TITLE = "Errors"
NUM_ERRORS = 12
NUM_PAIRS = 8
NUM_EXAMPLES = 2


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts errors on the page; see `reports.sections`."""
    records, best, compared = findings.records, findings.best, findings.compared
    if best is None:
        return None
    runs = compared[best]
    section: dict[str, Any] = {
        "best": best,
        "errors": None,
        "texts": {},
        "examples": [],
    }
    section["pairs"] = page.add_table(pairs_table(runs, best))
    if all(run.predictions is not None for run in runs):
        of_texts = read_texts(records, runs)
        predictions = mean_predictions(runs)
        section["texts"] = of_texts
        section["errors"] = page.add_table(errors_table(predictions, of_texts, findings.modality))
        section["examples"] = pair_examples(section["pairs"].frame, predictions, of_texts)
    return section


def read_texts(records: Records, runs: list[Run]) -> dict[str, str]:
    """Texts of the test split by id, from whichever runs' folders hold them.

    Args:
        records: `Records`.
        runs: List of `Run`.

    Returns:
        Dictionary, empty where texts were not kept, as of published records.
    """
    texts = {}
    for run in runs:
        frame = records.read_beside(run, record.TEXTS, {"id": str, "text": str})
        if frame is not None:
            texts |= dict(zip(frame["id"], frame["text"], strict=True))
    return texts


def mean_predictions(runs: list[Run]) -> pd.DataFrame:
    """What runs say of each test text together: the mean of their probabilities.

    Args:
        runs: List of `Run` with predictions.

    Returns:
        Data frame of a row a text: `id`, `label`, `predicted`, `confidence`.
    """
    rows = pd.concat([run.predictions[run.predictions["split"] == "test"] for run in runs])
    target = runs[0].target
    means = rows.groupby("id", sort=False)[probability_columns(target.labels)].mean()
    return pd.DataFrame(
        {
            "id": means.index,
            "label": rows.groupby("id", sort=False)["label"].first().to_numpy(),
            "predicted": target.decide(means.to_numpy()),
            "confidence": means.max(axis=1).to_numpy(),
        }
    )


def errors_table(predictions: pd.DataFrame, texts: dict[str, str], modality: type[Input]) -> Table:
    """The texts that are wrong with most confidence.

    Args:
        predictions: What `mean_predictions` gives.
        texts: Dictionary of texts by id.
        modality: Class of the `Input` that they are of.

    Returns:
        `Table`.
    """
    wrong = predictions[predictions["label"] != predictions["predicted"]]
    frame = wrong.sort_values("confidence", ascending=False).head(NUM_ERRORS)
    frame = frame.reset_index(drop=True)
    shown = pd.DataFrame(
        {
            modality.singular.capitalize(): frame["id"],
            "Label": frame["label"],
            "Predicted": frame["predicted"],
            "Confidence, %": frame["confidence"].map(percent),
        }
    )
    if texts:
        frame["text"] = [texts.get(name, "") for name in frame["id"]]
        shown["Where it lies" if modality.reads_files else "What it says"] = frame["text"]
    return Table(
        "errors",
        f"The runs label {len(wrong):,} of {len(predictions):,} test {modality.plural} wrongly; "
        "these are the errors of highest confidence, by the mean of the runs' probabilities.",
        frame,
        shown,
        {"Confidence, %": "confidence"},
    )


def pairs_table(runs: list[Run], name: str) -> Table:
    """The pairs of a true and a predicted label that are confused most, added up over runs."""
    matrix = confusion_frame(runs)
    frame = pd.DataFrame(
        {
            "label": label,
            "predicted": other,
            "count": int(matrix.loc[label, other]),
            "share": float(matrix.loc[label, other] / matrix.loc[label].sum()),
        }
        for label in matrix.index
        for other in matrix.columns
        if label != other
    )
    frame = frame[frame["count"] > 0].sort_values("count", ascending=False, kind="stable")
    frame = frame.head(NUM_PAIRS).reset_index(drop=True)
    shown = pd.DataFrame(
        {
            "Label": frame["label"],
            "Predicted": frame["predicted"],
            "Predictions": frame["count"].map(count),
            "Share of the label, %": frame["share"].map(percent),
        }
    )
    return Table(
        "confused_pairs",
        f"{name}: the labels most often confused with another, predictions of the test split added "
        f"up over {len(runs)} runs.",
        frame,
        shown,
        {"Predictions": "count", "Share of the label, %": "share"},
    )


def pair_examples(
    pairs: pd.DataFrame, predictions: pd.DataFrame, texts: dict[str, str]
) -> list[dict[str, Any]]:
    """For the pairs confused most, the texts that were taken so with most confidence.

    Args:
        pairs: Frame of `pairs_table`.
        predictions: What `mean_predictions` gives.
        texts: Dictionary of texts by id.

    Returns:
        List of dictionaries of `label`, `predicted` and `texts`, of those with a text.
    """
    ranked = predictions.sort_values("confidence", ascending=False)
    found = []
    for label, predicted in zip(pairs["label"], pairs["predicted"], strict=True):
        own = ranked[(ranked["label"] == label) & (ranked["predicted"] == predicted)]
        there = [texts[name] for name in own["id"] if name in texts]
        if there:
            found.append({"label": label, "predicted": predicted, "texts": there[:NUM_EXAMPLES]})
    return found
