# PYTHON_ARGCOMPLETE_OK
"""Everything that the paper reports, as one plan: `python -m tuning.paper --budget quick|full`.

The comparison of its Table 1, the learning rates of its Figure 2, and what its abstract claims of
noise and of data ratios; and the ablation of the gate, which it lacks. The plan is shown with its
cost before it starts, and how far it is after each of its steps. Each step is a study of plain
runs: what is finished is not made again, and the same command continues.

`full` makes what `emotion_keras.compare` and `tuning.sensitivity` make by default, in studies of
the same names. `quick` answers every question with two seeds, smaller models from scratch and less
training, in studies of its own; on ISEAR it takes 24 minutes on two cores with two workers.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rich.console import RenderableType

from emotion_keras import compare
from emotion_keras.command import durations
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.command.score_table import ScoreTable, print_tables
from emotion_keras.data.options import DATA_STAGES, DataOptions
from emotion_keras.inputs import AND, find_modality
from emotion_keras.record.options import Options, option, without
from emotion_keras.studies import comparison
from emotion_keras.studies.contenders import full_names, read_settings
from emotion_keras.studies.study import (
    Ended,
    Study,
    StudyOptions,
    Task,
    note_shared_devices,
    tell_failures,
    tell_next,
)
from emotion_keras.training.defaults import default_encoder
from tuning import sensitivity
from tuning.analyses.base import Plan

_SMALL = {
    "embedding_dim": 64,
    "vocabulary_size": 4000,
    "sequence_length": 64,
    "batch_size": 64,
    "epochs": 5,
}
_SMALL_TRANSFORMER = {**_SMALL, "num_layers": 1, "num_heads": 2, "intermediate_dim": 128}
_SHORT = {"sequence_length": 64, "epochs": 2}
_SMALL_OF_SPEECH = {"embedding_dim": 64, "epochs": 20, "patience": 5}
_SMALL_TRANSFORMER_OF_SPEECH = {**_SMALL_OF_SPEECH, "num_heads": 2, "intermediate_dim": 128}
_SMALL_OF_IMAGES = {"embedding_dim": 32, "epochs": 4}
_SMALL_OF_FEATURES = {"embedding_dim": 64, "epochs": 10}
_SMALL_OF_SEVERAL = {"embedding_dim": 64, "epochs": 10}
_SMALL_TRANSFORMER_OF_IMAGES = {**_SMALL_OF_IMAGES, "num_heads": 2, "intermediate_dim": 64}


class Budget(NamedTuple):
    """How much of the paper's questions is answered how well.

    Args:
        prefix: What the names of its studies begin with.
        models: The models of the comparison, with commas between them.
        analysed: The models of the analyses, likewise.
        seeds: Integer, runs of each setting.
        settings: Dictionary of settings by model, in place of the chosen ones.
        arguments: Dictionary of an analysis's arguments, by its name.
    """

    prefix: str
    models: str
    analysed: str
    seeds: int
    settings: dict
    arguments: dict


_ARGUMENTS = {
    "data_ratio": {"ratios": "0.05,0.2,0.4,1"},
    "noise": {"levels": "0.1,0.4,1", "label_levels": "0.2,0.4"},
}


def _quick(modality, levels, small, small_transformer):
    """The quick budget of a modality whose networks all start from scratch."""
    return Budget(
        prefix="quick-",
        models=",".join(comparison.CONTENDERS_BY_MODALITY[modality]),
        analysed=sensitivity.ANALYSED[modality],
        seeds=2,
        settings={
            "cnn@scratch": small,
            "lstm@scratch": small,
            "transformer@scratch": small_transformer,
            "gated_transformer@scratch": small_transformer,
        },
        arguments={**_ARGUMENTS, "noise": {"levels": levels, "label_levels": "0.2,0.4"}},
    )


BUDGETS = {
    "quick": {
        "text": Budget(
            prefix="quick-",
            models="majority,tfidf_logistic,tfidf_svm,cnn@scratch,lstm@scratch,transformer@scratch,"
            "gated_transformer@scratch,bert@minilm,gated_transformer@minilm",
            analysed="gated_transformer@scratch",
            seeds=2,
            settings={
                "cnn@scratch": _SMALL,
                "lstm@scratch": _SMALL,
                "transformer@scratch": _SMALL_TRANSFORMER,
                "gated_transformer@scratch": _SMALL_TRANSFORMER,
                "bert@minilm": _SHORT,
                "gated_transformer@minilm": _SHORT,
            },
            arguments=_ARGUMENTS,
        ),
        "speech": _quick("speech", "0.1,0.5", _SMALL_OF_SPEECH, _SMALL_TRANSFORMER_OF_SPEECH),
        "image": _quick("image", "0.1,0.4", _SMALL_OF_IMAGES, _SMALL_TRANSFORMER_OF_IMAGES),
        "features": _quick("features", "0.1,0.4", _SMALL_OF_FEATURES, _SMALL_OF_FEATURES),
    },
    "full": {
        modality: Budget(
            prefix="",
            models=",".join(comparison.CONTENDERS_BY_MODALITY[modality]),
            analysed=analysed,
            seeds=5,
            settings={},
            arguments={},
        )
        for modality, analysed in sensitivity.ANALYSED.items()
    },
}


def budget_of(name: str, modality: str) -> Budget:
    """The budget of a name for a modality, or for several."""
    if AND not in modality:
        return BUDGETS[name].get(modality, BUDGETS[name]["text"])
    scratch = default_encoder("cnn", find_modality(modality))
    blocks = {**_SMALL_OF_SEVERAL, "num_heads": 2, "intermediate_dim": 128}
    small = {
        f"{model}@{scratch}": _SMALL_OF_SEVERAL if model in ("cnn", "lstm") else blocks
        for model in ("cnn", "lstm", "transformer", "gated_transformer")
    }
    is_quick = name == "quick"
    models = comparison.contenders_of(modality)
    return Budget(
        prefix="quick-" if is_quick else "",
        models=",".join(one for one in models if not is_quick or "@" not in one or one in small),
        analysed=sensitivity.analysed_of(modality),
        seeds=2 if is_quick else 5,
        settings=small if is_quick else {},
        arguments=_ARGUMENTS if is_quick else {},
    )


# Seconds of a run on one core of an AMD EPYC with TensorFlow, of a network by the kind of its
# encoder, and of a baseline: with ISEAR's 5,216 texts to train on, RAVDESS's 1,020 recordings, or
# FER-2013's 27,200 images, of which those of images are estimates from an epoch.
# Those of whole training on recordings are worked out from the short one, by epochs and width.
_SECONDS = {
    "quick": {
        "text": {"scratch": 30, "embeddings": 30, "pretrained": 380, "": 8},
        "speech": {"scratch": 110, "": 5},
        "image": {"scratch": 200, "": 60},
        "features": {"scratch": 15, "": 5},
    },
    "full": {
        "text": {"scratch": 120, "embeddings": 110, "pretrained": 500, "": 5},
        "speech": {"scratch": 450, "": 5},
        "image": {"scratch": 2600, "": 60},
        "features": {"scratch": 40, "": 5},
    },
}
_EXAMPLES = {"text": 5216, "speech": 1020, "image": 27200, "features": 1020}


class Step(NamedTuple):
    """A part of the plan: a study.

    Args:
        name: String, what it is about.
        directory: The study's folder.
        tasks: All its runs.
        make: Function without arguments that makes what is missing; returns what it found, ready
            to be printed, or `None`, and list of `Ended`, the runs that failed.
    """

    name: str
    directory: Path
    tasks: list[Task]
    make: Callable[[], tuple[RenderableType | None, list[Ended]]]

    def missing(self) -> list[Task]:
        """The tasks that have no finished run."""
        study = Study(self.directory)
        return [task for task in self.tasks if study.find(task) is None]


@dataclass(frozen=True, kw_only=True)
class PaperOptions(StudyOptions):
    """How much of the paper is made."""

    budget: Literal["quick", "full"] = option(
        "quick",
        "How much: quick, with two seeds, smaller models and less training; or full.",
        is_basic=True,
    )


def plan_paper(asked: PaperOptions, data: DataOptions, notify: Callable[[str], Any]) -> list[Step]:
    """The steps of the plan.

    Args:
        asked: `PaperOptions`.
        data: `DataOptions`.
        notify: Called with messages for the user.

    Returns:
        List of `Step`.
    """
    modality = data.reading.modality
    chosen = budget_of(asked.budget, modality)
    cache = {}
    of_study = {
        "seeds": chosen.seeds,
        "precision": asked.precision,
        "workers": asked.workers,
        "runs_dir": asked.runs_dir,
        "notify": notify,
        **data.options(),
    }
    of_plan = {
        "seeds": chosen.seeds,
        "precision": asked.precision,
        "data": data,
        "cache": cache,
        "notify": lambda message: None,  # It says again what it has to say when it is made.
    }

    def settings_of(models):
        of_models = {k: v for k, v in chosen.settings.items() if k in models.split(",")}
        return of_models or None

    def step(name, study, models, plan, make):
        names = full_names(models, modality)
        settings = settings_of(models)
        by_name = read_settings(settings, names, modality) if settings else {}
        tasks = plan(names, settings=by_name, **of_plan)
        arguments = {"models": models, "settings": settings, "study": study, **of_study}
        return Step(name, Path(asked.runs_dir) / study, tasks, lambda: make(**arguments))

    def analysis(name, study):
        own = sensitivity.ANALYSES[name](**chosen.arguments.get(name, {}))

        def plan(names, *, settings, seeds, precision, data, cache, notify):
            by_point = sensitivity.plan_analysis(
                name,
                names,
                own=own,
                seeds=seeds,
                precision=precision,
                plan=Plan(data, settings, cache, notify),
            )
            return [task for tasks in by_point.values() for task in tasks]

        def make(**arguments):
            found, failed = sensitivity.analyze(name, **own.to_dict(), **arguments)
            return found and sensitivity.summarize(found), failed

        return step(name, study, chosen.analysed, plan, make)

    def make_comparison(**arguments):
        found, failed = comparison.compare(**arguments)
        return found and compare.summarize(found), failed

    study = f"{chosen.prefix}comparison"
    return [
        step("comparison", study, chosen.models, comparison.plan_comparison, make_comparison),
        # On the models of the comparison, which are not trained again.
        analysis("noise", study),
        *(
            analysis(name, f"{chosen.prefix}{name}")
            for name in ("learning_rate", "data_ratio", "gate")
        ),
    ]


def paper(*, notify: Callable[[RenderableType], Any] = print, **options: Any) -> list[Ended]:
    """Makes the comparison and all four analyses.

    Args:
        notify: Called with messages for the user, and with what can be printed.
        **options: Values by option of `PaperOptions` and `DataOptions`.

    Returns:
        List of `Ended`, the runs that failed.

    Raises:
        UserError: If the input or an option is wrong.
    """
    # Imported here because pandas takes a moment.
    from emotion_keras.data import read_dataset

    asked = PaperOptions.pick(options)
    data = DataOptions.make(**without(options, PaperOptions))
    note_shared_devices(asked.workers, notify)
    steps = plan_paper(asked, data, notify)
    dataset = read_dataset(data, {}, lambda message: None)
    num_examples = len(dataset.split.train)
    failed = []
    notify(show_plan(steps, asked.budget, asked.workers, num_examples))
    for number, step in enumerate(steps, start=1):
        notify(f"Step {number} of {len(steps)}: {step.name}, in {step.directory}")
        found, failed_here = step.make()
        failed += failed_here
        if found:
            notify(found)
        notify(show_plan(steps, asked.budget, asked.workers, num_examples))
    return failed


def show_plan(steps: Sequence[Step], budget: str, workers: int, num_examples: int) -> ScoreTable:
    """What there is to do, what is done, and about how long the rest takes.

    Args:
        steps: List of `Step`.
        budget: Name of their budget.
        workers: Number of processes.
        num_examples: Number of examples to train on.

    Returns:
        `ScoreTable`.
    """
    table = ScoreTable(
        f"Plan, {budget}: about how long it takes with {workers} worker"
        f"{'s' if workers > 1 else ''} of a core each (measured with TensorFlow)",
        ("step", "runs", "finished", "left"),
    )
    total, seen = 0, set()
    for step in steps:
        missing = step.missing()
        # What an earlier step makes in the same study is there for a later one.
        counted = [t for t in missing if (step.directory, str(t.asked)) not in seen]
        seen |= {(step.directory, str(t.asked)) for t in missing}
        seconds = sum(_seconds(task, budget, num_examples) for task in counted) / workers
        total += seconds
        finished = len(step.tasks) - len(missing)
        left = durations.in_words(seconds) if seconds else "-"
        table.add_row(step.name, str(len(step.tasks)), str(finished), left)
    table.add_section()
    table.add_row("together", "", "", durations.in_words(total) if total else "-")
    return table


def _seconds(task, budget, num_examples):
    """About how long a run takes on one core."""
    modality, encoder = task.options["modality"], task.options.get("encoder", "")
    kind = find_modality(modality).find_encoder(encoder).kind if encoder else ""
    seconds = 0
    for name in modality.split(AND):
        name = name if name in _EXAMPLES else "text"
        by_kind = _SECONDS[budget][name]
        seconds += by_kind.get(kind, by_kind["scratch"]) / _EXAMPLES[name]
    return seconds * num_examples * (task.options.get("train_fraction") or 1.0)


def _show(message):
    """Prints a message as it is, and a table as a table."""
    print(message, flush=True) if isinstance(message, str) else print_tables(message)


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m tuning.paper`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    classes: list[type[Options]] = [PaperOptions, *DATA_STAGES.values()]
    # A fold would be another test split, and the ratios are the training fractions.
    skip = {"folds", "fold", "train_fraction"}
    parser = make_parser("python -m tuning.paper", __doc__, classes, skip=skip)

    def run():
        options = vars(parser.parse_args(arguments))
        code = tell_failures(paper(notify=_show, **options))
        tell_next(Path(options["runs_dir"]))
        return code

    return run_command(run)


if __name__ == "__main__":
    sys.exit(main())
