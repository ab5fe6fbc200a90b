# PYTHON_ARGCOMPLETE_OK
"""What a setting does: `python -m tuning.sensitivity ANALYSIS`.

The analyses are learning_rate, noise, data_ratio, gate, recipe and protocol.

Each analysis trains models at several values of one setting, at every value with several seeds, as
a study of plain runs: finished runs are not made again, and killed ones continue. At its end
it shows what the runs reach, and keeps it as `sensitivity.json` beside them, with what it found of
other models in the same study.
"""

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group

from emotion_keras import record
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import Parser
from emotion_keras.command.score_table import print_tables
from emotion_keras.data.options import DATA_STAGES, DataOptions
from emotion_keras.errors import UserError
from emotion_keras.inputs import AND, find_modality
from emotion_keras.record.options import option, without
from emotion_keras.studies.contenders import (
    SEEDS,
    full_names,
    make_tasks,
    read_settings,
    settings_for,
)
from emotion_keras.studies.study import (
    Ended,
    StudyOptions,
    Task,
    make_runs,
    tell_failures,
    tell_next,
)
from emotion_keras.training.defaults import default_encoder, defaults_for
from emotion_keras.training.settings import Settings
from tuning.analyses import ANALYSES
from tuning.analyses.base import Analysis, Plan

SENSITIVITY = "sensitivity.json"


ANALYSED = {
    "text": "gated_transformer@scratch,gated_transformer@minilm",
    "speech": "gated_transformer@scratch",
    "image": "gated_transformer@scratch",
    "features": "gated_transformer@scratch",
}


def analysed_of(modality: str) -> str:
    """The models that are analysed unless others are named, of a modality or of several."""
    if AND not in modality:
        return ANALYSED.get(modality, ANALYSED["text"])
    return f"gated_transformer@{default_encoder('cnn', find_modality(modality))}"


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions(StudyOptions):
    """What is analysed."""

    models: str | None = option(
        None,
        "Names with commas between them, with encoders as in gated_transformer@scratch. Unless "
        "given, gated_transformer@scratch, and of texts gated_transformer@minilm, too.",
        is_basic=True,
    )
    seeds: int = option(5, "How many runs at each value.", SEEDS, is_basic=True)
    settings: str | dict[str, dict] | None = option(
        None,
        "YAML or JSON file with settings in place of the chosen ones: by model as in `models`, or "
        "for all `networks`, a value by option of `fit`.",
        is_basic=True,
    )
    study: str | None = option(
        None,
        "Name of the set of runs; unless given, that of the analysis. Runs that are there with the "
        "same settings are taken as they are: `noise` in the study of a comparison trains nothing "
        "that the comparison has trained.",
        is_basic=True,
    )


def analyze(
    analysis: str, *, notify: Callable[[str], Any] = print, **options: Any
) -> tuple[dict[str, Any] | None, list[Ended]]:
    """Makes the runs of an analysis, and says what they reach.

    Args:
        analysis: Name of a class of `ANALYSES`.
        notify: Called with messages for the user.
        **options: Values by option of the analysis, of `AnalysisOptions` and of `DataOptions`.

    Returns:
        What `sensitivity.json` says of these models, a dictionary of `analysis`, `corpus` and
        `points`: for each model and value that has a run, `contender`, `value` and what
        `summarize_runs` gives; after `noise`, for each model under `noise` what `summarize_noise`
        gives. And a list of `Ended`, the runs that failed.

    Raises:
        UserError: If the input or an option is wrong.

    Example:

    >>> options = {"data": "situations", "models": "tfidf_logistic", "ratios": "0.5,1", "seeds": 1}
    >>> found, failed = analyze("data_ratio", **options)
    2 of 2 runs to make...
    >>> [(point["value"], len(point["run_ids"])) for point in found["points"]]
    [(0.5, 1), (1.0, 1)]
    """
    own, asked = ANALYSES[analysis].pick(options), AnalysisOptions.pick(options)
    data = DataOptions.make(**without(options, AnalysisOptions, type(own)))
    modality = find_modality(data.reading.modality)
    models = asked.models or analysed_of(modality.name)
    names = full_names(models, modality.name)
    settings = read_settings(asked.settings, names, modality.name) if asked.settings else {}
    study = analysis if asked.study is None else asked.study
    record.check_study(study)
    directory = Path(asked.runs_dir) / study
    plan = Plan(data, settings, {}, notify)
    tasks = plan_analysis(
        analysis, names, own=own, seeds=asked.seeds, precision=asked.precision, plan=plan
    )
    in_order = [task for of_point in tasks.values() for task in of_point]
    # Long runs first, or the time left would be estimated from short ones alone.
    in_order.sort(key=lambda task: -task.options["train_fraction"])
    made, failed = make_runs(
        in_order,
        directory,
        workers=asked.workers,
        cache=plan.cache,
        notify=notify,
        command=(f"tuning.sensitivity {analysis}", [own, asked, *data], settings),
        check=lambda: _check(tasks.values()),
    )
    if not made:
        return None, failed
    # Imported here because pandas takes a moment.
    from emotion_keras.evaluation.sensitivity import summarize_runs

    runs = {
        point: [made[str(task)] for task in of_point if str(task) in made]
        for point, of_point in tasks.items()
    }
    corpus = record.read_run(next(iter(made.values())))["corpus"]
    found: dict[str, Any] = {
        "analysis": analysis,
        "corpus": {name: corpus[name] for name in ("name", "sha256", "labels")},
        "points": [
            {"contender": name, "value": value, **summarize_runs(directories)}
            for (name, value), directories in runs.items()
            if directories
        ],
    }
    own.measure(found, runs, directory, plan)
    path = directory / SENSITIVITY
    record.write_versioned(path, _with_other_models(found, path))
    return found, failed


def _with_other_models(found, path):
    """What an analysis found, and what it found before of other models in the same study."""
    before = {}
    if path.exists():
        with contextlib.suppress(UserError):  # What cannot be read is made again.
            before = record.read_versioned(path)
    if any(before.get(name) != found[name] for name in ("analysis", "corpus")):
        return found
    named = {point["contender"] for point in found["points"]}
    others = [point for point in before["points"] if point["contender"] not in named]
    noise = {"noise": before["noise"] | found["noise"]} if "noise" in found else {}
    return {**found, "points": [*others, *found["points"]], **noise}


def plan_analysis(
    analysis: str,
    names: Sequence[str],
    *,
    own: Analysis,
    seeds: int,
    precision: str,
    plan: Plan,
) -> dict[tuple[str, float | str], list[Task]]:
    """The runs of an analysis.

    Args:
        analysis: Name of a class of `ANALYSES`.
        names: Full names of models.
        own: The analysis's options, an object of its class.
        seeds: Integer, number of runs at each value.
        precision: See `fit`.
        plan: `Plan`.

    Returns:
        Dictionary of lists of `Task`, by model and value.
    """
    trials = own.trials()
    own.check(plan.modality)  # Nothing is trained for what there is not.
    common = {
        "seeds": seeds,
        "precision": precision,
        "cache": plan.cache,
        "notify": plan.notify,
    }
    return {
        (name, trial.value): _make_tasks(analysis, own, name, trial, plan, common)
        for name in names
        for trial in own.possible(name, trials, plan)
    }


def _make_tasks(analysis, own, name, trial, plan, common):
    """The runs of a contender at one value."""
    of_model = without(trial.options, *DATA_STAGES.values())
    shared = {option: value for option, value in trial.options.items() if option not in of_model}
    flaws = shared.pop("flaws", None)
    settings = settings_for(name, plan.settings) | of_model
    contender = name
    if trial.model:
        # With the settings of the model that it stands for, so that they differ in nothing else.
        model, _, encoder = name.partition("@")
        settings = {**defaults_for(model, encoder, modality=plan.modality), **settings}
        del settings["encoder"]
        contender = f"{trial.model}@{encoder}"
    data = DataOptions.make(**{**plan.data.options(), **shared})
    tasks = make_tasks(
        [contender],
        # Not by `make`, which lets nobody choose them.
        data._replace(protocol=dataclasses.replace(data.protocol, flaws=flaws)),
        settings={contender: settings},
        **common,
    )
    tasks = [own.adapt(task) for task in tasks]
    if not own.reads_test:
        unread = {"read_test": False}
        tasks = [
            task._replace(options=task.options | unread, asked=task.asked | unread)
            for task in tasks
        ]
    value = trial.value if isinstance(trial.value, str) else f"{trial.value:g}"
    named = {"trial": f"{analysis} {value}"}
    mark = " (with flaws)" if flaws else ""
    return [
        task._replace(group=f"{name}, {analysis} {value}{mark}", options=task.options | named)
        for task in tasks
    ]


def _check(tasks):
    """Makes sure that the runs of an analysis can begin."""
    for first, *_ in tasks:
        options = {name: value for name, value in first.options.items() if name != "trial"}
        try:
            Settings.make(**options)
        except UserError as error:
            raise UserError(f"{first.group} cannot be trained. {error}") from error


def summarize(found: Mapping[str, Any]) -> Group:
    """What an analysis found, as tables for the terminal."""
    return Group(*ANALYSES[found["analysis"]].tables(found))


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m tuning.sensitivity`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = Parser("python -m tuning.sensitivity", __doc__)
    commands = parser.add_subparsers(dest="analysis", required=True, metavar="ANALYSIS")
    for name, own in ANALYSES.items():
        of_analysis = commands.add_parser(name, help=own.__doc__, description=own.__doc__)
        # A fold would be another test split, and some options are what is analysed.
        skip = {"folds", "fold", *own.analysed}
        for options in (own, AnalysisOptions, *DATA_STAGES.values()):
            of_analysis.add_options(options, skip=skip)

    def run():
        options = vars(parser.parse_args(arguments))
        found, failed = analyze(**options)
        if found:
            print_tables(summarize(found))
            study = options["study"] or options["analysis"]
            tell_next(Path(options["runs_dir"]) / study, SENSITIVITY)
        return tell_failures(failed)

    return run_command(run)


if __name__ == "__main__":
    sys.exit(main())
