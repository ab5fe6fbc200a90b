"""Explanations: what words add to a prediction, and whether predictions rest on these words."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_keras import record
from emotion_keras.evaluation.faithfulness import MEASURES, SHARES, in_words, verdicts
from emotion_keras.inputs import modality_of
from reports.display.figure import (
    WIDTH,
    percent_axis,
    series_style,
    set_title,
    short_names,
    styled,
)
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import count, percent
from reports.findings import Findings
from reports.records import Records, Run
from reports.sections.texts import mean_predictions

TITLE = "Explanations"
NUM_EXPLAINED = 4  # Of right and of wrong texts each.
NUM_WORDS = 8


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts explained texts, and what is known of explanations, on the page."""
    records, best, compared = findings.records, findings.best, findings.compared
    if best is None:
        return None
    # The best model may have nothing to explain; then the next best is shown, and last a run that
    # is not compared.
    ordered = [best, *(name for name in compared if name != best)]
    every = [run for name in ordered for run in compared[name]]
    every = list(dict.fromkeys(every + findings.part.runs))
    gated = [run for run in every if run.gate is not None]
    modality = modality_of(every[0].record)
    section: dict[str, Any] = {
        "units": modality.unit_plural,
        "layout": modality.layout(),
        "plural": modality.plural,
        "whose": "the most probable label" if findings.several else "the predicted label",
        "gated": bool(gated),
        "run": None,
        "texts": [],
        "faithful": {},
        "shown_faithful": {},
        "faithfulness": None,
        "faithfulness_picture": None,
        "gate_words": None,
        "gate_words_picture": None,
    }
    for run in gated:
        if texts := explained_texts(records, run):
            measured = read_faithfulness(records, run)
            section |= {"run": run, "texts": texts}
            if measured is not None:
                section["shown_faithful"] = _in_words(measured, section["units"])
            break
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
    # One run of each model: their texts are the same.
    measured = {}
    for run in every:
        if run.contender not in measured:
            if (frame := read_faithfulness(records, run)) is not None:
                measured[run.contender] = frame
    if measured:
        section["faithful"] = {
            name: _in_words(frame, section["units"]) for name, frame in measured.items()
        }
        label = "most probable label" if findings.several else "predicted label"
        table = faithfulness_table(measured, modality.unit_plural, modality.plural, label)
        section["faithfulness"] = page.add_table(table)
        section["faithfulness_picture"] = page.add_figure(
            "faithfulness",
            f"Dot plot of how much further the {label}'s probability falls without the "
            f"first {modality.unit_plural} of each way of explaining than without random ones, "
            "with 95 % intervals. The numbers are in the table below.",
            draw_faithfulness(table.frame),
        )
    return section


def explained_texts(records: Records, run: Run) -> list[dict[str, Any]]:
    """Texts word by word, right ones and wrong ones of highest confidence.

    Args:
        records: `Records`.
        run: `Run`.

    Returns:
        List of dictionaries of `id`, `label`, `predicted`, `confidence`, `right`, `explained`, the
        label that the words add to, and what an `Explanation` holds; `score` and `rest` are `None`
        of a record that does not say them. Empty
        where explanations were not kept.
    """
    columns = {"id": str, "position": float, "word": str, "gate": float, "contribution": float}
    frame = records.read_beside(run, record.GATES, columns)
    if frame is None or frame.empty or run.predictions is None:
        return []
    by_text = dict(list(frame.sort_values("position").groupby("id", sort=False)))
    ranked = mean_predictions([run]).sort_values("confidence", ascending=False)
    ranked = ranked[ranked["id"].isin(by_text)]
    is_right = ranked["label"] == ranked["predicted"]
    chosen = pd.concat(
        [ranked[is_right].head(NUM_EXPLAINED), ranked[~is_right].head(NUM_EXPLAINED)]
    )
    return [
        {
            "id": row.id,
            "label": row.label,
            "predicted": row.predicted,
            "confidence": row.confidence,
            "right": row.label == row.predicted,
            "explained": row.explained,
            **_explanation(by_text[row.id]),
        }
        for row in chosen.itertuples()
    ]


def _explanation(frame):
    words = [
        {"word": word, "gate": gate, "contribution": None if np.isnan(added) else added}
        for word, gate, added in zip(
            frame["word"], frame["gate"], frame["contribution"], strict=True
        )
    ]
    if "score" not in frame:
        return {"words": words, "rest": None, "score": None}
    score = float(frame["score"].iloc[0])
    return {"words": words, "rest": score - frame["contribution"].sum(), "score": score}


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


def read_faithfulness(records: Records, run: Run) -> pd.DataFrame | None:
    """What `measure_faithfulness` found of a run, or `None` where it was not measured."""
    texts = dict.fromkeys(("order", "measure"), str)
    numbers = ("share_of_words", "num_texts", "mean_drop", "beyond_random")
    ends = [f"{name}_{end}" for name in numbers[2:] for end in ("low", "high")]
    frame = records.read_beside(
        run, record.FAITHFULNESS, texts | dict.fromkeys([*numbers, *ends], float)
    )
    if frame is None or frame.empty:
        return None
    if "milliseconds" not in frame:
        return frame.assign(milliseconds=np.nan)
    return frame.assign(milliseconds=pd.to_numeric(frame["milliseconds"], errors="coerce"))


def _in_words(frame, units):
    return in_words(frame.to_dict("records"), units)


def faithfulness_table(
    measured: dict[str, pd.DataFrame], units: str, plural: str, label: str = "predicted label"
) -> Table:
    """How much more predictions change without the first words of each way than without random.

    Args:
        measured: Dictionary of what `read_faithfulness` gives by model.
        units: What the words are called, in the plural.
        plural: What the texts are called.
        label: Whose probability falls.

    Returns:
        `Table` of a row a model and way.
    """
    rows, shown, bold = [], [], set()
    for model, frame in measured.items():
        found = frame.assign(verdict=verdicts(frame.to_dict("records")))
        for order, of_order in found[found["order"] != "random"].groupby("order", sort=False):
            row = {"model": model, "way": order, "milliseconds": of_order["milliseconds"].iloc[0]}
            cells = {
                "Model": name_of(model),
                "Way": order.replace("_", " "),
                "ms": "–" if np.isnan(row["milliseconds"]) else f"{row['milliseconds']:.1f}",
            }
            for measure in MEASURES:
                for share in SHARES:
                    name = f"{measure}_{100 * share:.0f}"
                    is_it = (of_order["measure"] == measure) & (of_order["share_of_words"] == share)
                    (at,) = of_order[is_it].to_dict("records")
                    ends = ("", "_low", "_high")
                    row |= {f"{name}{end}": at[f"beyond_random{end}"] for end in ends}
                    heading = f"{_WITHOUT_OR_ALONE[measure]} {100 * share:.0f} %"
                    cells[heading] = _with_half(at)
                    if at["verdict"] == "better":
                        bold.add((len(rows), heading))
            rows.append(row)
            shown.append(cells)
    frame, shown = pd.DataFrame(rows), pd.DataFrame(shown)
    num_texts = max(of_model["num_texts"].max() for of_model in measured.values())
    numbers = {
        f"{_WITHOUT_OR_ALONE[measure]} {100 * share:.0f} %": f"{measure}_{100 * share:.0f}"
        for measure in MEASURES
        for share in SHARES
    }
    older = ""
    if frame["milliseconds"].isna().any():
        older = " Where no milliseconds stand, punctuation marks count as words."
    return Table(
        "faithfulness",
        f"How much further the {label}’s probability falls than with random {units}, in "
        f"points, without the first 10, 20 and 50 % of {units} by each way of explaining "
        "(comprehensiveness: more is better) and with these alone (sufficiency: less is better; "
        f"DeYoung et al. 2020). Means of at most {count(num_texts)} test {plural} with 95 % "
        f"intervals, paired; in bold what is better than random {units} after Holm's correction "
        "for all of a model's. ms: milliseconds to explain one of them, not measured alone."
        + older,
        frame,
        shown,
        {"ms": "milliseconds", **numbers},
        frozenset(bold),
    )


_WITHOUT_OR_ALONE = {"comprehensiveness": "Without", "sufficiency": "Alone"}


def _with_half(row):
    mean = percent(row["beyond_random"], signed=True)
    if np.isnan(row["beyond_random_low"]):
        return mean
    return f"{mean} ±{100 * (row['beyond_random_high'] - row['beyond_random']):.1f}"


@styled
def draw_faithfulness(frame: pd.DataFrame) -> Figure:
    """How far ways are beyond random, from the frame of the table; a panel a model."""
    models = list(dict.fromkeys(frame["model"]))
    heights = [(frame["model"] == model).sum() for model in models]
    figure = Figure(figsize=(WIDTH, 1.0 + 0.42 * len(frame) + 0.35 * len(models)))
    panels = figure.subplots(
        len(models), sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    for axes, model in zip(panels, models, strict=True):
        own = frame[frame["model"] == model]
        places = np.arange(len(own))
        for number, share in enumerate(SHARES):
            name = f"comprehensiveness_{100 * share:.0f}"
            at = places + 0.22 * (number - 1)
            series = series_style(number)
            axes.hlines(at, own[f"{name}_low"], own[f"{name}_high"], color=series["color"])
            axes.plot(own[name], at, **series, linestyle="none")
            if axes is panels[0]:
                end = np.nanmax([own[f"{name}_high"].iloc[0], own[name].iloc[0]])
                axes.annotate(
                    f"without {100 * share:.0f} %", (end, at[0]), (4, 0),
                    textcoords="offset points", va="center", fontsize=7, color=series["color"],
                )  # fmt: skip
        axes.axvline(0, color="#8b909b", linewidth=0.8)
        axes.set_yticks(places, [way.replace("_", " ") for way in own["way"]])
        axes.set_ylim(len(own) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        set_title(axes, *short_names([name_of(model)]))
    percent_axis(panels[-1].xaxis)
    panels[-1].set_xlabel("fall of the probability beyond that with random ones, points")
    return figure


@styled
def draw_gate_words(frame: pd.DataFrame) -> Figure:
    """Mean gate of the words that it opens and closes most, from the frame of their table."""
    figure = Figure(figsize=(WIDTH, 0.9 + 0.24 * len(frame)))
    axes = figure.subplots()
    places = np.arange(len(frame))
    for number, side in enumerate(("opened most", "closed most")):
        own = (frame["side"] == side).to_numpy()
        series = series_style(number)
        axes.plot(frame["gate"][own], places[own], **series, linestyle="none")
        axes.annotate(
            side, (frame["gate"][own].iloc[0], places[own][0]), (8, 0),
            textcoords="offset points", va="center", fontsize=8, color=series["color"],
        )  # fmt: skip
    axes.set_yticks(places, short_names(frame["word"]))
    axes.set_ylim(len(frame) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("mean gate (0 closed, 1 open)")
    return figure
