"""The analysis of recipes: which are tried, what they are compared by, and what is not read."""

import numpy as np
import pytest

from emotion_keras import record
from emotion_keras.data.options import DataOptions
from emotion_keras.evaluation.predictions import read_predictions
from tuning import sensitivity
from tuning.analyses import Recipe
from tuning.analyses.base import Plan
from tuning.analyses.recipe import RECIPES
from tuning.sensitivity import analyze


@pytest.fixture
def found(runs_here, corpus_path, tmp_path):
    settings = {"networks": {"epochs": 2, "embedding_dim": 8, "intermediate_dim": 8}}
    result, failed = analyze(
        "recipe",
        data=str(corpus_path),
        models="gated_transformer@scratch",
        recipes="r_drop,weight_average",
        seeds=2,
        settings=settings,
        runs_dir=str(tmp_path / "runs"),
        notify=lambda message: None,
    )
    assert not failed
    return result


def right(directory):
    rows = read_predictions(directory, record.read_run(directory)).set_index("id")
    return (rows["label"] == rows["predicted"]).sort_index()


def test_recipes_are_compared_with_plain_training_on_the_validation_split(found, tmp_path, capsys):
    points = {point["value"]: point for point in found["points"]}
    assert list(points) == ["plain", "weight_average", "r_drop"]
    assert "difference" not in points["plain"]
    directory = tmp_path / "runs" / "recipe"
    correct = {
        name: np.mean([right(directory / run) for run in point["run_ids"]], axis=0)
        for name, point in points.items()
    }
    for name in ("weight_average", "r_drop"):
        expected = (correct[name] - correct["plain"]).mean()
        assert points[name]["difference"]["difference"] == pytest.approx(expected)
        runs = [record.read_run(directory / run) for run in points[name]["run_ids"]]
        assert points[name]["seconds"] == pytest.approx(
            np.mean([r["cost"]["seconds"] for r in runs])
        )
        for run in runs:
            assert set(run["metrics"]) == {"val"}
            for option, value in RECIPES[name].items():
                assert run["training"][option] == value
    sensitivity.print_tables(sensitivity.summarize(found))
    assert "on the validation split" in " ".join(capsys.readouterr().out.split())


def test_recipes_for_pretrained_encoders_are_tried_over_these_alone():
    every, plan = Recipe(), Plan(DataOptions.make(), {}, {}, print)
    names = "transformer@minilm", "cnn@scratch", "gated_transformer@embeddings", "majority"
    over = {
        name: [trial.value for trial in every.possible(name, every.trials(), plan)]
        for name in names
    }
    from_nothing = ["plain", "weight_average", "r_drop", "adversarial", "contrast"]
    assert over["transformer@minilm"] == list(RECIPES)
    assert over["cnn@scratch"] == over["gated_transformer@embeddings"] == from_nothing
    assert over["majority"] == ["plain"]


def test_an_unknown_recipe_is_refused(capsys):
    assert sensitivity.main(["recipe", "--recipes", "magic"]) == 2
    assert "Unknown recipe. Accepted: plain, layer_decay" in capsys.readouterr().err
