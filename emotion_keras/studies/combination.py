"""Makes a run of other runs, which answer together; needs no Keras, as it goes by predictions."""

import json
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from emotion_keras import record
from emotion_keras.data.flaws import flaws_of, in_words
from emotion_keras.errors import UserError
from emotion_keras.evaluation.comparison import contender
from emotion_keras.evaluation.cost import LATENCIES
from emotion_keras.evaluation.predictions import (
    probability_columns,
    read_predictions,
    write_predictions,
)
from emotion_keras.evaluation.weights import fit_weights
from emotion_keras.inputs import modality_of
from emotion_keras.machine.commit import find_commit
from emotion_keras.record.checksums import content_sha256
from emotion_keras.record.options import as_words
from emotion_keras.studies.options import CombineOptions
from emotion_keras.targets import target_of
from emotion_keras.training.settings import Settings, identity_of

_NO_BACKEND = "scikit-learn"
# What is the same for all runs on one split, and is taken from the first that has it.
_SHARED = (record.AUDIT, record.TEXTS, record.WORDS, record.FAMILIAR)


class Member(NamedTuple):
    """A run that is combined with others.

    Args:
        directory: Its folder.
        run: Its record.
        settings: Its `Settings`.
        predictions: What `read_predictions` gives.
    """

    directory: Path
    run: dict[str, Any]
    settings: Settings
    predictions: pd.DataFrame

    @property
    def splits(self) -> list[str]:
        """Names of the splits that it was tested on, the validation split first."""
        return sorted(self.run["metrics"], reverse=True)

    def ids(self, split: str) -> list[str]:
        """Ids of the examples of a split, in the order of the file."""
        return self.predictions.loc[self.predictions["split"] == split, "id"].tolist()

    def rows(self, split: str, ids: Iterable[str]) -> pd.DataFrame:
        """What it says of the examples of a split, in the order of some ids."""
        of_split = self.predictions[self.predictions["split"] == split]
        return of_split.set_index("id").loc[list(ids)]


def combine(
    runs: Sequence[str | Path], *, notify: Callable[[str], Any] = print, **options: Any
) -> Path:
    """Makes a run whose probabilities are those of the weighted mean of other runs' scores.

    Args:
        runs: Folders of two finished runs or more, on one corpus and one split. Runs that are kept
            without their models are combined by what they predicted; then so is the combination.
        notify: Called with messages for the user.
        **options: Values by option of `CombineOptions`.

    Returns:
        The run's folder.

    Raises:
        UserError: If runs cannot be combined, or an option is wrong.

    Example:

    >>> from emotion_keras.training.run import fit
    >>> other = fit(data="situations", model="tfidf_svm")
    Corpus situations ...
    >>> combine(["runs/fit/RUN", other])
    PosixPath('runs/combination/combination-seed0-...')
    """
    asked = CombineOptions(**options)
    record.check_study(asked.study)
    members = [_read_member(Path(directory)) for directory in runs]
    _check(members)
    # The same whichever was named first.
    members.sort(key=lambda member: member.run["run_id"])
    seed = min(member.run["seed"] for member in members)
    identities = sorted(json.dumps(identity_of(one.run), sort_keys=True) for one in members)
    identity = {"members": identities, "weights": asked.weights}
    name = record.run_id(record.COMBINATION, seed, identity)
    directory = record.run_directory(asked.runs_dir, asked.study, name)
    if record.is_finished(directory):
        record.check_run(directory)
        notify(f"This run is finished already, nothing is combined: {directory}")
        _tell_changes(directory, members, notify)
        return directory
    record.make_directory(directory)
    _make_run(directory, members, asked, seed, [os.fspath(one) for one in runs], notify)
    record.remove_parts(directory)
    return directory


def _tell_changes(directory, members, notify):
    """Says which members were made again since they were combined."""
    before = {one["run_id"]: one["sha256"] for one in record.read_run(directory)["members"]}
    changed = [
        str(member.directory)
        for member in members
        if _checksum(member) != before.get(member.run["run_id"])
    ]
    if changed:
        notify(
            f"The records of {', '.join(changed)} are others than were combined. Delete "
            f"{directory}, and the same command combines them as they are."
        )


def _checksum(member):
    return content_sha256(member.directory / record.RUN)


def _read_member(directory):
    run = record.read_run(directory)
    if flaws := flaws_of(run):
        raise UserError(f"{directory} cannot be combined. {in_words(flaws)} Leave it out.")
    if run["model"] == record.COMBINATION:
        raise UserError(
            f"{directory} is a combination, and is no member of another. Name its members in its "
            f"place: {', '.join(one['run_id'] for one in run['members'])}."
        )
    record.check_run(directory)
    member = Member(directory, run, Settings.from_record(run), read_predictions(directory, run))
    for split in member.splits:
        if not member.ids(split):
            raise UserError(
                f"{record.predictions_path(directory)} holds no predictions of the split {split}, "
                f"by which runs are combined. {record.how_to_repeat(directory)}"
            )
    return member


def _check(members):
    """Raises `UserError` unless there are two runs or more that may answer together."""
    if len(members) < 2:
        raise UserError(
            "A combination is of two runs or more: name their folders, as in RUN RUN. "
            f"Received: {', '.join(str(member.directory) for member in members) or 'none'}"
        )
    seen = {}
    for member in members:
        known = json.dumps(identity_of(member.run), sort_keys=True)
        if known in seen:
            raise UserError(
                f"{seen[known]} and {member.directory} are the same run: name it once, or another "
                "that differs in its seed or its model."
            )
        seen[known] = member.directory
    first = members[0]
    for other in members[1:]:
        _check_alike(first, other)


def _check_alike(first, other):
    """Raises `UserError` if two runs were not made on the same data and the same split."""
    differing = next(
        (
            f"{what} ({_cut(one)}; {_cut(another)})"
            for (what, one), another in zip(
                _said_of(first).items(), _said_of(other).values(), strict=True
            )
            if one != another
        ),
        None,
    )
    if differing is None:
        for split in first.splits:
            labels, others = (
                member.rows(split, sorted(member.ids(split)))["label"] for member in (first, other)
            )
            if not labels.equals(others):
                differing = f"the examples of the split {split}"
    if differing is not None:
        raise UserError(
            f"{first.directory} and {other.directory} cannot be combined, as they differ in "
            f"{differing}. Combine runs on the same data and the same split."
        )


def _said_of(member):
    """What runs that are combined have in common, in words."""
    corpus = member.run["corpus"]
    settings = member.settings
    return {
        "the corpus": f"{corpus['name']}, SHA-256 {corpus['sha256'][:12]}",
        "the labels": ", ".join(corpus["labels"]),
        "the modality": modality_of(member.run).name,
        "the kind of label": target_of(member.run).name,
        "the preparation": _in_words(settings.preparation),
        "the split": _in_words(settings.protocol),
        "the splits that they were tested on": ", ".join(member.splits),
    }


def _in_words(options):
    return " ".join(as_words(options.to_dict()))


def _cut(text):
    return text if len(text) < 300 else f"{text[:300]}..."


def _make_run(directory, members, asked, seed, given, notify):
    """Writes what the run's folder is to hold."""
    first = members[0]
    target = target_of(first.run)
    columns = probability_columns(target.labels)
    rows = {split: first.rows(split, first.ids(split)) for split in first.splits}
    truth = {split: target.encode(of_split["label"].tolist()) for split, of_split in rows.items()}
    of_members = {
        split: [member.rows(split, rows[split].index)[columns].to_numpy() for member in members]
        for split in rows
    }
    weights = np.full(len(members), 1 / len(members))
    if asked.weights == "validation":
        weights = fit_weights(target, truth["val"], of_members["val"])
    probabilities = {
        split: target.combine(of_split, weights) for split, of_split in of_members.items()
    }
    target = target.fit(truth["val"], probabilities["val"])
    write_predictions(
        directory,
        target,
        {
            split: (of_split.index, of_split["label"], probabilities[split])
            for split, of_split in rows.items()
        },
    )
    _link_shared(directory, members)
    if all(record.has_model(member.directory) for member in members):
        for member in members:
            _link_model(member, directory / record.MEMBERS / member.run["run_id"])
    else:
        notify(
            "Some of these runs are kept without their models, and so is their combination: it can "
            "be compared and reported, and labels no new examples."
        )
    record.write_run(
        directory,
        {
            "run_id": directory.name,
            "study": asked.study,
            "trial": None,
            "model": record.COMBINATION,
            "seed": seed,
            "inputs": {},
            "hyperparameters": {"weights": asked.weights},
            "training": {},
            "members": [
                _describe(member, weight)
                for member, weight in zip(members, weights.tolist(), strict=True)
            ],
            "corpus": first.run["corpus"],
            "command": _command(given, asked),
            "metrics": {
                split: target.metrics(truth[split], of_split)
                for split, of_split in probabilities.items()
            },
            **({"label_thresholds": list(target.thresholds)} if target.thresholds else {}),
            "temperature": target.fit_temperature(truth["val"], probabilities["val"]),
            "best_epoch": None,
            "num_parameters": sum(member.run["num_parameters"] for member in members),
            "cost": _cost(members),
            "environment": _environment(members),
        },
    )


def _describe(member, weight):
    return {
        "run_id": member.run["run_id"],
        "model": member.run["model"],
        "encoder": member.run["inputs"].get("encoder"),
        "seed": member.run["seed"],
        "weight": weight,
        "sha256": _checksum(member),
    }


def _command(given, asked):
    """The command that makes the run, wherever it is to be kept, as a list of words."""
    weights = [] if asked.weights == "validation" else as_words({"weights": asked.weights})
    return ["python", "-m", "emotion_keras.combine", *given, *weights]


def _cost(members):
    """What making and asking the members costs, one after the other."""
    costs = [member.run["cost"] for member in members]
    seconds = sum(cost["seconds"] for cost in costs)
    examples = sum(cost["examples_per_second"] * cost["seconds"] for cost in costs)
    return {
        "seconds": seconds,
        "examples_per_second": examples / seconds if seconds else 0.0,
        **{name: sum(cost[name] for cost in costs) for name in LATENCIES},
        "measured_alone": all(cost.get("measured_alone") for cost in costs),
        "peak_memory_bytes": max(cost["peak_memory_bytes"] for cost in costs),
    }


def _environment(members):
    """Where the members were made, and what combined them."""
    found = [member.run["environment"] for member in members]
    networks = [one for one in found if one["backend"] != _NO_BACKEND]
    return {
        name: "+".join(dict.fromkeys(one[name] for one in networks or found if one.get(name)))
        for name in ("backend", "device", "precision")
    } | {
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "commit": find_commit(),
    }


def _link_shared(directory, members):
    """Keeps what members know of the examples, the first that does."""
    for name in _SHARED:
        paths = (member.directory / name for member in members)
        if path := next(filter(Path.exists, paths), None):
            record.link_file(path, directory / name)
    groups = (record.groups_path(member.directory) for member in members)
    if path := next(filter(Path.exists, groups), None):
        record.link_file(path, directory / path.name)


def _link_model(member, folder):
    """Keeps what answering needs of a member: all but its tables and what it was exported to."""
    parts = {part.name for part in modality_of(member.run).parts()}
    folders = [path for path in member.directory.iterdir() if path.name in {*parts, "preprocessor"}]
    files = [path for path in member.directory.iterdir() if path.suffix in _OF_MODELS]
    for path in [*files, *(path for one in folders for path in one.rglob("*"))]:
        if path.is_file():
            target = folder / path.relative_to(member.directory)
            target.parent.mkdir(parents=True, exist_ok=True)
            record.link_file(path, target)


# Of files beside the record; tokenizers of earlier versions are some of them.
_OF_MODELS = (".json", ".txt", *(Path(name).suffix for name in (record.MODEL, record.ESTIMATOR)))


def describe_members(run: dict[str, Any]) -> list[tuple[str, int, float]]:
    """What the members of a combination are, the weightiest first.

    Returns:
        List of triples of the contender, the seed and the weight.
    """
    found = [
        (contender({**one, "inputs": {"encoder": one["encoder"]}}), one["seed"], one["weight"])
        for one in run["members"]
    ]
    return sorted(found, key=lambda member: -member[2])
