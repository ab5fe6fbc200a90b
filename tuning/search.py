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
import io
import itertools
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Literal

import rich
import yaml
from rich import box
from rich.markup import escape
from rich.table import Table
from sklearn import exceptions

from emotion_keras import durations, record
from emotion_keras.contenders import (
    DATA_STAGES,
    as_number,
    full_name,
    make_tasks,
    resolve_data,
)
from emotion_keras.defaults import defaults_for
from emotion_keras.errors import UserError, run_command
from emotion_keras.options import make_parser, parse
from emotion_keras.quiet import quiet
from emotion_keras.study import LOGS, Study, run_tasks
from tuning.spaces import space_of

SEARCH = "search.json"
BEST = "best.json"
DEFAULTS = "defaults"  # Name of the trial that comes first.

_OBJECTIVE = "val_macro_f1"


def search(
    *,
    model: str = "gated_transformer",
    oracle: Literal["random", "grid", "bayesian", "hyperband"] = "bayesian",
    max_trials: int = 30,
    seeds_per_trial: int = 1,
    seed: int = 0,
    space: str | None = None,
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "auto",
    study: str = "search",
    runs_dir: str = "runs",
    notify=print,
    **options,
):
    """Searches for the setting of a model that is best on the validation split.

    Args:
        model: Name of a model, with its encoder as in gated_transformer@scratch.
        oracle: How to choose what to try: at random; all in order; where what was tried promises
            most; or by many short runs, of which the best are made again with more epochs.
        max_trials: How many settings to try at most, beside the defaults.
        seeds_per_trial: How many runs of each setting, whose scores are averaged.
        seed: Decides what is tried.
        space: YAML or JSON file in place of the model's own search space: a list of values by
            option of `fit`.
        precision: What to train in; see `fit`.
        study: Name of the set of runs.
        runs_dir: Folder of all runs.
        notify: Called with messages for the user.
        **options: Options of `load_corpus`, `prepare` and `split`.

    Returns:
        `Trials`, and whether failures stopped the search before its end.

    Raises:
        UserError: If the input or an option is wrong, or the study is that of another search.

    Example:

    >>> search(data="situations", model="cnn", max_trials=5)
    """
    record.check_study(study)
    name = full_name(model)
    for option, number in (("max_trials", max_trials), ("seeds_per_trial", seeds_per_trial)):
        if number < 1:
            raise UserError(f"{option} is 1 or more. Received: {option}={number}")
    values = _read_space(space) if space else space_of(name)
    if not values:
        raise UserError(f"{name} has no setting to choose. Received: model={model!r}")
    if oracle == "hyperband" and "@" not in name:
        raise UserError(f"hyperband chooses by epochs, and {name} has none. Choose another oracle.")
    cache = {}
    tasks = make_tasks(
        [name],
        resolve_data(options),
        seeds=seeds_per_trial,
        precision=precision,
        settings={},
        cache=cache,
        notify=notify,
    )
    directory = Path(runs_dir) / study
    question = {
        "contender": name,
        "space": values,
        "oracle": oracle,
        "seed": seed,
        "runs": [task.asked for task in tasks],
    }
    trials = Trials(directory, question)
    if len(trials.of_oracle()) >= max_trials:
        notify(f"All {max_trials} trials are finished, nothing is left to do: {directory}")
        return trials, False
    _check(name, values)
    record.make_directory(directory / LOGS)
    waiting = collections.deque()
    runs = run_tasks(waiting, workers=1, log_dir=directory / LOGS, cache=cache)
    notify(f"Up to {max_trials} trials. What their runs print: {directory / LOGS}")
    with contextlib.closing(runs):
        maker = _Maker(tasks, directory, waiting, runs)
        return trials, _try_settings(trials, maker, values, oracle, seed, max_trials, notify)


class Trials:
    """The trials of a search, kept in `search.json`, and the best of them in `best.json`.

    Args:
        directory: `pathlib.Path` of the study's folder, existing or not.
        question: JSON-able dictionary of what is searched for, and how.

    Raises:
        UserError: If the folder holds another search.
    """

    def __init__(self, directory, question):
        self.directory = directory
        self.question = question
        self.trials = []
        path = directory / SEARCH
        if path.exists():
            found = record.read_versioned(path)
            if changed := [key for key in question if question[key] != found.get(key)]:
                raise UserError(
                    f"{directory} holds another search: {', '.join(changed)} were others. Give "
                    "this one a name of its own with `--study`, or delete that folder."
                )
            self.trials = found["trials"]

    def add(self, trial):
        """Notes a trial: `trial`, `options`, `score`, `run_ids` and `reason`, if it failed."""
        failed = [old for old in self.trials if old["options"] == trial["options"]]
        self.trials = [old for old in self.trials if old not in failed] + [trial]
        record.write_versioned(self.directory / SEARCH, {**self.question, "trials": self.trials})
        if best := self.best():
            contender = self.question["contender"]
            found = {"study": self.directory.name, "contender": contender, **best}
            record.write_versioned(self.directory / BEST, found)

    def score_of(self, options):
        """The score of a setting that was tried, or `None`."""
        return next((t["score"] for t in self.trials if t["options"] == options), None)

    def of_oracle(self):
        """The trials but for that of the defaults."""
        return [trial for trial in self.trials if trial["trial"] != DEFAULTS]

    def ranked(self):
        """The trials that have a score, the best first."""
        scored = [trial for trial in self.trials if trial["score"] is not None]
        return sorted(scored, key=lambda trial: -trial["score"])

    def best(self):
        """The best trial, or `None` where none has a score."""
        return next(iter(self.ranked()), None)


class _Maker:
    """Makes the runs of trials, in a process of their own."""

    def __init__(self, tasks, directory, waiting, runs):
        self.tasks = tasks
        self.directory = directory
        self.study = Study(directory)
        self.waiting = waiting
        self.runs = runs

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


def _try_settings(trials, maker, values, oracle, seed, max_trials, notify):
    """Tries the defaults, and then what the oracle says; returns whether failures stopped it.

    What an oracle says follows from its seed and the scores that it was told. So a search that was
    stopped is begun anew, with the scores of the trials that are there.
    """
    with quiet():  # Imported here because it takes seconds.
        from keras_tuner.engine import base_tuner
        from keras_tuner.errors import FailedTrialError

        from tuning.hparams import write_trial

    start, before = time.monotonic(), len(trials.trials)

    def try_setting(name, options):
        score = trials.score_of(options)
        if score is not None:  # From before a stop; nor does the Gaussian process mind repetition.
            return score
        score, run_ids, reason = maker.make(name, options)
        trials.add(
            {
                "trial": name,
                "options": options,
                "score": score,
                "run_ids": run_ids,
                "reason": reason,
            }
        )
        number = len(trials.of_oracle())
        each = (time.monotonic() - start) / max(1, len(trials.trials) - before)
        left = durations.in_words(each * (max_trials - number))
        notify(f"{_in_words(trials, trials.trials[-1])} {number} of {max_trials}, {left} left.")
        if reason:
            raise FailedTrialError(reason)
        run = record.read_run(maker.directory / run_ids[0])
        settings = run["inputs"] | run["hyperparameters"] | run["training"]
        shown = {option: settings[option] for option in values}
        write_trial(maker.directory, name, shown, _OBJECTIVE, score)
        return score

    class Tuner(base_tuner.BaseTuner):
        def run_trial(self, trial):
            options = dict(trial.hyperparameters.values)
            of_tuner = {name: options.pop(name) for name in set(options) - set(values)}
            if "tuner/epochs" in of_tuner:
                options["epochs"] = of_tuner["tuner/epochs"]
            return {_OBJECTIVE: try_setting(str(1 + len(trials.of_oracle())), options)}

        def pre_create_trial(self):
            if len(trials.of_oracle()) >= max_trials:
                self.oracle.max_trials = len(self.oracle.trials)

        def on_trial_end(self, trial):
            with _speechless():  # It shows where in its code a trial has failed.
                super().on_trial_end(trial)

    with contextlib.suppress(FailedTrialError):
        try_setting(DEFAULTS, {})
    model, _, encoder = trials.question["contender"].partition("@")
    epochs = defaults_for(model, encoder).get("epochs", 4) if encoder else None
    chooser = _make_oracle(oracle, values, seed, _REPETITION * max_trials, epochs)
    chooser.verbose = 0
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # That a Gaussian process of few scores could be a better one is no news to the user.
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
        try:
            Tuner(chooser, directory=folder, project_name="search").search()
        except RuntimeError as error:
            if "consecutive failures" not in str(error):
                raise
            return True
    return False


@contextlib.contextmanager
def _speechless():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _make_oracle(oracle, values, seed, max_trials, epochs):
    """The part of KerasTuner that chooses what to try."""
    import keras_tuner

    space = keras_tuner.HyperParameters()
    for option, choices in values.items():
        space.Choice(option, choices)
    common = {
        "objective": keras_tuner.Objective(_OBJECTIVE, "max"),
        "hyperparameters": space,
        "seed": seed + 1,  # It takes 0 for none.
        "max_consecutive_failed_trials": _FAILURES,
    }
    oracles = keras_tuner.oracles
    if oracle == "hyperband":
        chooser = oracles.HyperbandOracle(max_epochs=epochs, **common)
        chooser.max_trials = max_trials  # Not among its arguments, and heeded all the same.
        return chooser
    kinds = {
        "random": oracles.RandomSearchOracle,
        "grid": oracles.GridSearchOracle,
        "bayesian": oracles.BayesianOptimizationOracle,
    }
    return kinds[oracle](max_trials=max_trials, **common)


_FAILURES = 3  # So many in a row stop a search.
_REPETITION = 10  # So many proposals for one new setting before a space counts as exhausted.


def _check(name, values):
    """Makes sure that `fit` takes every value of a space; imports Keras."""
    with quiet():  # Imported here because it takes seconds.
        from emotion_keras.fit import check_options

    for choices in itertools.zip_longest(*values.values()):
        options = {o: value for o, value in zip(values, choices, strict=True) if value is not None}
        try:
            check_options(name.partition("@")[0], options)
        except UserError as error:
            raise UserError(f"The search space does not fit {name}. {error}") from error


def _read_space(path):
    """A search space from a file: a list of values by option."""
    try:
        space = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read as a search space: {reason}") from error
    if not (isinstance(space, dict) and space) or not all(
        isinstance(option, str) and isinstance(values, list) and values
        for option, values in space.items()
    ):
        raise UserError(
            f"{path} holds no search space. Expected a list of values by option: "
            '{"learning_rate": [1e-4, 1e-3], "num_layers": [1, 2]}'
        )
    return {option: _of_one_kind(map(as_number, values)) for option, values in space.items()}


def _of_one_kind(values):
    """Values as KerasTuner wants them: if one is no whole number, none is."""
    values = list(values)
    return [float(value) for value in values] if float in map(type, values) else values


def _in_words(trials, trial):
    """How a trial ended, for people."""
    name = trial["trial"] if trial["trial"] == DEFAULTS else f"trial {trial['trial']}"
    if trial["reason"]:
        return f"{name} failed: {trial['reason']}"
    best = trials.best()
    is_best = "the best so far" if best is trial else f"best so far {100 * best['score']:.1f}"
    return f"{name}: {100 * trial['score']:.1f} % macro F1 on validation, {is_best}."


def summarize(trials, most=10):
    """The best trials as a table for the terminal."""
    table = Table(
        title=f"{escape(trials.question['contender'])}: macro F1 on the validation split, in "
        f"per cent, the best {most} of {len(trials.trials)} trials",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("trial")
    table.add_column("macro F1", justify="right")
    table.add_column("setting")
    for trial in trials.ranked()[:most]:
        setting = ", ".join(f"{option}={value}" for option, value in trial["options"].items())
        table.add_row(trial["trial"], f"{100 * trial['score']:.1f}", escape(setting or "-"))
    return table


def main(arguments=None):
    """The command `python -m tuning.search`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    functions = [search, *DATA_STAGES.values()]
    parser = make_parser("python -m tuning.search", __doc__, functions, {}, skip={"folds", "fold"})

    def run():
        options = vars(parse(parser, functions, arguments))
        options.pop("config")
        trials, stopped = search(**options)
        rich.print(summarize(trials))
        if trials.best():
            path = trials.directory / BEST
            print(f"To use the best setting: python -m emotion_keras.fit --from-trial {path}")
        if stopped:
            print(f"Stopped: {_FAILURES} trials in a row have failed.", file=sys.stderr)
        return 1 if stopped else 0

    return run_command(run)


if __name__ == "__main__":
    sys.exit(main())
