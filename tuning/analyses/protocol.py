"""Protocols found in papers, many of them flawed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from emotion_keras import record
from emotion_keras.command.score_table import main_scores
from emotion_keras.data.flaws import (
    DOUBLED,
    EPOCH_ON_TEST,
    LABELS_ON_TEST,
    OVERSAMPLED,
    RANDOM_SPLIT,
    REPEATS_APART,
    SEED_ON_TEST,
    flaws_of,
    in_words,
)
from emotion_keras.models.baselines import BASELINES
from emotion_keras.record.options import option, split_names
from emotion_keras.studies.study import Task
from tuning.analyses.base import Analysis, Made, Plan, Trial, choose

OURS = "ours"
_FOUR = "joy,fear,anger,sadness"
_ALL = {
    "repeats": "keep",
    "flaws": [REPEATS_APART, RANDOM_SPLIT, OVERSAMPLED, EPOCH_ON_TEST],
}
# What is done otherwise than in `ours`: fewer labels, which is another question; and what is wrong.
# The five labels are those of Danisman and Alpkocak (2008). The easiest three and four are those on
# which runs of all seven did best on the test split of ISEAR, if asked to choose among them alone.
PROTOCOLS: dict[str, dict[str, Any]] = {
    OURS: {},
    "without_guilt": {"labels": f"{_FOUR},disgust,shame"},
    "without_shame": {"labels": f"{_FOUR},disgust,guilt"},
    "five_labels": {"labels": f"{_FOUR},disgust"},
    "four_labels": {"labels": _FOUR},
    "four_easiest_labels": {"labels": "joy,fear,sadness,guilt", "flaws": [LABELS_ON_TEST]},
    "three_easiest_labels": {"labels": "joy,fear,guilt", "flaws": [LABELS_ON_TEST]},
    "repeats_kept": {"repeats": "keep", "flaws": [REPEATS_APART]},
    "random_split": {"flaws": [RANDOM_SPLIT]},
    "oversampled_before_split": {"flaws": [OVERSAMPLED]},
    "doubled_before_split": {"flaws": [DOUBLED]},
    "best_epoch_on_test": {"flaws": [EPOCH_ON_TEST]},
    "all_together": _ALL,
    "all_together_four_labels": {**_ALL, "labels": _FOUR},
}
# Of the runs of these the best one is shown, too, as if it were all that there is.
BEST_OF_SEEDS = {
    OURS: "best_of_seeds",
    "all_together": "all_together_best_of_seeds",
    "all_together_four_labels": "all_together_four_labels_best_of_seeds",
}


@dataclass(frozen=True, kw_only=True)
class Protocols(Analysis):
    """Trains under protocols found in papers, many of them flawed, to show what each is worth.

    Each seed has a split of its own: the protocols differ in who is tested, and with a single split
    that would be taken for what they are worth.
    """

    analysed = ("labels", "repeats")

    protocols: str = option(
        ",".join(PROTOCOLS),
        "Names with commas between them: ours, which is always made; fewer labels: without_guilt, "
        "without_shame, five_labels, four_labels, and four_easiest_labels and "
        "three_easiest_labels, which test splits have chosen; repeats_kept, which may part "
        "repeats; random_split, which parts the texts of a person; oversampled_before_split, to "
        "even out the labels, and doubled_before_split; best_epoch_on_test; all_together, all of "
        "these with oversampling, and all_together_four_labels. Each seed has a split of its own. "
        "The best of the seeds on its test split is shown beside ours and all_together.",
        is_basic=True,
    )

    def trials(self) -> list[Trial]:
        """The settings to try, a list of `Trial`, or `UserError` if there is no such protocol."""
        chosen = choose(self.protocols, "protocols", "protocol", PROTOCOLS)
        return [Trial(name, PROTOCOLS[name]) for name in PROTOCOLS if name in (OURS, *chosen)]

    def possible(self, name: str, trials: Sequence[Trial], plan: Plan) -> list[Trial]:
        # Imported here because pandas takes a moment.
        from emotion_keras.data import read_dataset

        corpus = read_dataset(plan.data, plan.cache, plan.notify).corpus
        idle = {
            EPOCH_ON_TEST: name in BASELINES,
            RANDOM_SPLIT: not corpus.has_groups,
            OVERSAMPLED: len(set(corpus.examples["label"].value_counts())) == 1,
        }
        if "split" in corpus.examples:  # An official split stays as it is.
            idle |= dict.fromkeys((REPEATS_APART, RANDOM_SPLIT, OVERSAMPLED, DOUBLED), True)
        kept, left_out = [], []
        for trial in trials:
            options = dict(trial.options)
            if flaws := [flaw for flaw in options.pop("flaws", ()) if not idle.get(flaw)]:
                options["flaws"] = flaws
            labels = split_names("labels", options.get("labels", ""))
            is_ours = trial.value == OURS
            is_possible = set(filter(None, labels)) <= set(corpus.labels) and (options or is_ours)
            (kept if is_possible else left_out).append(trial._replace(options=options))
        if left_out:
            plan.notify(
                f"{name} on {corpus.name}: left out, because it would make no difference or a "
                f"label is not there: {', '.join(trial.value for trial in left_out)}."
            )
        return kept

    def adapt(self, task: Task) -> Task:
        # The split that goes with its seed.
        own = {"split_seed": task.options["split_seed"] + task.options["seed"]}
        return task._replace(options=task.options | own, asked=task.asked | own)

    def measure(self, found: dict[str, Any], made: Made, directory: Path, plan: Plan) -> None:
        found["points"] = _with_best_of_seeds(found["points"], directory)

    @classmethod
    def tables(cls, found: Mapping[str, Any]) -> list[RenderableType]:
        flaws = {point["value"]: point["flaws"] for point in found["points"] if point.get("flaws")}
        said = [Text(f"† {value}: {in_words(of_value)}") for value, of_value in flaws.items()]
        return [*super().tables(found), *said]


def _with_best_of_seeds(points, directory):
    """The points of protocols with their flaws, and of the best seeds that the test split shows."""
    # Imported here because pandas takes a moment.
    from emotion_keras.evaluation.sensitivity import summarize_runs

    found = []
    for point in points:
        runs = {name: record.read_run(directory / name) for name in point["run_ids"]}
        flaws = flaws_of(runs[point["run_ids"][0]])
        found.append({**point, "flaws": flaws})
        name = BEST_OF_SEEDS.get(point["value"])
        if name and len(runs) > 1:
            first = next(iter(runs.values()))["metrics"]["test"]
            main = next(iter(main_scores(first)))
            best = max(runs, key=lambda run_id: runs[run_id]["metrics"]["test"][main])
            summary = summarize_runs([directory / best])
            found.append({**point, "value": name, **summary, "flaws": [*flaws, SEED_ON_TEST]})
    return found
