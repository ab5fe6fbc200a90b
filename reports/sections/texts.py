"""The test texts: an explorer of what each model says of them, and the errors that matter."""

import base64
import json
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from emotion_keras import record
from emotion_keras.evaluation.predictions import probability_columns
from emotion_keras.inputs import Input
from emotion_keras.targets import MultiLabel, Target
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import count, percent
from reports.findings import Findings
from reports.records import Records, Run
from reports.sections.labels import confusion_frame, label_totals

TITLE = "Explore the test split"
NUM_ERRORS = 12
NUM_PAIRS = 8

_TOGETHER = (
    " and thresholds. The confidence is the probability that all labels are right, if they did not "
    "depend on each other"
)

# What the explorer may add to the page; beyond it texts are left out, those answered best first.
MOST_CHARACTERS = 3_000_000


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts the explorer and errors on the page; see `reports.sections`."""
    records, best, compared = findings.records, findings.best, findings.compared
    if best is None:
        return None
    runs = compared[best]
    section: dict[str, Any] = {"errors": None, "texts": {}, "explorer": None}
    section["pairs"] = page.add_table(pairs_table(runs, name_of(best)))
    known = {
        name: mean_predictions(of_name)
        for name, of_name in compared.items()
        if all(run.predictions is not None for run in of_name)
    }
    if best in known:
        of_texts = read_texts(records, findings.part.runs)
        section["texts"] = of_texts
        section["errors"] = page.add_table(
            errors_table(known[best], of_texts, findings.modality, findings.several)
        )
        ordered = {best: known[best], **known}
        section["explorer"] = explorer(ordered, runs[0].target, of_texts)
        section["is_isear"] = findings.part.data.name == "isear"
    return section


def explorer(
    predictions: dict[str, pd.DataFrame], target: Target, texts: dict[str, str]
) -> dict[str, Any]:
    """What the explorer's script reads, small enough for a page.

    Args:
        predictions: Dictionary by contender of what `mean_predictions` gives, that of the best
            model first.
        target: The kind of label, with the labels.
        texts: Dictionary of texts by id.

    Returns:
        Dictionary of `json`, safe inside a `script` element: `labels`, `models`, `ids`, `texts`
        (empty where none are known) and, as base64 of bytes, `truth`, and of each model `said` and
        `confidence` (255 is 1), a byte a text; and of `total` and `kept`, how many texts there are
        and how many are in it. Where several labels may hold of a text, `truth` and `said` are two
        bytes a text, places in `cells`; of each of these `holds` has the places of its labels.
    """
    by_model = {name: frame.set_index("id") for name, frame in predictions.items()}
    first = next(iter(by_model.values()))
    ids = first.index
    for frame in by_model.values():
        ids = ids.intersection(frame.index, sort=False)
    total = len(ids)
    # Where room is short the errors stay, and the answers that are right with least confidence.
    wrong = (first["label"] != first["predicted"]).loc[ids]
    ranked = ids[np.lexsort([first["confidence"].loc[ids], ~wrong])]
    sizes = np.cumsum(
        [len(json.dumps([i, texts.get(i, "")])) + 2 + 3 * len(by_model) for i in ranked]
    )
    kept = set(ranked[: int(np.searchsorted(sizes, MOST_CHARACTERS, side="right"))])
    ids = [one for one in ids if one in kept]
    cells, integer = list(target.labels), np.uint8
    of_cells = {}
    if target.several:
        answers = [first["label"], *(frame["predicted"] for frame in by_model.values())]
        cells = list(dict.fromkeys(cell for column in answers for cell in column.loc[ids]))
        holds = [np.flatnonzero(row).tolist() for row in target.encode(cells)]
        of_cells, integer = {"cells": cells, "holds": holds}, np.dtype("<u2")
    number = {cell: position for position, cell in enumerate(cells)}
    content = {
        "labels": list(target.labels),
        **of_cells,
        "models": [name_of(name) for name in by_model],
        "ids": ids,
        "texts": [texts.get(one, "") for one in ids] if texts else [],
        "truth": _bytes(first.loc[ids, "label"].map(number), integer),
        "said": [
            _bytes(frame.loc[ids, "predicted"].map(number), integer) for frame in by_model.values()
        ],
        "confidence": [
            _bytes((255 * frame.loc[ids, "confidence"]).round()) for frame in by_model.values()
        ],
    }
    text = json.dumps(content, separators=(",", ":"))
    # Nothing in it can end the element or open one, and no mark turns the direction of the page.
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return {"json": Markup(safe), "total": total, "kept": len(ids), "models": content["models"]}


def _bytes(values, integer=np.uint8):
    return base64.b64encode(np.asarray(values, integer).tobytes()).decode("ascii")


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

    Where several labels may hold of a text, it is decided by the mean of the runs' thresholds.

    Args:
        runs: List of `Run` with predictions.

    Returns:
        Data frame of a row a text: `id`, `label`, `predicted`, `confidence`, and `explained`, the
        label that an explanation is about.
    """
    rows = pd.concat([run.predictions[run.predictions["split"] == "test"] for run in runs])
    target = runs[0].target
    if target.several:
        thresholds = np.mean([run.target.thresholds for run in runs], axis=0)
        target = MultiLabel(target.labels, thresholds)
    means = rows.groupby("id", sort=False)[probability_columns(target.labels)].mean()
    probabilities = means.to_numpy()
    predicted = target.decide(probabilities)
    return pd.DataFrame(
        {
            "id": means.index,
            "label": rows.groupby("id", sort=False)["label"].first().to_numpy(),
            "predicted": predicted,
            "confidence": target.confidence(predicted, probabilities),
            "explained": np.array(target.labels)[target.explained(probabilities)],
        }
    )


def errors_table(
    predictions: pd.DataFrame,
    texts: dict[str, str],
    modality: type[Input],
    several: bool = False,
) -> Table:
    """The texts that are wrong with most confidence.

    Args:
        predictions: What `mean_predictions` gives.
        texts: Dictionary of texts by id.
        modality: Class of the `Input` that they are of.
        several: Whether several labels may hold of a text.

    Returns:
        `Table`.
    """
    predictions = predictions[["id", "label", "predicted", "confidence"]]
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
        f"The runs label {len(wrong):,} of {len(predictions):,} test {modality.plural} wrongly"
        f"{', in some label or more' if several else ''}; "
        "these are the errors of highest confidence, by the mean of the runs' probabilities"
        f"{_TOGETHER if several else ''}.",
        frame,
        shown,
        {"Confidence, %": "confidence"},
    )


def pairs_table(runs: list[Run], name: str) -> Table:
    """The pairs of a true and a predicted label that are confused most, added up over runs."""
    matrix, totals = confusion_frame(runs), label_totals(runs)
    frame = pd.DataFrame(
        {
            "label": label,
            "predicted": other,
            "count": int(matrix.loc[label, other]),
            "share": float(matrix.loc[label, other] / totals[label]),
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
    if runs[0].target.several:
        caption = (
            f"{name}: the labels most often answered wrongly where another label holds, answers to "
            f"the test split added up over {len(runs)} runs."
        )
        shown = shown.rename(
            columns={"Label": "It holds", "Predicted": "Wrongly answered", "Predictions": "Answers"}
        )
        sort_by = {"Answers": "count", "Share of the label, %": "share"}
        return Table("confused_pairs", caption, frame, shown, sort_by)
    return Table(
        "confused_pairs",
        f"{name}: the labels most often confused with another, predictions of the test split added "
        f"up over {len(runs)} runs.",
        frame,
        shown,
        {"Predictions": "count", "Share of the label, %": "share"},
    )
