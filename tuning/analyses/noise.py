"""Noise: models that are trained once are tested on perturbed cells."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from emotion_keras.command import durations
from emotion_keras.command.score_table import ScoreTable, main_scores, with_interval
from emotion_keras.data.noise import LABELS, check_kind, check_level
from emotion_keras.inputs import INPUTS, Input
from emotion_keras.record.options import option
from tuning.analyses.base import Analysis, Made, Plan, Trial, names, numbers

# Levels of noise unless others are given. Where it is a share of a recording's power, these are
# signal-to-noise ratios of 12.8, 9.5, 6, 0 and -9.5 dB; at 1 nothing but noise would be heard.
_LEVELS = {
    "text": "0.05,0.1,0.2,0.4,1",
    "speech": "0.05,0.1,0.2,0.5,0.9",
    "image": "0.05,0.1,0.2,0.4,0.8",
    "features": "0.05,0.1,0.2,0.4,0.8",
}
_LEVELS_OF_SEVERAL = "0.05,0.1,0.2,0.4,0.8"


@dataclass(frozen=True, kw_only=True)
class Noise(Analysis):
    """Trains once, and tests on cells with noise; for noise in labels, trains at each level."""

    heading = "wrong labels"

    kinds: str | None = option(
        None,
        "Kinds of noise, with commas between them; unless given, all that there are for the data's "
        "modality. " + " ".join(f"Of {m.plural}: {', '.join(m.noises)}." for m in INPUTS.values()),
        is_basic=True,
    )
    levels: str | None = option(
        None,
        "Levels of each kind, with commas between them: shares of what is touched. Unless given, "
        + "; ".join(f"{levels} of {INPUTS[name].plural}" for name, levels in _LEVELS.items())
        + ".",
        is_basic=True,
    )
    label_levels: str = option(
        "0.1,0.2,0.4",
        "Shares of training examples with a wrong label, with commas between them; empty for none.",
        is_basic=True,
    )

    def trials(self) -> list[Trial]:
        """The settings to try: without noise, and at each level of noise in labels.

        Returns:
            List of `Trial`.

        Raises:
            UserError: If a level is no share.
        """
        values = numbers(self.label_levels, "label_levels") if self.label_levels else []
        for value in values:
            check_level(value)
        return [Trial(0.0, {}), *(Trial(v, {"noise": f"{LABELS}:{v:g}"}) for v in values if v)]

    def noises(self, modality: type[Input]) -> list[tuple[str, float]]:
        """The pairs of a kind and a level to test with; level 0 is there without a test.

        Args:
            modality: Class of the `Input` that knows the cells.

        Raises:
            UserError: If the modality has no such kind, or a level is no share.
        """
        kinds = list(modality.noises) if self.kinds is None else names(self.kinds, "kinds")
        for name in kinds:
            check_kind(name, modality.noises)
        usual = _LEVELS.get(modality.name, _LEVELS_OF_SEVERAL)
        values = numbers(usual if self.levels is None else self.levels, "levels")
        for value in values:
            check_level(value)
        return [(name, value) for name in kinds for value in values if value]

    def check(self, modality: type[Input]) -> None:
        self.noises(modality)

    def measure(self, found: dict[str, Any], made: Made, directory: Path, plan: Plan) -> None:
        # Imported here because pandas takes a moment.
        from emotion_keras.evaluation.sensitivity import summarize_noise

        tested = {name: list(paths) for (name, value), paths in made.items() if value == 0.0}
        paths = [path for of_model in tested.values() for path in of_model]
        measure_noise(paths, self.noises(plan.modality), plan)
        found["noise"] = {name: summarize_noise(of_model) for name, of_model in tested.items()}

    @classmethod
    def tables(cls, found: Mapping[str, Any]) -> list[RenderableType]:
        return [*super().tables(found), *_levels_of(found)]


def _levels_of(found):
    main, title = next(iter(main_scores(found["points"][0]["test"]).items()))
    of_noise = found.get("noise", {}).items()
    return [_levels(contender, points, main, title) for contender, points in of_noise]


def _levels(contender, points, main, title):
    levels = sorted({point["level"] for point in points})
    table = ScoreTable(
        f"{contender}: {title} by noise and its level, in per cent, means over runs",
        ("noise", *(f"{level:g}" for level in levels)),
    )
    for kind in dict.fromkeys(point["kind"] for point in points):
        row = {p["level"]: p["test"][main] for p in points if p["kind"] == kind}
        table.add_row(kind, *(with_interval(row.get(level)) for level in levels))
    return table


def measure_noise(
    directories: Sequence[Path], wanted: Sequence[tuple[str, float]], plan: Plan
) -> None:
    """Tests models on perturbed cells, and says how far it is.

    Args:
        directories: Folders of finished runs.
        wanted: Pairs of a kind and a level of noise.
        plan: `Plan`.
    """
    from emotion_keras.data import read_dataset
    from tuning.robustness import measure_robustness, missing_noises

    dataset = read_dataset(plan.data, plan.cache, plan.notify)
    left = [path for path in directories if missing_noises(path, wanted)]
    if left:
        plan.notify(f"{len(left)} models to test with {len(wanted)} noises each.")
    start = time.monotonic()
    for number, directory in enumerate(left, start=1):
        measure_robustness(directory, wanted, dataset)
        seconds = (time.monotonic() - start) / number * (len(left) - number)
        plan.notify(
            f"{directory.name}: tested, {number} of {len(left)}; about "
            f"{durations.in_words(seconds)} left."
        )
