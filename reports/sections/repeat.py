"""The commands that repeat the studies, from their records."""

import json
import shlex
from typing import Any

from reports.display.page import Page
from reports.findings import Findings
from reports.records import COMPARISON, SEARCH, SENSITIVITY, STUDY, Part, Run

TITLE = "Repeat it"

# What a task of a study says beside the settings that were given for it; see contenders.py.
_ASKED = {
    *("seed", "precision", "data", "text_column", "label_column", "group_column"),
    *("clean", "normalize_punctuation", "labels", "repeats"),
    *("split_seed", "test_size", "val_size", "folds", "fold", "train_fraction"),
    *("model", "encoder", "defaults", "backend", "read_test", "noise"),
}


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """The commands that the page names; see `reports.sections`."""
    return {"commands": commands(findings.part)}


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
        for name, make in _MAKERS.items():
            if name in study.files:
                found += make(study)
        if not study.files.keys() & _MAKERS.keys():
            found.append(_repeat(study, fit_command(study.runs[0]), None, len(study.runs) - 1))
    return found


def fit_command(run: Run) -> str:
    """The command that trains a run again."""
    # Joined by a sign, so that a folder whose name begins with a dash is no option.
    from_run = shlex.quote(f"--from-run={run.directory}")
    return f"KERAS_BACKEND={_backend(run)} python -m emotion_keras.fit {from_run}"


def _repeat(study, command, settings=None, others=0):
    return {"study": study.title, "command": command, "settings": settings, "others": others}


def _backend(run):
    return "tensorflow" if run.is_baseline else run.backend


def _command(study, module, flags, runs):
    run = next((run for run in runs if not run.is_baseline), runs[0])
    words = ["python", "-m", module, *flags, *_data_flags(run)]
    precision = {asked["precision"] for asked in _asked(study).values() if "precision" in asked}
    if len(precision) == 1:
        words.append(f"--precision={precision.pop()}")
    words.append(f"--study={study.name}")
    # A line an option, so that a shell takes it as it is and people can read it.
    options = [word for word in words if word.startswith("--")]
    first = f"KERAS_BACKEND={_backend(run)} {shlex.join(w for w in words if w not in options)}"
    return " \\\n  ".join([first, *map(shlex.quote, options)])


def _data_flags(run):
    corpus = run.record["corpus"]
    protocol = corpus["protocol"]
    options = {**corpus.get("reading", {}), **(corpus.get("preparation") or {})}
    options |= {k: protocol.get(k) for k in ("split_seed", "test_size", "val_size", "folds")}
    flags = []
    for name, value in options.items():
        if value is None:
            continue
        if isinstance(value, list):
            value = ",".join(value)
        if isinstance(value, bool):
            value = str(value).lower()
        flags.append(f"--{name.replace('_', '-')}={value}")
    return flags


def _asked(study):
    return {run["run_id"]: run["asked"] for run in study.files.get(STUDY, {}).get("runs", ())}


def _settings(study, names, without=()):
    """Settings that were given for contenders, as the file for `--settings`, or `None`."""
    asked, found = _asked(study), {}
    for run in study.runs:
        if run.name in names:
            given = asked.get(run.name, {})
            own = {k: v for k, v in given.items() if k not in _ASKED and k not in without}
            if own:
                found[run.contender] = own
    return json.dumps(found, indent=2) if found else None


def _compare_command(study):
    named = set(study.files[COMPARISON]["run_ids"])
    runs = [run for run in study.runs if run.name in named]
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
