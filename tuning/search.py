# PYTHON_ARGCOMPLETE_OK
"""Search for a better setting: `python -m tuning.search` -> the runs of a study, and the best.

KerasTuner chooses what to try, from the values in `tuning/spaces.py` or a file, by macro F1 on the
validation split; no run of a search reads the test split. First the defaults are tried, so that
the best is never worse on validation than they. Each trial is one run or more in `runs/<study>/`;
`search.json` lists them, and `best.json` holds the best setting, which `fit --from-trial` and
`compare --settings` take. The same command goes on where it was stopped, and with a larger
`--max-trials` beyond.
"""

import collections
import contextlib
import functools
import io
import itertools
import shlex
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from filelock import FileLock
from rich import box
from rich.markup import escape
from rich.table import Table

from emotion_keras import record
from emotion_keras.command import durations
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import load_texts_of, make_parser
from emotion_keras.command.score_table import print_tables
from emotion_keras.data.options import DATA_STAGES, DataOptions
from emotion_keras.errors import UserError
from emotion_keras.inputs import Input, find_modality
from emotion_keras.machine.quiet import quiet
from emotion_keras.record.options import COUNT, SEED, Options, option, without
from emotion_keras.studies.contenders import SEEDS, as_plain, full_name, make_tasks
from emotion_keras.studies.study import (
    LOGS,
    Study,
    StudyOptions,
    note_shared_devices,
    run_tasks,
    tell_next,
)
from emotion_keras.training.defaults import defaults_for
from emotion_keras.training.settings import Settings
from tuning import parallel
from tuning.oracles import OBJECTIVE, make_oracle, options_of
from tuning.spaces import space_of
from tuning.trials import BEST, DEFAULTS, FAILURES, Trials, has_ended


@dataclass(frozen=True, kw_only=True)
class SearchOptions(StudyOptions):
    """What is searched for, and how."""

    model: str = option(
        "gated_transformer",
        "Name of a model, with its encoder as in gated_transformer@scratch.",
        is_basic=True,
    )
    oracle: Literal["random", "grid", "bayesian", "hyperband"] = option(
        "bayesian",
        "How to choose what to try: at random; all in order; where what was tried promises most; "
        "or by many short runs, of which the best are made again with more epochs.",
        is_basic=True,
    )
    max_trials: int = option(
        30, "How many settings to try at most, beside the defaults.", COUNT, is_basic=True
    )
    seeds_per_trial: int = option(
        1, "How many runs of each setting, whose scores are averaged.", SEEDS, is_basic=True
    )
    seed: int = option(0, "Decides what is tried.", SEED, is_basic=True)
    space: str | None = option(
        None,
        "YAML or JSON file in place of the model's own search space: a list of values by option "
        "of `fit`.",
        is_basic=True,
    )
    study: str = option("search", "Name of the set of runs.", is_basic=True)


def search(*, notify: Callable[[str], Any] = print, **options: Any) -> tuple[Trials, list[str]]:
    """Searches for the setting of a model that is best on the validation split.

    Args:
        notify: Called with messages for the user.
        **options: Values by option of `SearchOptions` and `DataOptions`.

    Returns:
        `Trials`, and list of the names of the workers that ended before their time.

    Raises:
        UserError: If the input or an option is wrong, or the study is that of another search.

    Example:

    >>> trials, failed = search(data="situations", model="tfidf_logistic", max_trials=1)
    Up to 1 trial...
    >>> [trial["trial"] for trial in trials.ended()], failed
    (['1'], [])
    """
    asked = SearchOptions.pick(options)
    data = DataOptions.make(**without(options, SearchOptions))
    record.check_study(asked.study)
    modality = data.reading.modality
    name = full_name(asked.model, modality)
    values = _read_space(asked.space) if asked.space else space_of(name, modality)
    if not values:
        raise UserError(f"{name} has no setting to choose. Received: model={asked.model!r}")
    if asked.oracle == "hyperband" and "@" not in name:
        raise UserError(f"hyperband chooses by epochs, and {name} has none. Choose another oracle.")
    part = parallel.role()
    if asked.workers > 1 and parallel.is_parallel():
        raise UserError(
            f"With {parallel.ROLE} set this process is one part of a search. Leave out `--workers`."
        )
    note_shared_devices(asked.workers, notify)
    cache = {}
    tasks = make_tasks(
        [name],
        data,
        seeds=asked.seeds_per_trial,
        precision=asked.precision,
        settings={},
        cache=cache,
        notify=notify,
    )
    directory = Path(asked.runs_dir) / asked.study
    question = {
        "contender": name,
        "space": values,
        "oracle": asked.oracle,
        "seed": asked.seed,
        "runs": [task.asked for task in tasks],
    }
    plan = _Plan(directory, question, tasks, cache, asked.max_trials, find_modality(modality))
    trials = Trials(directory, question)
    if plan.is_done(trials):
        notify(f"All {asked.max_trials} trials are finished, nothing is left to do: {directory}")
        return trials, []
    _check(name, values, modality)
    if part == parallel.CHIEF:
        parallel.check_port()
    record.make_directory(directory / LOGS)
    Study(directory).add_command("tuning.search", [asked, *data], values if asked.space else None)
    notify(f"Up to {asked.max_trials} trials. What their runs print: {directory / LOGS}")
    lost = []
    if asked.workers > 1:
        lost = parallel.run_here(functools.partial(_take_part, plan), asked.workers)
    else:
        _try_settings(plan, notify)
    trials.reload()
    return trials, lost


class _Plan(NamedTuple):
    """What each process of a search has to know.

    Args:
        directory: `pathlib.Path` of the study's folder.
        question: JSON-able dictionary of what is searched for, and how.
        tasks: List of `Task`, the runs of the defaults.
        cache: Dictionary of what the runs share; see `fit`.
        max_trials: Integer.
        modality: Class of the `Input` that knows the cells.
    """

    directory: Path
    question: dict
    tasks: list
    cache: dict
    max_trials: int
    modality: type[Input]

    def is_done(self, trials):
        """Whether nothing is left to try."""
        has_defaults = any(t["trial"] == DEFAULTS and has_ended(t) for t in trials.trials)
        return has_defaults and len(trials.ended()) >= self.max_trials


def _take_part(plan, names):
    """What a process does that was started to take part in a search."""
    _try_settings(plan, functools.partial(print, flush=True), names)
    return 0


class _Maker:
    """Makes the runs of trials, in a process of their own."""

    def __init__(self, plan):
        self.directory = plan.directory
        self.tasks = plan.tasks
        self.study = Study(plan.directory)
        self.waiting = collections.deque()
        # Several makers do not write to one file.
        of_part = parallel.role() if parallel.is_parallel() else ""
        self.runs = run_tasks(
            self.waiting, workers=1, log_dir=plan.directory / LOGS / of_part, cache=plan.cache
        )

    def close(self):
        """Ends the process."""
        self.runs.close()

    def make(self, trial, options):
        """Makes a trial's runs.

        Args:
            trial: Name of the trial.
            options: Dictionary of the options that it is about.

        Returns:
            Mean macro F1 on the validation split, or `None` if a run failed; run_ids; and why it
            failed, or `None`.
        """
        place = {"study": self.directory.name, "runs_dir": str(self.directory.parent)}
        directories = []
        for task in self.tasks:
            task = task._replace(
                group=f"trial {trial}",
                options={
                    **task.options,
                    **options,
                    **place,
                    "trial": str(trial),
                    "read_test": False,
                },
                asked={**task.asked, **options, "read_test": False},
            )
            directory = self.study.find(task)
            if directory is None:
                self.waiting.append(task)
                ended = next(self.runs)
                if ended.directory is None:
                    return None, [path.name for path in directories], ended.reason
                directory = ended.directory
                self.study.add(task, directory)
            directories.append(directory)
        metrics = [record.read_run(path)["metrics"]["val"]["macro_f1"] for path in directories]
        return statistics.mean(metrics), [path.name for path in directories], None


def _try_settings(plan, notify, names=()):
    """Does this process's part of a search: to choose, to try what is chosen, or both.

    A chief that knows the names of its workers waits for those that are late.

    What an oracle says follows from its seed and the scores that it was given. So a search that was
    stopped starts again, with the scores of the trials that are there.
    """
    with quiet():  # Imported here because it takes seconds.
        from keras_tuner.engine import base_tuner
        from keras_tuner.errors import FailedTrialError
        from sklearn import exceptions

        from tuning.hparams import write_trial

    part = parallel.role()
    trials = Trials(plan.directory, plan.question)
    space = plan.question["space"]
    start, before = time.monotonic(), len(trials.ended())

    def try_setting(options, name=None):
        name = trials.begin(options, name)
        # Two workers may get the same to try.
        with FileLock(plan.directory / f".trial-{name}.lock"):
            trials.reload()
            score = trials.score_of(options)
            if score is not None:  # From before a stop; nor do all oracles mind repetition.
                return score
            score, run_ids, reason = maker.make(name, options)
            trial = trials.end(options, score, run_ids, reason)
        number = len(trials.ended())
        each = (time.monotonic() - start) / max(1, number - before)
        left = durations.in_words(each * max(0, plan.max_trials - number))
        notify(f"{_in_words(trials, trial)} {number} of {plan.max_trials}, {left} left.")
        if reason:
            raise FailedTrialError(reason)
        run = record.read_run(plan.directory / run_ids[0])
        settings = run["inputs"] | run["hyperparameters"] | run["training"]
        shown = {option: settings[option] for option in space}
        with quiet():  # TensorBoard loads TensorFlow for it, where there is one.
            write_trial(plan.directory, name, shown, OBJECTIVE, score)
        return score

    def try_defaults():
        with contextlib.suppress(FailedTrialError):
            try_setting({}, DEFAULTS)

    def is_enough(trying):
        trials.reload()
        known = [trial["options"] for trial in trials.ended()]
        new = [options for options in trying if options not in known]
        return len(known) + len(new) >= plan.max_trials

    class Tuner(base_tuner.BaseTuner):
        def pre_create_trial(self):
            time.sleep(0.1)  # An oracle that waits for other trials' ends is asked again and again.

        def run_trial(self, trial):
            return {OBJECTIVE: try_setting(options_of(trial.hyperparameters, space))}

        def on_trial_end(self, trial):
            with contextlib.redirect_stdout(io.StringIO()):  # As below.
                super().on_trial_end(trial)

    model, _, encoder = plan.question["contender"].partition("@")
    oracle = make_oracle(
        plan.question["oracle"],
        space,
        seed=plan.question["seed"],
        max_trials=plan.max_trials,
        epochs=_most_epochs(model, encoder, plan.modality) if encoder else None,
        is_enough=is_enough,
    )
    oracle.tuner_ids.update(names)
    with (
        contextlib.closing(_Maker(plan)) as maker,
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
    ):
        # That a Gaussian process of few scores could be a better one is no news to the user.
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
        tuner = Tuner(oracle, directory=folder, project_name="search")
        is_worker = parallel.is_parallel() and part != parallel.CHIEF
        with parallel.with_chief() if is_worker else contextlib.nullcontext():
            if part == parallel.ALONE:
                try_defaults()
            # It shows where in its code a trial has failed.
            with contextlib.redirect_stderr(io.StringIO()):
                tuner.search()
        if part == parallel.CHIEF and trials.score_of({}) is None:
            try_defaults()  # On many machines none may be called as the first worker is here.


def _most_epochs(model, encoder, modality):
    """The epochs that a model has by default, which `hyperband` takes for the most."""
    return defaults_for(model, encoder, modality=modality).get("epochs", 4)


def _check(name, values, modality="text"):
    """Makes sure that `fit` takes every value of a space."""
    for choices in itertools.zip_longest(*values.values()):
        options = {o: value for o, value in zip(values, choices, strict=True) if value is not None}
        try:
            Settings.make(model=name.partition("@")[0], modality=modality, **options)
        except UserError as error:
            raise UserError(f"The search space does not fit {name}. {error}") from error


def _read_space(path):
    """A search space from a file: a list of values by option."""
    space = load_texts_of(path, "a search space")
    if not (isinstance(space, dict) and space) or not all(
        isinstance(option, str) and isinstance(values, list) and values
        for option, values in space.items()
    ):
        raise UserError(
            f"{path} holds no search space. Expected a list of values by option: "
            '{"learning_rate": [1e-4, 1e-3], "num_layers": [1, 2]}'
        )
    return {option: _of_one_kind(map(as_plain, values)) for option, values in space.items()}


def _of_one_kind(values):
    """Values as KerasTuner wants them: if one is no whole number, none is."""
    values = list(values)
    kinds = set(map(type, values))
    return [float(value) for value in values] if kinds == {int, float} else values


def _in_words(trials, trial):
    """How a trial ended, for people."""
    name = trial["trial"] if trial["trial"] == DEFAULTS else f"trial {trial['trial']}"
    if trial["reason"]:
        return f"{name} failed: {trial['reason']}"
    best = trials.best()
    is_best = "the best so far" if best is trial else f"best so far {100 * best['score']:.1f}"
    return f"{name}: {100 * trial['score']:.1f} % macro F1 on validation, {is_best}."


def summarize(trials: Trials, most: int = 10) -> Table:
    """The best trials as a table for the terminal."""
    shown = trials.ranked()[:most]
    table = Table(
        title=f"{escape(trials.question['contender'])}: macro F1 on the validation split, in "
        f"per cent, the best {len(shown)} of {len(trials.trials)} trials",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("trial", no_wrap=True)
    table.add_column("macro F1", justify="right", no_wrap=True)
    table.add_column("setting", overflow="fold")
    for trial in shown:
        setting = ", ".join(f"{option}={value}" for option, value in trial["options"].items())
        table.add_row(trial["trial"], f"{100 * trial['score']:.1f}", escape(setting or "-"))
    return table


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m tuning.search`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    classes: list[type[Options]] = [SearchOptions, *DATA_STAGES.values()]
    parser = make_parser("python -m tuning.search", __doc__, classes, skip={"folds", "fold"})

    def run():
        trials, lost = search(**vars(parser.parse_args(arguments)))
        print_tables(summarize(trials))
        if trials.best():
            path = shlex.quote(str(trials.directory / BEST))
            print(f"To use the best setting: python -m emotion_keras.fit --from-trial {path}")
            tell_next(trials.directory)
        if trials.have_failed():
            print(f"Stopped: {FAILURES} trials in a row have failed.", file=sys.stderr)
        for worker in lost:
            print(
                f"{worker} ended before its time. The same command tries what is missing.",
                file=sys.stderr,
            )
        return 1 if lost or trials.have_failed() else 0

    return run_command(run)


if __name__ == "__main__":
    sys.exit(main())
