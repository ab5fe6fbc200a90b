# PYTHON_ARGCOMPLETE_OK
"""What a setting does: `python -m tuning.sensitivity ANALYSIS`.

The analyses are learning_rate, noise, data_ratio, gate, recipe and protocol.

Each analysis trains models at several values of one setting, at every value with several seeds, as
a study of plain runs: what is finished is not made again, and what was killed continues. At its end
it shows what the runs reach, and keeps it as `sensitivity.json` beside them, with what it found of
other models in the same study.
"""

import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from emotion_keras import record
from emotion_keras.command import durations
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import Parser
from emotion_keras.command.score_table import ScoreTable, print_tables, spread_of, with_interval
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
from emotion_keras.data.noise import LABELS, check_kind, check_level
from emotion_keras.data.options import DATA_STAGES, DataOptions
from emotion_keras.errors import UserError
from emotion_keras.inputs import AND, INPUTS, Input, find_modality
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from emotion_keras.record.options import SHARE, Options, option, split_names, without
from emotion_keras.studies.contenders import (
    SEEDS,
    ByModel,
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
from tuning.recipes import Recipe, compare_recipes, possible_recipes
from tuning.trial import Trial

SENSITIVITY = "sensitivity.json"


@dataclass(frozen=True, kw_only=True)
class LearningRate(Options):
    """Trains at several learning rates: the paper's Figure 2."""

    rates: str = option(
        "1e-5,5e-5,1e-4,5e-4,1e-3",
        "Highest learning rates of the schedule, with commas between them.",
        is_basic=True,
    )

    def trials(self) -> list[Trial]:
        """The settings to try, a list of `Trial`, or `UserError` if a rate is no number above 0."""
        values = _numbers(self.rates, "rates")
        if not all(value > 0 for value in values):
            raise UserError(f"A learning rate is above 0. Received: rates={self.rates!r}")
        return [Trial(value, {"learning_rate": value}) for value in values]


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
class Noise(Options):
    """Trains once, and tests on cells with noise; for noise in labels, trains at each level."""

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
        values = _numbers(self.label_levels, "label_levels") if self.label_levels else []
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
        names = list(modality.noises) if self.kinds is None else _names(self.kinds, "kinds")
        for name in names:
            check_kind(name, modality.noises)
        usual = _LEVELS.get(modality.name, _LEVELS_OF_SEVERAL)
        values = _numbers(usual if self.levels is None else self.levels, "levels")
        for value in values:
            check_level(value)
        return [(name, value) for name in names for value in values if value]


@dataclass(frozen=True, kw_only=True)
class DataRatio(Options):
    """Trains on parts of the training split, a smaller one a part of a larger one."""

    ratios: str = option(
        "0.05,0.1,0.2,0.4,0.6,0.8,1",
        "Shares of the training split, with commas between them.",
        is_basic=True,
    )

    def trials(self) -> list[Trial]:
        """The settings to try, a list of `Trial`, or `UserError` if a ratio is no share above 0."""
        values = _shares_above_0(self.ratios, "ratios")
        return [Trial(value, {"train_fraction": value}) for value in values]


# What is trained in place of the paper's gate, `features`, and of average pooling.
GATES = {
    "none": Trial("none", {}, "transformer"),
    "features": Trial("features", {}),
    "scalar": Trial("scalar", {"gate": "scalar"}),
    "linear_unit": Trial("linear_unit", {"gate": "linear_unit"}),
    "after_embeddings": Trial("after_embeddings", {"gate_after": "embeddings"}),
    "after_blocks": Trial("after_blocks", {"gate_after": "blocks"}),
    "attention_pooling": Trial("attention_pooling", {"pooling": "attention"}, "transformer"),
    "max_pooling": Trial("max_pooling", {"pooling": "max"}),
    "first_pooling": Trial("first_pooling", {"pooling": "first"}),
}


# Gates that are to leave a share of the words open; each is trained at several shares.
SELECTING = {
    "hard_concrete": {"gate": "hard_concrete"},
    "hard_concrete_after_embeddings": {"gate": "hard_concrete", "gate_after": "embeddings"},
    "first_reading": {"gate": "hard_concrete", "gate_after": "first_reading"},
    "closing_scalar": {"gate": "scalar"},
    "closing_features": {"gate": "features"},
}


@dataclass(frozen=True, kw_only=True)
class Gate(Options):
    """Trains with other forms and places of the gate, without it, and with other poolings."""

    forms: str = option(
        ",".join(GATES),
        "Names with commas between them: none; features, the paper's; scalar, one gate a token; "
        "linear_unit; after_embeddings and after_blocks, in models with so many blocks that it "
        "makes a difference; attention_pooling, by gated attention in place of the gate; "
        "max_pooling and first_pooling, with the paper's gate. Not unless named, and at each of "
        "`shares`: hard_concrete, a gate that closes after the last block, and "
        "hard_concrete_after_embeddings; first_reading, one that hides words from a second "
        "reading; closing_scalar and closing_features, whose mean a loss lowers.",
        is_basic=True,
    )
    shares: str = option(
        "0.8,0.5,0.3,0.2,0.1",
        "Shares of the words to keep, with commas between them, of the forms that select. Beside "
        "`features`, it is measured how often models are right on these words alone.",
        is_basic=True,
    )
    ratios: str = option(
        "1",
        "Shares of the training split to train on, with commas between them.",
        is_basic=True,
    )
    noise_level: float = option(
        0.0,
        "Level of each kind of noise that models of the whole training split are tested with, "
        "too; 0 for none.",
        SHARE,
        is_basic=True,
    )

    def trials(self) -> list[Trial]:
        """The settings to try, a list of `Trial`, or `UserError` if there is no such form."""
        names = _names(self.forms, "forms")
        if unknown := [name for name in names if name not in GATES | SELECTING]:
            raise UserError(
                f"Unknown form of the gate. Accepted: {', '.join(GATES | SELECTING)}. "
                f"Received: {', '.join(unknown)}"
            )
        shares = _shares_above_0(self.shares, "shares")
        forms = [
            trial
            for name in names
            for trial in ([GATES[name]] if name in GATES else _at_shares(name, shares))
        ]
        ratios = _shares_above_0(self.ratios, "ratios")
        return [_on_part(trial, ratio) for ratio in ratios for trial in forms]

    def noises(self, modality: type[Input]) -> list[tuple[str, float]]:
        """The pairs of a kind and a level to test with; see `Noise.noises`."""
        return [(name, self.noise_level) for name in modality.noises if self.noise_level]


def _at_shares(name, shares):
    """The trials of a form that selects."""
    return [Trial(f"{name} {s:g}", {**SELECTING[name], "keep": s}) for s in shares]


def _on_part(trial, ratio):
    """A trial on a part of the training split."""
    if ratio == 1:
        return trial
    options = {**trial.options, "train_fraction": ratio}
    return trial._replace(value=f"{trial.value}, {100 * ratio:g} % of the data", options=options)


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
class ProtocolAnalysis(Options):
    """Trains under protocols found in papers, many of them flawed, to show what each is worth.

    Each seed has a split of its own: the protocols differ in who is tested, and with a single split
    that would be taken for what they are worth.
    """

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
        names = _names(self.protocols, "protocols")
        if unknown := [name for name in names if name not in PROTOCOLS]:
            raise UserError(
                f"Unknown protocol. Accepted: {', '.join(PROTOCOLS)}. "
                f"Received: {', '.join(unknown)}"
            )
        return [Trial(name, PROTOCOLS[name]) for name in PROTOCOLS if name in (OURS, *names)]


Analysis = LearningRate | Noise | DataRatio | Gate | Recipe | ProtocolAnalysis

ANALYSES: dict[str, type[Analysis]] = {
    "learning_rate": LearningRate,
    "noise": Noise,
    "data_ratio": DataRatio,
    "gate": Gate,
    "recipe": Recipe,
    "protocol": ProtocolAnalysis,
}


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
    cache = {}
    tasks = plan_analysis(
        analysis,
        names,
        own=own,
        seeds=asked.seeds,
        settings=settings,
        precision=asked.precision,
        data=data,
        cache=cache,
        notify=notify,
    )
    in_order = [task for of_point in tasks.values() for task in of_point]
    # Long runs first, or the time left would be estimated from short ones alone.
    in_order.sort(key=lambda task: -task.options["train_fraction"])
    made, failed = make_runs(
        in_order,
        directory,
        workers=asked.workers,
        cache=cache,
        notify=notify,
        command=(f"tuning.sensitivity {analysis}", [own, asked, *data], settings),
        check=lambda: _check(tasks.values()),
    )
    if not made:
        return None, failed
    # Imported here because pandas takes a moment.
    from emotion_keras.evaluation.sensitivity import summarize_noise, summarize_runs

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
    if isinstance(own, Recipe):
        found["points"] = compare_recipes(found["points"], directory)
    if isinstance(own, ProtocolAnalysis):
        found["points"] = _with_best_of_seeds(found["points"], directory)
    if isinstance(own, Noise):
        from emotion_keras.data import read_dataset

        tested = {name: runs[name, 0.0] for name in names}
        dataset = read_dataset(data, cache, notify)
        wanted = own.noises(modality)
        _test_with_noise(
            [path for paths in tested.values() for path in paths], wanted, dataset, notify
        )
        found["noise"] = {name: summarize_noise(paths) for name, paths in tested.items()}
    if isinstance(own, Gate):
        _test_gates(own, runs, data, modality, cache, notify)
    path = directory / SENSITIVITY
    record.write_versioned(path, _with_other_models(found, path))
    return found, failed


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
            best = max(runs, key=lambda run_id: runs[run_id]["metrics"]["test"]["accuracy"])
            summary = summarize_runs([directory / best])
            found.append({**point, "value": name, **summary, "flaws": [*flaws, SEED_ON_TEST]})
    return found


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
    settings: ByModel,
    precision: str,
    data: DataOptions,
    cache: dict[str, Any],
    notify: Callable[[str], Any],
) -> dict[tuple[str, float | str], list[Task]]:
    """The runs of an analysis.

    Args:
        analysis: Name of a class of `ANALYSES`.
        names: Full names of models.
        own: The analysis's options, an object of its class.
        seeds: Integer, number of runs at each value.
        settings: Dictionary of options by model, and for all `networks`, in place of the chosen.
        precision: See `fit`.
        data: `DataOptions`.
        cache: Dictionary, filled with what of the runs can be made beforehand, as `fit` takes it.
        notify: Called with messages for the user.

    Returns:
        Dictionary of lists of `Task`, by model and value.
    """
    modality = find_modality(data.reading.modality)
    trials = own.trials()
    if isinstance(own, Noise):
        own.noises(modality)  # Nothing is trained for a kind that there is not.
    common = {"seeds": seeds, "precision": precision, "cache": cache, "notify": notify}

    def possible(name):
        if isinstance(own, ProtocolAnalysis):
            return _possible_protocols(name, trials, data, cache, notify)
        if isinstance(own, Recipe):
            return possible_recipes(name, trials, modality.name)
        return _possible_trials(analysis, name, trials, settings, modality, notify)

    return {
        (name, trial.value): _make_tasks(analysis, name, trial, settings, data, common)
        for name in names
        for trial in possible(name)
    }


def _possible_trials(analysis, name, trials, given, modality, notify):
    """The trials that make a difference to a contender."""
    if analysis != "gate":
        return trials
    model, _, encoder = name.partition("@")
    gated = [of_gate for of_gate, kind in MODELS.items() if "gate" in kind.names()]
    if model not in gated:
        raise UserError(f"Only {', '.join(gated)} has a gate. Received: models={name!r}")
    chosen = defaults_for(model, encoder, modality=modality) | settings_for(name, given)
    num_layers = chosen.get("num_layers", 2)
    same = [place for place, least in (("embeddings", 1), ("blocks", 2)) if num_layers < least]
    if left_out := [trial for trial in trials if trial.options.get("gate_after") in same]:
        notify(
            f"{name} has {num_layers} blocks of its own. Left out, because it would be the same as "
            f"after the last: {', '.join(trial.value for trial in left_out)}."
        )
    of_one = [
        trial
        for trial in trials
        if AND in modality.name
        and (trial.options.get("pooling"), trial.options.get("gate_after"))
        in (("first", None), (None, "first_reading"))
    ]
    if of_one:
        notify(
            f"{name}: {', '.join(trial.value for trial in of_one)} left out, which several "
            "modalities do not have."
        )
    return [trial for trial in trials if trial not in [*left_out, *of_one]]


def _possible_protocols(name, trials, data, cache, notify):
    """The protocols that make a difference to a contender on its data."""
    # Imported here because pandas takes a moment.
    from emotion_keras.data import read_dataset

    corpus = read_dataset(data, cache, notify).corpus
    idle = {
        EPOCH_ON_TEST: name in BASELINES,
        RANDOM_SPLIT: not corpus.has_groups,
        OVERSAMPLED: len(set(corpus.examples["label"].value_counts())) == 1,
    }
    if "split" in corpus.examples:  # An official split parts nothing anew.
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
        notify(
            f"{name} on {corpus.name}: left out, because it would make no difference or a label is "
            f"not there: {', '.join(trial.value for trial in left_out)}."
        )
    return kept


def _make_tasks(analysis, name, trial, given, data, common):
    """The runs of a contender at one value."""
    own = without(trial.options, *DATA_STAGES.values())
    shared = {option: value for option, value in trial.options.items() if option not in own}
    flaws = shared.pop("flaws", None)
    settings = settings_for(name, given) | own
    contender = name
    if trial.model:
        # With the settings of the model that it stands for, so that they differ in nothing else.
        model, _, encoder = name.partition("@")
        modality = find_modality(data.reading.modality)
        settings = {**defaults_for(model, encoder, modality=modality), **settings}
        del settings["encoder"]
        contender = f"{trial.model}@{encoder}"
    data = DataOptions.make(**{**data.options(), **shared})
    tasks = make_tasks(
        [contender],
        # Not by `make`, which lets nobody choose them.
        data._replace(protocol=dataclasses.replace(data.protocol, flaws=flaws)),
        settings={contender: settings},
        **common,
    )
    if analysis == "protocol":
        tasks = list(map(_with_own_split, tasks))
    if analysis == "recipe":  # Recipes are chosen by what they reach.
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


def _with_own_split(task):
    """A run on the split that goes with its seed."""
    own = {"split_seed": task.options["split_seed"] + task.options["seed"]}
    return task._replace(options=task.options | own, asked=task.asked | own)


def _check(tasks):
    """Makes sure that the runs of an analysis can begin."""
    for first, *_ in tasks:
        options = {name: value for name, value in first.options.items() if name != "trial"}
        try:
            Settings.make(**options)
        except UserError as error:
            raise UserError(f"{first.group} cannot be trained. {error}") from error


def _test_with_noise(directories, wanted, dataset, notify):
    """Tests models on perturbed cells, and says how far it is."""
    from tuning.robustness import measure_robustness, missing_noises

    left = [path for path in directories if missing_noises(path, wanted)]
    if left:
        notify(f"{len(left)} models to test with {len(wanted)} noises each.")
    start = time.monotonic()
    for number, directory in enumerate(left, start=1):
        measure_robustness(directory, wanted, dataset)
        seconds = (time.monotonic() - start) / number * (len(left) - number)
        notify(
            f"{directory.name}: tested, {number} of {len(left)}; about "
            f"{durations.in_words(seconds)} left."
        )


def _test_gates(own, runs, data, modality, cache, notify):
    """Tests the models of a study of gates on perturbed cells, and on the words that they keep."""
    from emotion_keras.data import read_dataset
    from tuning.selection import measure_selections, missing_selections

    on_all = {at: paths for at, paths in runs.items() if "%" not in at[1]}
    if wanted := own.noises(modality):
        dataset = read_dataset(data, cache, notify)
        paths = [path for of_form in on_all.values() for path in of_form]
        _test_with_noise(paths, wanted, dataset, notify)
    if left := missing_selections(on_all):
        measure_selections(left, read_dataset(data, cache, notify), notify)


def _numbers(text, option):
    """The numbers in a list with commas."""
    try:
        return [float(name) for name in _names(text, option)]
    except ValueError as error:
        raise UserError(
            f"{option} are numbers with commas between them. Received: {option}={text!r}"
        ) from error


def _shares_above_0(text, option):
    """The numbers above 0 and at most 1 in a list with commas."""
    values = _numbers(text, option)
    if not all(0 < value <= 1 for value in values):
        raise UserError(f"{option} are shares above 0 and at most 1. Received: {option}={text!r}")
    return values


def _names(text, option):
    """The names in a list with commas, each of which is there once."""
    names = [name.strip() for name in text.split(",")]
    if len(set(names)) < len(names):
        raise UserError(f"{option} names something twice. Received: {option}={text!r}")
    return names


def summarize(found: Mapping[str, Any]) -> Group:
    """What an analysis found, as tables for the terminal."""
    if found["analysis"] == "recipe":
        return Group(*map(_recipes, _by_contender(found)))
    name = {"noise": "wrong labels"}.get(found["analysis"], found["analysis"].replace("_", " "))
    parts: list[RenderableType] = []
    for contender in dict.fromkeys(point["contender"] for point in found["points"]):
        table = ScoreTable(
            f"{contender} by {name}, in per cent, with 95 % intervals over examples and seeds "
            "(SD: standard deviation of accuracy over seeds)",
            (name, "runs", "accuracy", "SD", "macro F1", "AUC", "val. F1"),
        )
        points = [point for point in found["points"] if point["contender"] == contender]
        for point in points:
            value = point["value"]
            mark = " †" if point.get("flaws") else ""
            table.add_row(
                f"{value}{mark}" if isinstance(value, str) else f"{value:g}",
                str(len(point["run_ids"])),
                with_interval(point["test"]["accuracy"]),
                spread_of(point["test"]["accuracy"]),
                *(with_interval(point["test"].get(s)) for s in ("macro_f1", "auc")),
                with_interval(point["val"]["macro_f1"]),
            )
        parts.append(table)
    for contender, points in found.get("noise", {}).items():
        levels = sorted({point["level"] for point in points})
        table = ScoreTable(
            f"{contender}: accuracy by noise and its level, in per cent, means over runs",
            ("noise", *(f"{level:g}" for level in levels)),
        )
        for kind in dict.fromkeys(point["kind"] for point in points):
            row = {p["level"]: p["test"]["accuracy"] for p in points if p["kind"] == kind}
            table.add_row(kind, *(with_interval(row.get(level)) for level in levels))
        parts.append(table)
    flawed = {point["value"]: point["flaws"] for point in found["points"] if point.get("flaws")}
    parts += [Text(f"† {value}: {in_words(flaws)}") for value, flaws in flawed.items()]
    return Group(*parts)


def _by_contender(found):
    """The points of an analysis, by contender."""
    names = dict.fromkeys(point["contender"] for point in found["points"])
    return [[p for p in found["points"] if p["contender"] == name] for name in names]


def _recipes(points):
    """What recipes reach on the validation split, beside plain training."""
    table = ScoreTable(
        f"{points[0]['contender']} by recipe on the validation split, in per cent, with 95 % "
        "intervals over examples and seeds; points beyond plain; p after Holm's correction",
        ("recipe", "runs", "accuracy", "macro F1", "points", "interval", "p", "time"),
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
        scores = [with_interval(point["val"][score]) for score in ("accuracy", "macro_f1")]
        table.add_row(
            point["value"],
            str(len(point["run_ids"])),
            *scores,
            *beyond,
            f"x {point['seconds'] / plain:.1f}",
        )
    return table


_ANALYSED_OPTIONS = {"data_ratio": ("train_fraction",), "protocol": ("labels", "repeats")}


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m tuning.sensitivity`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = Parser("python -m tuning.sensitivity", __doc__)
    commands = parser.add_subparsers(dest="analysis", required=True, metavar="ANALYSIS")
    for name, own in ANALYSES.items():
        of_analysis = commands.add_parser(name, help=own.__doc__, description=own.__doc__)
        # A fold would be another test split, and some options are what is analysed.
        skip = {"folds", "fold", *_ANALYSED_OPTIONS.get(name, ())}
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
