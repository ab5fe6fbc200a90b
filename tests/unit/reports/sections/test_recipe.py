"""The section of recipes, from what an analysis has kept."""

import types

import pandas as pd

from reports import records
from reports.sections import recipe
from tuning.analyses import ANALYSES

SCORE = {"mean": 0.68, "low": 0.65, "high": 0.71, "spread": 0.01}


def point(value, seconds, **more):
    return {
        "contender": "gated_transformer@minilm",
        "value": value,
        "run_ids": ["a", "b", "c"],
        "val": {"accuracy": SCORE},
        "seconds": seconds,
        **more,
    }


def part(*points):
    files = {"sensitivity.json": {"analysis": "recipe", "points": list(points)}}
    return types.SimpleNamespace(studies=[types.SimpleNamespace(files=files)])


def beyond(difference, p_holm):
    ends = {"low": difference - 0.01, "high": difference + 0.01}
    return {"difference": {"difference": difference, **ends, "p_value": p_holm, "p_holm": p_holm}}


POINTS = [
    point("plain", 100.0),
    point("r_drop", 210.0, **beyond(0.02, 0.01)),
    point("head_rate", 100.0, **beyond(0.004, 0.6)),
    point("frozen_layers", 30.0, **beyond(-0.03, 0.002)),
]


def test_only_what_is_resolved_is_said_to_help_or_to_harm():
    said = recipe.answer(recipe.recipe_frame(part(*POINTS)))
    assert said == (
        "On the validation split Gated Transformer (MiniLM) is helped by R-Drop and harmed by "
        "frozen layers."
    )
    undecided = recipe.answer(recipe.recipe_frame(part(POINTS[0], POINTS[2])))
    assert undecided == "No recipe is resolved to help or to harm Gated Transformer (MiniLM)."


def test_the_table_shows_differences_and_times():
    table = recipe.recipe_table(recipe.recipe_frame(part(*POINTS)), "texts")
    shown = table.shown.set_index("Recipe")
    assert shown.loc["plain", "Beyond plain, points"] == "–"
    assert shown.loc["R-Drop", "Beyond plain, points"] == "+2.0 (+1.0 to +3.0)"
    assert shown.loc["frozen layers", "Time"] == "× 0.3"
    assert shown.loc["head rate", "Runs"] == "3"


def test_without_the_analysis_there_is_nothing_to_show():
    empty = types.SimpleNamespace(studies=[types.SimpleNamespace(files={})])
    assert recipe.recipe_frame(empty).empty
    assert isinstance(recipe.recipe_frame(empty), pd.DataFrame)


def test_the_report_knows_every_analysis():
    assert set(records.ANALYSES) == set(ANALYSES)
