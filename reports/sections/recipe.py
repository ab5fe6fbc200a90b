"""What ways of learning add to a network, by the validation split alone."""

from typing import Any

import pandas as pd

from emotion_keras.evaluation.scores import are_of_several
from emotion_keras.evaluation.significance import LEVEL
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import capitalized, interval, listed, p_in_words, percent
from reports.findings import Findings, analyses
from reports.records import SENSITIVITY, Part
from reports.scores import with_intervals

TITLE = "Recipes"

_PLAIN = "plain"


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts a table of recipes on the page; see `reports.sections`."""
    frame = recipe_frame(findings.part)
    if frame.empty:
        return None
    table = recipe_table(frame, findings.modality.plural, findings.right)
    return {"answer": answer(frame), "table": page.add_table(table)}


def recipe_frame(part: Part) -> pd.DataFrame:
    """What the analysis has kept of each recipe, a row each.

    Args:
        part: `Part`.

    Returns:
        Data frame of `contender`, `recipe`, `runs`, and on the validation split `accuracy_mean`,
        `accuracy_low` and `accuracy_high`, where several labels may hold of an example the same
        of `macro_f1`; `difference` from plain training with
        `difference_low`, `difference_high` and `p_holm`; and `time`, as a multiple of that of plain
        training. What is unknown is missing.
    """
    rows = []
    for study in analyses(part, "recipe"):
        points = study.files[SENSITIVITY]["points"]
        plain = {p["contender"]: p["seconds"] for p in points if p["value"] == _PLAIN}
        for point in points:
            accuracy, beyond = point["val"]["accuracy"], point.get("difference", {})
            seconds = plain.get(point["contender"])
            rows.append(
                {
                    "contender": point["contender"],
                    "recipe": point["value"],
                    "runs": len(point["run_ids"]),
                    **_macro_f1(point["val"]),
                    "accuracy_mean": accuracy["mean"],
                    "accuracy_low": accuracy["low"],
                    "accuracy_high": accuracy["high"],
                    "difference": beyond.get("difference"),
                    "difference_low": beyond.get("low"),
                    "difference_high": beyond.get("high"),
                    "p_holm": beyond.get("p_holm"),
                    "time": point["seconds"] / seconds if seconds else None,
                }
            )
    frame = pd.DataFrame(rows)
    texts = ("contender", "recipe", "runs")
    return frame.astype({name: float for name in frame if name not in texts})


def _macro_f1(scores):
    """The macro F1 of several labels, which ranks models; of one label the table has none."""
    if not are_of_several(scores):
        return {}
    return {f"macro_f1_{end}": scores["macro_f1"][end] for end in ("mean", "low", "high")}


def answer(frame: pd.DataFrame) -> str:
    """Which recipes help and which harm, where that is resolved: a sentence or two.

    Args:
        frame: What `recipe_frame` gives.
    """
    said = []
    for contender, own in frame.groupby("contender", sort=False):
        resolved = own[own["p_holm"] <= LEVEL]
        parts = [
            f"{verb} {listed(map(in_words, names))}"
            for verb, names in (
                ("helped by", resolved[resolved["difference"] > 0]["recipe"]),
                ("harmed by", resolved[resolved["difference"] < 0]["recipe"]),
            )
            if len(names)
        ]
        if parts:
            said.append(f"On the validation split {name_of(contender)} is {' and '.join(parts)}.")
        else:
            said.append(f"No recipe is resolved to help or to harm {name_of(contender)}.")
    return " ".join(said)


def in_words(recipe: str) -> str:
    """What readers call a recipe."""
    return {"r_drop": "R-Drop"}.get(recipe, recipe.replace("_", " "))


def recipe_table(frame: pd.DataFrame, plural: str, right: str = "accuracy") -> Table:
    """What runs reach by each recipe.

    Args:
        frame: What `recipe_frame` gives.
        plural: What the examples are called.
        right: What the share of examples is called that are answered rightly.
    """
    heading = f"Validation {right}" if right == "accuracy" else f"{capitalized(right)}, validation"
    rows = list(frame.itertuples(index=False))
    main, sort_main = {}, {}
    if "macro_f1_mean" in frame:
        main = {"Macro F1, validation": with_intervals(frame, "macro_f1")}
        sort_main = {"Macro F1, validation": "macro_f1_mean"}
    shown = pd.DataFrame(
        {
            "Model": frame["contender"].map(name_of),
            "Recipe": frame["recipe"].map(in_words),
            "Runs": frame["runs"].astype(str),
            **main,
            heading: with_intervals(frame, "accuracy"),
            "Beyond plain, points": [
                "–"
                if pd.isna(row.difference)
                else f"{percent(row.difference, signed=True)} "
                f"({interval(row.difference_low, row.difference_high, signed=True)})"
                for row in rows
            ],
            "p (Holm)": frame["p_holm"].map(p_in_words),
            "Time": ["–" if pd.isna(row.time) else f"× {row.time:.1f}" for row in rows],
        }
    )
    caption = (
        "Ways of learning, one at a time, on the validation split, in per cent; the test split was "
        f"not read. Beyond plain: difference in {right} on the same {plural}, with its 95 % "
        f"interval over {plural} and seeds; p after Holm's correction for all recipes of a model. "
        "Time: of training, as a multiple of plain."
    )
    sort_by = {
        "Runs": "runs",
        **sort_main,
        heading: "accuracy_mean",
        "Beyond plain, points": "difference",
        "p (Holm)": "p_holm",
        "Time": "time",
    }
    return Table("recipe", caption, frame, shown, sort_by)
