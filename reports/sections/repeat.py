"""The commands that repeat the studies, from their records."""

import json
import os
import shlex
from typing import Any

from emotion_keras.data.options import DATA_STAGES
from emotion_keras.errors import UserError
from emotion_keras.record.options import as_words, option_names
from emotion_keras.training.options import RunOptions
from emotion_keras.training.settings import Settings
from reports.display.page import Page
from reports.findings import Findings
from reports.records import COMPARISON, SEARCH, SENSITIVITY, STUDY, Part, Run

TITLE = "Repeat it"

# What a task of a study says beside the settings that were given for it; see contenders.py. Label
# noise is what an analysis tries.
_OF_TASK = {
    *RunOptions.names(),
    *option_names(DATA_STAGES.values()),
    *("encoder", "encoder_sha256", "defaults", "backend", "noise"),
}


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """The commands that the page names; see `reports.sections`."""
    names = dict.fromkeys(run.contender for run in findings.part.runs)
    return {"commands": commands(findings.part), "names": list(names)}


def commands(part: Part) -> list[dict[str, Any]]:
    """The commands that repeat each study of a part.

    Args:
        part: `Part`.

    Returns:
        List of dictionaries of `study`, `command`, `settings`, JSON of what was given in a file or
        `None`, and of `others`, the number of runs that the command has to name in turn.
    """
    found = []
    for study in part.studies:
        combined = [run for run in study.runs if run.is_combination]
        trained = [run for run in study.runs if not run.is_combination]
        makers = [make for name, make in _MAKERS.items() if name in study.files]
        if recorded := study.files.get(STUDY, {}).get("commands"):
            found += [_recorded(study, one["command"], one["file"]) for one in recorded]
        elif makers:
            found += [one for make in makers for one in make(study)]
        elif trained:
            found.append(_repeat(study, fit_command(trained[0]), None, len(trained) - 1))
        found += [_repeat(study, fit_command(run)) for run in combined]
    return found


def fit_command(run: Run) -> str:
    """The command that makes a run, in the folder where it lies."""
    given = run.record.get("command")
    words = [*given, *_precision(run, given)] if given else _worked_out(run)
    # What combines runs needs no backend.
    made_with = None if run.is_combination else run
    return _as_lines(made_with, [*words, *_place(run.directory.parent)])


def _worked_out(run):
    """The command of a run whose record, of an earlier version, has none."""
    try:
        return Settings.from_record(run.record).command()
    except UserError:  # A model or an option that this version does not have.
        return _from_run(run)


def _precision(run, words):
    """The precision of a network, where its command left that to the machine."""
    if run.is_baseline or run.is_combination or any(w.startswith("--precision=") for w in words):
        return []
    return [f"--precision={run.record['training']['precision']}"]


def from_run_command(run: Run) -> str:
    """The command that takes all options of a run from its record; a combination has its own."""
    if run.is_combination:
        return fit_command(run)
    return _as_lines(run, [*_from_run(run), *_place(run.directory.parent)])


def _from_run(run):
    return ["python", "-m", "emotion_keras.fit", f"--from-run={run.directory}"]


def _recorded(study, words, file):
    """A command that a study has kept."""
    first = study.runs[0] if study.runs else None
    run = next((run for run in study.runs if not run.is_baseline), first)
    command = _as_lines(run, [*words, *_place(study.directory)])
    return _repeat(study, command, file and json.dumps(file, indent=2))


def _repeat(study, command, settings=None, others=0):
    return {"study": study.title, "command": command, "settings": settings, "others": others}


def _place(directory):
    """The options that name the folder of a study."""
    values = {"study": directory.resolve().name, "runs_dir": os.fspath(directory.parent)}
    return as_words(values)


def _as_lines(run, words):
    """A command for a shell; a line an option, so that people can read it, too."""
    options = [word for word in words if word.startswith("--")]
    first = shlex.join(word for word in words if word not in options)
    if run:
        first = f"KERAS_BACKEND={_backend(run)} {first}"
    return " \\\n  ".join([first, *map(shlex.quote, options)])


def _backend(run):
    return "tensorflow" if run.is_baseline else run.backend


def _command(study, module, flags, runs):
    run = next((run for run in runs if not run.is_baseline), runs[0])
    words = ["python", "-m", module, *flags, *_data_flags(run)]
    precision = {asked["precision"] for asked in _asked(study).values() if "precision" in asked}
    if len(precision) == 1:
        words.append(f"--precision={precision.pop()}")
    return _as_lines(run, [*words, *_place(study.directory)])


def _data_flags(run):
    values = {}
    for name, options in DATA_STAGES.items():
        recorded = run.record["corpus"].get(name) or {}
        values |= options.pick({k: v for k, v in recorded.items() if v is not None}).to_dict()
    # Of a fold and a share of the training split an analysis has many.
    for name in ("fold", "train_fraction"):
        del values[name]
    return as_words({name: value for name, value in values.items() if value is not None})


def _asked(study):
    return {run["run_id"]: run["asked"] for run in study.files.get(STUDY, {}).get("runs", ())}


def _settings(study, names, without=()):
    """Settings that were given for contenders, as the file for `--settings`, or `None`."""
    asked, found = _asked(study), {}
    for run in study.runs:
        if run.name in names:
            given = asked.get(run.name, {})
            own = {k: v for k, v in given.items() if k not in _OF_TASK and k not in without}
            if own:
                found[run.contender] = own
    return json.dumps(found, indent=2) if found else None


def _compare_command(study):
    named = set(study.files[COMPARISON]["run_ids"])
    runs = [run for run in study.runs if run.name in named and not run.is_combination]
    models = list(dict.fromkeys(run.contender for run in runs))
    flags = [f"--models={','.join(models)}", f"--seeds={1 + max(run.seed for run in runs)}"]
    if reference := study.files[COMPARISON].get("asked_reference"):
        flags.append(f"--reference={reference}")
    settings = _settings(study, named)
    if settings:
        flags.append("--settings=settings.json")
    command = _command(study, "emotion_keras.compare", flags, runs)
    return [_repeat(study, command, settings)]


_VALUES = {
    "learning_rate": ("--rates", "learning_rate"),
    "data_ratio": ("--ratios", "train_fraction"),
    "noise": ("--label-levels", "noise"),
    "gate": ("--forms", "gate"),
    # Their best seeds, which are no values to train at, are left out of the command.
    "protocol": ("--protocols", "flaws"),
}


def _sensitivity_commands(study):
    """A command for all models that were tried at the same values."""
    values = {}
    for point in study.files[SENSITIVITY]["points"]:
        values.setdefault(point["contender"], []).append(point["value"])
    models = {}
    for name, of_model in values.items():
        models.setdefault(tuple(of_model), []).append(name)
    return [_sensitivity_command(study, of_values) for of_values in models.values()]


def _sensitivity_command(study, models):
    found = study.files[SENSITIVITY]
    analysis = found["analysis"]
    points = [point for point in found["points"] if point["contender"] in models]
    named = {name for point in points for name in point["run_ids"]}
    runs = [run for run in study.runs if run.name in named]
    flag, option = _VALUES[analysis]
    values = dict.fromkeys(point["value"] for point in points)
    if analysis == "noise":
        values = [value for value in values if value]
    if analysis == "protocol":
        values = [value for value in values if not value.endswith("best_of_seeds")]
    texts = [value if isinstance(value, str) else f"{value:g}" for value in values]
    flags = [analysis, f"--models={','.join(models)}"]
    flags.append(f"--seeds={1 + max((run.seed for run in runs), default=0)}")
    flags.append(f"{flag}={','.join(texts)}")
    noises = [point for name in models for point in found.get("noise", {}).get(name, ())]
    if noises:
        levels = sorted({point["level"] for point in noises} - {0})
        flags.append(f"--kinds={','.join(dict.fromkeys(point['kind'] for point in noises))}")
        flags.append(f"--levels={','.join(f'{level:g}' for level in levels)}")
    settings = None
    if analysis != "gate":
        settings = _settings(study, named, without={option})
        if settings:
            flags.append("--settings=settings.json")
    command = _command(study, "tuning.sensitivity", flags, runs or study.runs)
    return _repeat(study, command, settings)


def _search_command(study):
    found = study.files[SEARCH]
    tried = [trial for trial in found["trials"] if trial["trial"] != "defaults"]
    flags = [
        f"--model={found['contender']}",
        f"--oracle={found['oracle']}",
        f"--max-trials={len(tried)}",
        f"--seeds-per-trial={len(found['runs'])}",
        f"--seed={found['seed']}",
        "--space=space.json",
    ]
    command = _command(study, "tuning.search", flags, study.runs)
    space = json.dumps(found["space"], indent=2)
    return [_repeat(study, command, space)]


_MAKERS = {
    COMPARISON: _compare_command,
    SENSITIVITY: _sensitivity_commands,
    SEARCH: _search_command,
}
