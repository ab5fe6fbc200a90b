"""Ways of learning that may make a network better, tried one at a time.

Their strengths are those that the papers name which they come from; see `fit --help-all`.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from emotion_keras import record
from emotion_keras.command.score_table import ScoreTable, main_scores, with_interval
from emotion_keras.record.options import option
from tuning.analyses.base import Analysis, Made, Plan, Trial, by_contender, choose

PLAIN = "plain"
RECIPES: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "layer_decay": {"layer_decay": 0.9},
    "head_rate": {"head_rate": 10.0},
    "weight_average": {"weight_average": 0.99},
    "r_drop": {"r_drop": 1.0},
    "adversarial": {"adversarial": 1.0},
    "contrast": {"supervised_contrast": 0.1},
    "frozen_layers": {"frozen_layers": 4},
    "drawn_layers": {"drawn_layers": 1, "epochs": 6},
    "mix_pieces": {"mix_pieces": True},
}
_OF_PRETRAINED = ("layer_decay", "head_rate", "frozen_layers", "drawn_layers", "mix_pieces")


@dataclass(frozen=True, kw_only=True)
class Recipe(Analysis):
    """Trains with what may make a network better, one thing at a time.

    It compares them on the validation split; the test split is not read.
    """

    reads_test = False  # Recipes are chosen by what they reach.

    recipes: str = option(
        ",".join(RECIPES),
        "Names with commas between them, beside plain, which is always made: layer_decay, "
        "head_rate, weight_average, r_drop, adversarial, contrast; over a pretrained encoder of "
        "texts frozen_layers, four of them, drawn_layers, one, with half as many epochs again, and "
        "mix_pieces.",
        is_basic=True,
    )

    def trials(self) -> list[Trial]:
        """The settings to try, a list of `Trial`, or `UserError` if there is no such recipe."""
        chosen = choose(self.recipes, "recipes", "recipe", RECIPES)
        return [Trial(name, RECIPES[name]) for name in RECIPES if name in (PLAIN, *chosen)]

    def possible(self, name: str, trials: Sequence[Trial], plan: Plan) -> list[Trial]:
        _, _, encoder = name.partition("@")
        kind = plan.modality.find_encoder(encoder).kind if encoder else None
        if kind is None:
            return [trial for trial in trials if trial.value == PLAIN]
        left_out = () if kind == "pretrained" else _OF_PRETRAINED
        return [trial for trial in trials if trial.value not in left_out]

    def measure(self, found: dict[str, Any], made: Made, directory: Path, plan: Plan) -> None:
        found["points"] = compare_recipes(found["points"], directory)

    @classmethod
    def tables(cls, found: Mapping[str, Any]) -> list[RenderableType]:
        return [_table(points) for points in by_contender(found)]


def _table(points):
    """What recipes reach on the validation split, beside plain training."""
    names, titles = zip(*list(main_scores(points[0]["val"]).items())[:2], strict=True)
    said = "points" if "accuracy" in titles else "points of all right"
    table = ScoreTable(
        f"{points[0]['contender']} by recipe on the validation split, in per cent, with 95 % "
        f"intervals over examples and seeds; {said} beyond plain; p after Holm's correction",
        ("recipe", "runs", *titles, "points", "interval", "p", "time"),
    )
    plain = points[0]["seconds"]
    for point in points:
        beyond = ["-", "-", "-"]
        if one := point.get("difference"):
            beyond = [
                f"{100 * one['difference']:+.1f}",
                f"{100 * one['low']:+.1f} to {100 * one['high']:+.1f}",
                "< 0.001" if one["p_holm"] < 0.001 else f"{one['p_holm']:.3f}",
            ]
        scores = [with_interval(point["val"][score]) for score in names]
        table.add_row(
            point["value"],
            str(len(point["run_ids"])),
            *scores,
            *beyond,
            f"x {point['seconds'] / plain:.1f}",
        )
    return table


def compare_recipes(
    points: Sequence[Mapping[str, Any]], directory: str | Path
) -> list[dict[str, Any]]:
    """Compares recipes with plain training on the validation split.

    Args:
        points: What `sensitivity.json` says of each, with `contender`, `value` and `run_ids`.
        directory: The study's folder.

    Returns:
        The points, each with `seconds` and `epochs`, means over runs, and but for plain ones
        `difference`, a dictionary of the fields of `Difference` in accuracy and `p_holm`, corrected
        for all recipes of a model.
    """
    # Imported here because pandas takes a moment.
    from emotion_keras.evaluation.comparison import correct_by_text, difference_of
    from emotion_keras.evaluation.predictions import read_groups, read_predictions
    from emotion_keras.evaluation.significance import holm

    def correct(point):
        frames = []
        for name in point["run_ids"]:
            run = record.read_run(Path(directory) / name)
            frames.append(read_predictions(Path(directory) / name, run).assign(seed=run["seed"]))
        return correct_by_text(frames, "val")

    compared, groups = [], {}
    for point in points:
        runs = [record.read_run(Path(directory) / name) for name in point["run_ids"]]
        for name in point["run_ids"]:
            groups |= read_groups(Path(directory) / name)
        seconds = statistics.mean(run["cost"]["seconds"] for run in runs)
        compared.append({**point, "seconds": seconds})
    for contender in dict.fromkeys(point["contender"] for point in compared):
        own = [point for point in compared if point["contender"] == contender]
        plain = next((point for point in own if point["value"] == PLAIN), None)
        others = [point for point in own if point is not plain]
        if plain is None or not others:
            continue
        of_plain = correct(plain)
        found = [difference_of(correct(point), of_plain, groups) for point in others]
        for point, one, p_holm in zip(others, found, holm(d.p_value for d in found), strict=True):
            point["difference"] = {**one._asdict(), "p_holm": p_holm}
    return compared
