"""The data card, the model card, the environment, and the commands that repeat the studies."""

import json
import shlex

import pandas as pd

from emotion_keras import card, record
from reports.records import COMPARISON, SEARCH, SENSITIVITY, STUDY
from reports.tables import Table, count

# What a task of a study says beside the settings that were given for it; see contenders.py.
_ASKED = {
    *("seed", "precision", "data", "text_column", "label_column", "group_column"),
    *("clean", "normalize_punctuation", "labels", "repeats"),
    *("split_seed", "test_size", "val_size", "folds", "fold", "train_fraction"),
    *("model", "encoder", "defaults", "backend", "read_test", "noise"),
}


def data_card(runs):
    """What is known of the corpus of some runs, from their records and their audit.

    Args:
        runs: Non-empty list of `Run` on the same data.

    Returns:
        Dictionary of `facts`, a list of pairs of a name and a text; `labels` and `steps`, each a
        `Table` or `None`.
    """
    whole = [run for run in runs if _protocol(run).get("train_fraction", 1) == 1]
    run = next((run for run in whole or runs if _audit(run)), (whole or runs)[0])
    try:
        return _data_card(run, _audit(run) or {})
    except (AttributeError, KeyError, TypeError, ValueError):
        # An audit of another make; the record says enough without it.
        return _data_card(run, {})


def _data_card(run, audit):
    corpus = run.record["corpus"]
    protocol = corpus["protocol"]
    is_by_subject = protocol.get("by_subject")
    kept_together = f"no {'respondent and no ' if is_by_subject else ''}text in two of them"
    facts = [
        ("Corpus", corpus["name"]),
        ("Licence", corpus.get("licence") or "not recorded"),
        ("File", f"SHA-256 {corpus['sha256']}"),
        ("Texts", count(corpus.get("num_examples"))),
        (
            "Split",
            f"{count(protocol.get('num_train'))} to train, {count(protocol.get('num_val'))} to "
            f"validate, {count(protocol.get('num_test'))} to test; {kept_together}",
        ),
    ]
    if words := audit.get("words"):
        facts.append(
            (
                "Words a text",
                f"median {words['p50']:g}, mean {words['mean']:g}, 5th to 95th percentile "
                f"{words['p5']:g} to {words['p95']:g}, longest {words['most']:g}",
            )
        )
    if repeats := audit.get("repeats"):
        facts.append(
            ("Exact repeats", f"{repeats['texts']} texts stand there {repeats['examples']} times")
        )
    if conflicts := audit.get("two_labels"):
        facts.append(("Texts under two labels", f"{conflicts['texts']}"))
    near = audit.get("near_repeats")
    facts.append(("Near-repeats across splits", _near(near)))
    return {"facts": facts, "labels": _labels_table(run, audit), "steps": _steps_table(audit)}


def _near(near):
    if near is None:
        return "not recorded"
    return (
        f"{count(near['texts'])} of {count(near['checked'])} test texts have "
        f"{100 * near['least']:g} % or more of their words in common with a training text"
    )


def _protocol(run):
    return run.record["corpus"]["protocol"]


def _audit(run):
    path = run.directory / record.AUDIT
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _labels_table(run, audit):
    balance = audit.get("balance", {}).get("labels", {})
    metrics = run.record["metrics"]
    rows = []
    for label in run.labels:
        row = {"label": label, "train": balance.get(label, {}).get("num_in")}
        for split in ("val", "test"):
            row[split] = metrics.get(split, {}).get("per_label", {}).get(label, {}).get("support")
        rows.append(row)
    frame = pd.DataFrame(rows).astype(dict.fromkeys(("train", "val", "test"), float))
    shown = pd.DataFrame({"Label": frame["label"]})
    titles = {"train": "Train", "val": "Validate", "test": "Test"}
    for split, title in titles.items():
        shown[title] = frame[split].map(count)
    sort_by = {title: split for split, title in titles.items()}
    return Table("labels", "Texts of each label by split.", frame, shown, sort_by)


def _steps_table(audit):
    if not audit.get("steps"):
        return None
    frame = pd.DataFrame(
        {
            "step": step["step"],
            "in": step["num_in"],
            "changed": step.get("changed", 0),
            "removed": step["num_in"] - step["num_out"],
            "why": "; ".join(
                f"{why}: {sum(labels.values())}" for why, labels in step["removed"].items()
            ),
        }
        for step in audit["steps"]
    )
    shown = pd.DataFrame(
        {
            "Step": frame["step"].str.replace("_", " "),
            "Texts before": frame["in"].map(count),
            "Changed": frame["changed"].map(count),
            "Removed": frame["removed"].map(count),
            "Why": frame["why"].replace("", "–"),
        }
    )
    sort_by = {"Texts before": "in", "Changed": "changed", "Removed": "removed"}
    return Table("preparation", "What preparing the corpus changed.", frame, shown, sort_by)


def best_run(runs):
    """Of a contender's runs the one of highest accuracy on the validation split."""
    return max(runs, key=lambda run: run.record["metrics"]["val"]["accuracy"])


def model_card(runs):
    """The model card of the best of a contender's runs.

    Args:
        runs: Non-empty list of `Run`, all of the contender that is best.

    Returns:
        String of Markdown.
    """
    run = best_run(runs)
    return card.model_card(run.record, [one.record for one in runs], fit_command(run))


def environment_table(runs):
    """Where runs were made: backend, device, precision, versions and commit."""
    rows = []
    for run in runs:
        found = run.record["environment"]
        versions = found.get("versions", {})
        rows.append(
            {
                "backend": run.backend,
                "device": found.get("device", ""),
                "precision": found.get("precision", ""),
                "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
                "commit": (found.get("commit") or "not recorded")[:12],
            }
        )
    frame = pd.DataFrame(rows).value_counts(sort=False).rename("runs").reset_index()
    frame = frame.sort_values("runs", ascending=False, ignore_index=True)
    shown = pd.DataFrame(
        {
            "Runs": frame["runs"].astype(str),
            "Backend": frame["backend"],
            "Device": frame["device"],
            "Precision": frame["precision"],
            "Commit": frame["commit"],
            "Versions": frame["versions"],
        }
    )
    caption = "The environments in which the runs were made, from their records."
    return Table("environment", caption, frame, shown, {"Runs": "runs"})


def studies_table(studies):
    """Runs and hours of training by study."""
    frame = pd.DataFrame(
        {
            "study": study.title,
            "runs": len(study.runs),
            "hours": sum(run.record["cost"].get("seconds", 0) for run in study.runs) / 3600,
        }
        for study in studies
    )
    shown = pd.DataFrame(
        {
            "Study": frame["study"],
            "Runs": frame["runs"].astype(str),
            "Hours of training": [f"{hours:.2f}" for hours in frame["hours"]],
        }
    )
    caption = "Hours are the sum over runs, whether they were made one by one or side by side."
    sort_by = {"Runs": "runs", "Hours of training": "hours"}
    return Table("studies", caption, frame, shown, sort_by)


def fit_command(run):
    """The command that trains a run again."""
    # Joined by a sign, so that a folder whose name begins with a dash is no option.
    from_run = shlex.quote(f"--from-run={run.directory}")
    return f"KERAS_BACKEND={_backend(run)} python -m emotion_keras.fit {from_run}"


def commands(part):
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


def _repeat(study, command, settings=None, others=0):
    return {"study": study.title, "command": command, "settings": settings, "others": others}


def _backend(run):
    return run.backend if run.backend != "scikit-learn" else "tensorflow"


def _command(study, module, flags, runs):
    run = next((run for run in runs if run.backend != "scikit-learn"), runs[0])
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
