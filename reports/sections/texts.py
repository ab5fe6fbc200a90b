"""Texts: the errors that matter, the labels that are confused, and the gate's view."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_keras import record
from emotion_keras.evaluation.faithfulness import in_words, verdicts
from emotion_keras.evaluation.predictions import probability_columns
from reports.display.figure import add_legend, series_style, short_names, styled
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import count, interval, percent
from reports.findings import Findings
from reports.records import Records, Run
from reports.sections.labels import confusion_frame

TITLE = "Texts"
NUM_ERRORS = 12
NUM_PAIRS = 8
NUM_EXAMPLES = 2
NUM_GATED = 4  # Of right and of wrong texts each.
NUM_WORDS = 12


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts errors and the gate's view of texts on the page; see `reports.sections`."""
    records, best, compared = findings.records, findings.best, findings.compared
    if best is None:
        return None
    runs = compared[best]
    section: dict[str, Any] = {
        "best": best,
        "errors": None,
        "texts": {},
        "examples": [],
        "gate": None,
    }
    section["pairs"] = page.add_table(pairs_table(runs, best))
    if all(run.predictions is not None for run in runs):
        of_texts = read_texts(records, runs)
        predictions = mean_predictions(runs)
        section["texts"] = of_texts
        section["errors"] = page.add_table(errors_table(predictions, of_texts))
        section["examples"] = pair_examples(section["pairs"].frame, predictions, of_texts)
    # The best model may have no gate; then the gate's view is that of the best that has one, and
    # last that of a run that is not compared.
    ordered = [best, *(name for name in compared if name != best)]
    every = [run for name in ordered for run in compared[name]] + findings.part.runs
    gated = list(dict.fromkeys(run for run in every if run.gate is not None))
    section["gated"] = bool(gated)
    for run in gated:
        if (view := gate_view(records, run)) is not None:
            section["gate"] = {"run": run, **view}
            break
    section["gate_words"] = section["gate_words_picture"] = None
    for run in gated:
        if (table := gate_words_table(records, run)) is not None:
            section["gate_words"] = page.add_table(table)
            section["gate_words_picture"] = page.add_figure(
                "gate_words",
                f"Mean gate of the words that {run.name} opens and closes most. The numbers are in "
                "the table below.",
                draw_gate_words(table.frame),
            )
            break
    section["faithfulness"], section["faithful"] = None, []
    for run in gated:
        if (table := faithfulness_table(records, run)) is not None:
            section["faithfulness"] = page.add_table(table)
            section["faithful"] = in_words(table.frame.to_dict("records"))
            break
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


def errors_table(predictions: pd.DataFrame, texts: dict[str, str]) -> Table:
    """The texts that are wrong with most confidence.

    Args:
        predictions: What `mean_predictions` gives.
        texts: Dictionary of texts by id.

    Returns:
        `Table`.
    """
    wrong = predictions[predictions["label"] != predictions["predicted"]]
    frame = wrong.sort_values("confidence", ascending=False).head(NUM_ERRORS)
    frame = frame.reset_index(drop=True)
    shown = pd.DataFrame(
        {
            "Text": frame["id"],
            "Label": frame["label"],
            "Predicted": frame["predicted"],
            "Confidence, %": frame["confidence"].map(percent),
        }
    )
    if texts:
        frame["text"] = [texts.get(name, "") for name in frame["id"]]
        shown["What it says"] = frame["text"]
    return Table(
        "errors",
        f"The runs label {len(wrong):,} of {len(predictions):,} test texts wrongly; these are the "
        "errors of highest confidence, by the mean of the runs' probabilities.",
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


def gate_view(records: Records, run: Run) -> dict[str, Any] | None:
    """Texts word by word with the gate's values, right ones and wrong ones.

    Args:
        records: `Records`.
        run: `Run` of a gated model.

    Returns:
        Dictionary of `low` and `high`, the gates at which shading begins and ends, and `texts`, a
        list of dictionaries of `id`, `label`, `predicted`, `confidence`, `right` and `words`, each
        of those with `word`, `gate`, `contribution` and `shade` between 0 and 1. Or `None`.
    """
    columns = {"id": str, "position": float, "word": str, "gate": float, "contribution": float}
    gates = records.read_beside(run, record.GATES, columns)
    if gates is None or gates.empty or run.predictions is None:
        return None
    # The middle nine tenths have the whole range of shades, so that one odd word does not take it.
    low, high = np.quantile(gates["gate"], [0.05, 0.95])
    by_text = dict(list(gates.sort_values("position").groupby("id", sort=False)))
    ranked = mean_predictions([run]).sort_values("confidence", ascending=False)
    ranked = ranked[ranked["id"].isin(by_text)]
    is_right = ranked["label"] == ranked["predicted"]
    chosen = pd.concat([ranked[is_right].head(NUM_GATED), ranked[~is_right].head(NUM_GATED)])
    texts = []
    for row in chosen.itertuples():
        words = by_text[row.id]
        shades = ((words["gate"] - low) / max(high - low, 1e-9)).clip(0, 1)
        texts.append(
            {
                "id": row.id,
                "label": row.label,
                "predicted": row.predicted,
                "confidence": row.confidence,
                "right": row.label == row.predicted,
                "words": [
                    {"word": word, "gate": gate, "contribution": share, "shade": shade}
                    for word, gate, share, shade in zip(
                        words["word"], words["gate"], words["contribution"], shades, strict=True
                    )
                ],
            }
        )
    return {"low": float(low), "high": float(high), "texts": texts}


def gate_words_table(records: Records, run: Run) -> Table | None:
    """The words that a gate opens and closes most, or `None` where they were not kept."""
    frame = records.read_beside(
        run, record.GATE_WORDS, {"word": str, "count": float, "gate": float}
    )
    if frame is None or frame.empty:
        return None
    ranked = frame.sort_values(["gate", "word"], ascending=[False, True], ignore_index=True)
    num_words = min(NUM_WORDS, len(ranked) // 2)
    if not num_words:
        return None
    sides = {"opened most": ranked.head(num_words), "closed most": ranked.tail(num_words)}
    frame = pd.concat([rows.assign(side=side) for side, rows in sides.items()], ignore_index=True)
    shown = pd.DataFrame(
        {
            "Word": frame["word"],
            "Mean gate": [f"{gate:.3f}" for gate in frame["gate"]],
            "Occurrences": frame["count"].map(count),
            "Side": frame["side"],
        }
    )
    return Table(
        "gate_words",
        f"{run.name}: mean gate of the words of the test split that it opens and closes most, of "
        "those that stand in five texts or more.",
        frame,
        shown,
        {"Mean gate": "gate", "Occurrences": "count"},
    )


def faithfulness_table(records: Records, run: Run) -> Table | None:
    """How predictions change without some words, or `None` where it was not measured."""
    texts = dict.fromkeys(("order", "measure"), str)
    numbers = ("share_of_words", "num_texts", "mean_drop", "beyond_random")
    ends = [f"{name}_{end}" for name in numbers[2:] for end in ("low", "high")]
    frame = records.read_beside(
        run, record.FAITHFULNESS, texts | dict.fromkeys([*numbers, *ends], float)
    )
    if frame is None or frame.empty:
        return None
    shown = pd.DataFrame(
        {
            "Words by": frame["order"],
            "Of the words, %": [f"{100 * share:.0f}" for share in frame["share_of_words"]],
            "Measure": frame["measure"],
            "Drop, points": frame["mean_drop"].map(percent),
            "95 % interval": [*map(interval, frame["mean_drop_low"], frame["mean_drop_high"])],
            "Beyond random": [percent(value, signed=True) for value in frame["beyond_random"]],
            "Its 95 % interval": [
                interval(*of_row, signed=True)
                for of_row in zip(
                    frame["beyond_random_low"], frame["beyond_random_high"], strict=True
                )
            ],
            "Against random": verdicts(frame.to_dict("records")),
        }
    )
    return Table(
        "faithfulness",
        f"{run.name}: how far the predicted label’s probability drops when the first words by "
        "gate, by contribution to the label’s score or by chance are deleted (comprehensiveness: "
        "more is better) or kept alone (sufficiency: less is better; DeYoung et al. 2020). Means "
        f"of {count(frame['num_texts'].max())} test texts; intervals are over texts, differences "
        "are paired by text, and resolved after Holm's correction for all of them. Punctuation "
        "marks count as words.",
        frame,
        shown,
        {
            "Of the words, %": "share_of_words",
            "Drop, points": "mean_drop",
            "Beyond random": "beyond_random",
        },
    )


@styled
def draw_gate_words(frame: pd.DataFrame) -> Figure:
    """Mean gate of the words that it opens and closes most, from the frame of their table."""
    figure = Figure(figsize=(6.4, 0.9 + 0.24 * len(frame)))
    axes = figure.subplots()
    places = np.arange(len(frame))
    for number, side in enumerate(("opened most", "closed most")):
        own = (frame["side"] == side).to_numpy()
        series = series_style(number)
        axes.plot(frame["gate"][own], places[own], **series, linestyle="none", label=side)
    axes.set_yticks(places, short_names(frame["word"]))
    axes.set_ylim(len(frame) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("mean gate (0 closed, 1 open)")
    add_legend(figure, axes)
    return figure
