"""What a folder of runs holds: each record read once, kept apart by data, split and backend."""

import functools
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from emotion_keras import record
from emotion_keras.data.flaws import flaws_of
from emotion_keras.errors import UserError
from emotion_keras.evaluation.comparison import contender
from emotion_keras.evaluation.coverage import Judged, judge, thresholds
from emotion_keras.evaluation.predictions import (
    probability_columns,
    read_answers,
    read_groups,
    read_predictions,
)
from emotion_keras.evaluation.scores import scores_of, text_shares
from emotion_keras.evaluation.transfers import Transfer, read_transfers
from emotion_keras.targets import Target, target_of
from reports.display.words import METRICS, METRICS_OF_SEVERAL

COMPARISON = "comparison.json"
SENSITIVITY = "sensitivity.json"
SEARCH = "search.json"
STUDY = "study.json"

ANALYSES = ("learning_rate", "noise", "data_ratio", "gate", "recipe", "protocol")

# The analysis of protocols, and the one of its values under which all other runs are made.
PROTOCOL, OURS = "protocol", "ours"

# Models of scikit-learn are the same beside every backend of Keras.
NO_BACKEND = "scikit-learn"

# Records of version 1 may leave out the form of the gate: there was one model with a gate.
_GATES_OF_VERSION_1 = {"gated_transformer": "features"}

_REQUIRED_OF_FILES = {
    COMPARISON: {"run_ids": list},
    SENSITIVITY: {"analysis": str, "points": list},
    SEARCH: {
        "contender": str,
        "oracle": str,
        "seed": int,
        "space": dict,
        "runs": list,
        "trials": list,
    },
    STUDY: {"runs": list},
}
_REQUIRED_OF_PARTS = {
    SENSITIVITY: {"points": {"contender": str, "value": (int, float, str), "run_ids": list}},
    SEARCH: {"trials": {"trial": str, "options": dict, "run_ids": list}},
    STUDY: {"runs": {"run_id": str, "asked": dict}},
}
_REQUIRED_OF_LAYERS = {
    "name": str,
    "type": str,
    "inputs": list,
    "output_shape": list,
    "parameters": int,
}
_PROTOCOL = ("split_seed", "test_size", "val_size", "folds", "by_subject")


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run.

    Args:
        directory: `pathlib.Path` of its folder.
        record: Dictionary, what `run.json` holds.
        predictions: What `read_predictions` gives, or `None` where they were not kept.
        groups: Dictionary of the subject of each text by id, as far as records on the same data
            say it.
    """

    directory: Path
    record: dict
    predictions: pd.DataFrame | None = None
    groups: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.record["run_id"]

    @property
    def contender(self) -> str:
        return contender(self.record)

    @property
    def seed(self) -> int:
        return self.record["seed"]

    @property
    def labels(self) -> list[str]:
        return self.record["corpus"]["labels"]

    @property
    def target(self) -> Target:
        """The kind of label that the run has learned, with its labels."""
        return target_of(self.record)

    @property
    def metrics(self) -> dict[str, str]:
        """The metrics by which it is compared, and what readers call them; the first one ranks."""
        return METRICS_OF_SEVERAL if self.target.several else METRICS

    @property
    def backend(self) -> str:
        return self.record["environment"]["backend"]

    @property
    def encoder(self) -> str | None:
        """Name of its encoder, or `None` of a model without one."""
        return self.record["inputs"].get("encoder")

    @property
    def flaws(self) -> list[str]:
        """The flaws of its protocol, names of `FLAWS`: where there are any, its numbers are none
        to report."""
        return flaws_of(self.record)

    @property
    def is_baseline(self) -> bool:
        """Whether its model is one of scikit-learn, without a neural network."""
        return self.backend == NO_BACKEND

    @property
    def is_combination(self) -> bool:
        """Whether it combines other runs."""
        return self.record["model"] == record.COMBINATION

    @property
    def gate(self) -> str | None:
        """The form of its model's gate, or `None` of a model without one."""
        gate = self.record["hyperparameters"].get("gate")
        if gate is None and self.record["schema_version"] == 1:
            return _GATES_OF_VERSION_1.get(self.record["model"])
        return gate

    @property
    def test(self) -> dict[str, Any] | None:
        """Metrics of the test split, or `None` where it was not read, as in a search."""
        return self.record["metrics"].get("test")

    @functools.cached_property
    def temperature(self) -> float:
        """The temperature of its probabilities; earlier records hold none, and it is fitted."""
        if "temperature" in self.record:
            return self.record["temperature"]
        rows = self.predictions[self.predictions["split"] == "val"]
        truth = self.target.encode(rows["label"].tolist())
        return self.target.fit_temperature(truth, rows[probability_columns(self.labels)].to_numpy())

    @functools.cached_property
    def judged(self) -> dict[str, Judged] | None:
        """What came of its answers, by split; `None` where those of a split are missing."""
        splits = {} if self.predictions is None else dict(list(self.predictions.groupby("split")))
        if not {"val", "test"} <= splits.keys():
            return None
        return {name: judge(rows, self.target, self.temperature) for name, rows in splits.items()}

    @functools.cached_property
    def thresholds(self) -> dict[str, Any] | None:
        """The thresholds by which it can be asked for an accuracy; see `thresholds` of coverage."""
        return None if self.judged is None else thresholds(self.judged, self.groups)

    @functools.cached_property
    def scores(self) -> dict[str, float | None]:
        """Its scores on the test split by name, those of each label among them."""
        return scores_of(self.test)

    @functools.cached_property
    def shares(self) -> pd.DataFrame | None:
        """What the texts of each subject add to `scores`; see `text_shares`."""
        if self.predictions is None:
            return None
        rows = self.predictions[self.predictions["split"] == "test"]
        return text_shares(rows, self.target, self.groups)

    @property
    def setting(self) -> str:
        """Its setting as a string: the same for runs that differ in seed or split alone."""
        parts = (self.record[name] for name in ("inputs", "hyperparameters", "training"))
        # Older records leave out what was off, and bfloat16 or not is the machine's affair.
        kept = [{k: v for k, v in p.items() if v is not None and k != "precision"} for p in parts]
        return json.dumps(kept, sort_keys=True)

    @property
    def data(self) -> "Data":
        """What was learned from and tested on, all but the fold and the training fraction."""
        corpus = self.record["corpus"]
        return Data(
            corpus["name"],
            corpus["sha256"],
            tuple(corpus["labels"]),
            json.dumps(corpus.get("preparation"), sort_keys=True),
            json.dumps({name: corpus["protocol"].get(name) for name in _PROTOCOL}),
        )


@dataclass(frozen=True)
class Data:
    """A corpus as it was prepared and split; runs of two are never averaged."""

    name: str
    sha256: str
    labels: tuple
    preparation: str
    protocol: str

    def __str__(self):
        protocol = json.loads(self.protocol)
        split = f"split seed {protocol['split_seed']}"
        if protocol["folds"] is not None:
            split = f"{protocol['folds']} folds, {split}"
        return f"{self.name} ({split}, file {self.sha256[:8]})"


@dataclass(eq=False)
class Study:
    """The runs of one folder, and what the command that made them wrote beside them.

    Args:
        directory: `pathlib.Path`.
        runs: List of `Run`.
        files: Dictionary of what is in `comparison.json`, `sensitivity.json`, `search.json` and
            `study.json`, by name, of those that are there.
        title: String, the name, or the path below the folder of all runs where another study has
            the same name.
        aside: List of `Run` under other protocols, which no model is compared by.
    """

    directory: Path
    runs: list
    files: dict
    title: str
    aside: list = field(default_factory=list)

    @property
    def name(self) -> str:
        return _name(self.directory)


@dataclass(eq=False)
class Part:
    """Studies on one split of one corpus with one backend: what may be compared.

    Args:
        data: `Data`.
        backend: String.
        studies: List of `Study`, each with the runs that belong here.
    """

    data: Data
    backend: str
    studies: list

    @property
    def runs(self) -> list[Run]:
        return [run for study in self.studies for run in study.runs]

    def __str__(self):
        return f"{self.data}, {self.backend}"


@dataclass(eq=False)
class Records:
    """All that was found below a folder.

    Args:
        runs_dir: `pathlib.Path`.
        parts: List of `Part`, that of most runs first.
        broken: List of pairs of a path and why it could not be used.
    """

    runs_dir: Path
    parts: list
    broken: list = field(default_factory=list)

    def read_beside(self, run: Run, name: str, columns: Mapping[str, type]) -> pd.DataFrame | None:
        """A CSV file in a run's folder; a broken one is noted, and counts as missing.

        Args:
            run: `Run`.
            name: The file's name.
            columns: Dictionary of `str` or `float` by column that must be there.

        Returns:
            Data frame, or `None`.
        """
        path = run.directory / name
        if not path.exists():
            return None
        try:
            return _read_columns(path, columns)
        except UserError as error:
            self._note(path, str(error))
            return None

    def read_architecture(self, run: Run) -> list[dict[str, Any]] | None:
        """The layers in `architecture.json`, a list of dictionaries, or `None`."""
        path = run.directory / record.ARCHITECTURE
        if not path.exists():
            return None
        try:
            layers = json.loads(path.read_text(encoding="utf-8"))["layers"]
            for layer in layers:
                record.check_types(layer, _REQUIRED_OF_LAYERS)
            return layers
        except (OSError, ValueError, KeyError, TypeError, UserError) as error:
            self._note(path, f"it holds no list of layers: {error}")
            return None

    def read_transfers(self) -> list[Transfer]:
        """What all runs say of other corpora; broken evaluations are noted, and left out."""
        found = []
        for folder in record.find_evaluations(self.runs_dir):
            try:
                read_answers(folder, record.read_evaluation(folder))
            except UserError as error:
                self._note(folder / record.EVALUATION, str(error))
            else:
                found.append(folder)
        return read_transfers(found)

    def _note(self, path, reason):
        if path not in [noted for noted, _ in self.broken]:
            self.broken.append((path, reason))


def read_records(runs_dir: str | Path) -> Records:
    """Reads all finished runs below a folder.

    Args:
        runs_dir: Path of the folder, of one study or of several at any depth.

    Returns:
        `Records`. What is broken, or of another version, is in `broken` and nowhere else.

    Raises:
        UserError: If there is no such folder.
    """
    runs_dir = Path(runs_dir)
    if not runs_dir.is_dir():
        raise UserError(
            "There is no such folder of runs. Make runs with `python -m emotion_keras.fit` or "
            f"`python -m emotion_keras.compare`. Received: RUNS_DIR={str(runs_dir)!r}"
        )
    broken, runs = [], []
    for directory in record.find_runs(runs_dir, broken):
        try:
            runs.append(_read_run(directory))
        except UserError as error:
            broken.append((directory / record.RUN, str(error)))
    runs = _with_groups(runs, broken)
    folders = {run.directory.parent: [] for run in runs}
    folders |= {path.parent: [] for path in record.find_files(runs_dir, SEARCH)}
    for run in runs:
        folders[run.directory.parent].append(run)
    studies = [
        _with_others_aside(Study(path, found, _read_files(path, broken), title))
        for (path, found), title in zip(folders.items(), _titles(folders, runs_dir), strict=True)
    ]
    return Records(runs_dir, _parts(studies), broken)


def _read_run(directory):
    found = record.read_run(directory)
    if not record.predictions_path(directory).exists():
        return Run(directory, found)
    return Run(directory, found, read_predictions(directory, found))


def _with_groups(runs, broken):
    """Runs that know the subjects of their texts: one run says it of all on the same data."""
    groups = {run.data: {} for run in runs}
    for run in runs:
        try:
            groups[run.data] |= read_groups(run.directory)
        except UserError as error:
            broken.append((record.groups_path(run.directory), str(error)))
    return [replace(run, groups=groups[run.data]) for run in runs]


def _with_others_aside(study):
    """A study whose runs under other protocols are kept from those that may be compared."""
    found = study.files.get(SENSITIVITY, {})
    points = found.get("points", ()) if found.get("analysis") == PROTOCOL else ()
    ours = {name for point in points if point["value"] == OURS for name in point["run_ids"]}
    # Each seed has a split of its own, of which the first is that of other studies.
    seeds = {run.name: run.record["corpus"]["split_seed"] for run in study.runs if run.name in ours}
    ours = {name for name, seed in seeds.items() if seed == min(seeds.values())}
    others = {name for point in points for name in point["run_ids"]} - ours
    aside = [run for run in study.runs if run.flaws or run.name in others]
    return replace(study, runs=[run for run in study.runs if run not in aside], aside=aside)


def _read_columns(path, columns):
    # A text may well be «NA» or «null»; a number that is not there is nothing at all.
    missing = {name: [""] for name, kind in columns.items() if kind is float}
    try:
        frame = pd.read_csv(path, dtype=columns, keep_default_na=False, na_values=missing)
    except (OSError, EOFError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read: {reason}.") from error
    if missing := [name for name in columns if name not in frame.columns]:
        raise UserError(f"{path} lacks the columns {', '.join(missing)}.")
    return frame


def _read_files(directory, broken):
    files = {}
    for name in (COMPARISON, SENSITIVITY, SEARCH, STUDY):
        path = directory / name
        if not path.exists():
            continue
        try:
            found = record.read_versioned(path)
            _check_file(name, found)
        except UserError as error:
            broken.append((path, str(error)))
        else:
            files[name] = found
    return files


def _check_file(name, found):
    record.check_types(found, _REQUIRED_OF_FILES[name])
    for part, types in _REQUIRED_OF_PARTS.get(name, {}).items():
        for one in found[part]:
            record.check_types(one, types)
    if name == SENSITIVITY and found["analysis"] not in ANALYSES:
        raise UserError(f"There is no such analysis. Received: analysis={found['analysis']!r}")


def _name(directory):
    # Of a folder that is given as `.`, too.
    return os.path.basename(os.path.abspath(directory))


def _titles(folders, runs_dir):
    names = [_name(folder) for folder in folders]
    return [
        name if names.count(name) == 1 else os.path.relpath(folder, runs_dir)
        for name, folder in zip(names, folders, strict=True)
    ]


def _parts(studies):
    backends = {}
    for study in studies:
        for run in study.runs:
            backends.setdefault(run.data, set()).add(run.backend)
    parts = []
    for data, found in backends.items():
        for backend in sorted(found - {NO_BACKEND}) or [NO_BACKEND]:
            kept = []
            for study in studies:
                of_data = [run for run in study.runs if run.data == data]
                runs = [run for run in of_data if run.backend in (backend, NO_BACKEND)]
                # The baselines of a study of another backend do not make it one of this backend.
                own = any(run.backend == backend for run in runs)
                if own or (of_data and {run.backend for run in of_data} == {NO_BACKEND}):
                    aside = [
                        run
                        for run in study.aside
                        if run.record["corpus"]["sha256"] == data.sha256
                        and run.backend in (backend, NO_BACKEND)
                    ]
                    kept.append(replace(study, runs=runs, aside=aside))
            parts.append(Part(data, backend, kept))
    return sorted(parts, key=lambda part: (-len(part.runs), str(part)))
