"""A teacher: a finished model whose answers another learns, of what it has not seen itself."""

import dataclasses
import gc
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from filelock import FileLock

from emotion_keras import record
from emotion_keras.command import durations
from emotion_keras.data.dataset import Dataset
from emotion_keras.data.flaws import flaws_of, in_words
from emotion_keras.data.noise import TrainingNoise
from emotion_keras.data.splits import part_by_subject
from emotion_keras.data.unlabelled import Unlabelled, read_unlabelled
from emotion_keras.errors import UserError
from emotion_keras.inference.load import load_model
from emotion_keras.inputs import modality_of
from emotion_keras.machine import devices
from emotion_keras.models.baselines import BASELINES
from emotion_keras.record.options import as_words
from emotion_keras.training.baseline import train_baseline
from emotion_keras.training.lesson import Lesson
from emotion_keras.training.network import train_network
from emotion_keras.training.options import DistillationOptions
from emotion_keras.training.settings import Settings, identity_of

# In the folder of all runs: the answers of teachers, which runs with other seeds take again.
_ANSWERS = "teachers"


class Teacher:
    """A finished run, or several that answer together, on the corpus that is to be learned.

    Args:
        directory: The run's folder.
        runs: List of records, of the runs that answer.
        members: List of pairs of their `Settings`, on the data that is to be learned, and a weight.
        unlabelled: `Unlabelled`, or `None`.
        options: `DistillationOptions`.
    """

    def __init__(
        self,
        directory: Path,
        runs: Sequence[dict[str, Any]],
        members: Sequence[tuple[Settings, float]],
        unlabelled: Unlabelled | None,
        options: DistillationOptions,
    ):
        self._directory = directory
        self._runs, self._members = list(runs), list(members)
        self._unlabelled, self._options = unlabelled, options

    @classmethod
    def load(
        cls,
        settings: Settings,
        dataset: Dataset,
        notify: Callable[[str], Any] = print,
    ) -> Self | None:
        """Reads the teacher that settings name.

        Args:
            settings: `Settings` of the run that learns.
            dataset: Its `Dataset`.
            notify: Called with messages for the user.

        Returns:
            `Teacher`, or `None` where the settings name none.

        Raises:
            UserError: If it is no finished run, was made on other data, or options do not go
                together.
        """
        options = settings.distillation
        if options is None or options.teacher is None:
            _check_unused(options)
            return None
        if settings.training is not None and settings.training.balance != "none":
            raise UserError(
                "A teacher's answers are of all labels at once, and cannot be evened out: leave "
                f"out `--balance`. Received: balance={settings.training.balance!r}"
            )
        directory = Path(options.teacher).expanduser()
        members_of = _members_of(directory, record.read_run(directory))
        runs = [record.read_run(path) for path, _ in members_of]
        _check(directory, runs, settings, dataset)
        unlabelled = None
        if options.unlabelled is not None:
            unlabelled = read_unlabelled(
                options.unlabelled, dataset, settings.reading, settings.preparation, notify
            )
        # On the data as the one that learns has them, wherever they lie now.
        on_data: dict[str, Any] = {
            "reading": settings.reading,
            "preparation": settings.preparation,
            "protocol": settings.protocol,
            "read_test": False,
        }
        members = [
            (dataclasses.replace(Settings.from_record(run), **on_data), weight)
            for run, (_, weight) in zip(runs, members_of, strict=True)
        ]
        return cls(directory, runs, members, unlabelled, options)

    def sha256(self, dataset: Dataset) -> str:
        """Checksum of all that decides what it answers, but the backend."""
        known: dict[str, Any] = {
            "members": [
                [self._identity(position, dataset, "", ""), weight]
                for position, (_, weight) in enumerate(self._members)
            ]
        }
        if self._unlabelled is not None:
            known["unlabelled"] = self._unlabelled.sha256
            known["as_it_is"] = [identity_of(run) for run in self._runs]
        return _hash(known)

    def _identity(self, position, dataset, backend, precision):
        settings, _ = self._members[position]
        return settings.identity(
            corpus=dataset.corpus.sha256,
            labels=dataset.corpus.labels,
            backend=backend,
            precision=precision,
            encoder_sha256=self._runs[position].get("encoder_sha256"),
        )

    def teach(
        self, dataset: Dataset, runs_dir: str | Path, notify: Callable[[str], Any] = print
    ) -> Lesson:
        """Answers the training split, each part of it after training on the others.

        What was answered before, by this command or another, is taken as it is.

        Args:
            dataset: `Dataset` of the run that learns.
            runs_dir: Folder of all runs, which keeps the answers.
            notify: Called with messages for the user.

        Returns:
            `Lesson`.

        Raises:
            UserError: See `train_network`.
        """
        options, target = self._options, dataset.corpus.target
        notify(
            f"{100 * options.teacher_share:g} % of what is learned are answers of "
            f"{self._directory} to what it has not seen; the rest are labels."
        )
        parts = part_by_subject(
            dataset.corpus,
            dataset.split.train,
            options.teacher_parts,
            dataset.split.protocol["split_seed"],
        )
        answers = [
            self._answer_by_parts(position, dataset, parts, Path(runs_dir), notify)
            for position in range(len(self._members))
        ]
        weights = np.array([weight for _, weight in self._members])
        combined = answers[0] if len(answers) == 1 else target.combine(answers, weights)
        more, cells = np.zeros((0, len(target.labels)), "float32"), []
        if self._unlabelled is not None:
            cells = self._unlabelled.cells
            more = load_model(self._directory).probabilities(cells)
        temperature = options.teacher_temperature
        return Lesson(
            target.scale(combined, temperature),
            options.teacher_share,
            cells,
            target.scale(more, temperature) if len(cells) else more,
        )

    def _answer_by_parts(self, position, dataset, parts, runs_dir, notify):
        """One member's answers to the training split, `(num_train, num_labels)`."""
        settings, _ = self._members[position]
        is_baseline = settings.model in BASELINES
        backend = "scikit-learn" if is_baseline else keras.backend.backend()
        precision = "auto" if is_baseline else devices.resolve_precision(settings.precision)
        identity = self._identity(position, dataset, backend, precision)
        name = _hash({"of": identity, "parts": parts.tolist()})[:12]
        encoder = getattr(settings.inputs, "encoder", "").replace("/", "_")
        folder = runs_dir / _ANSWERS / "-".join(filter(None, [settings.model, encoder, name]))
        record.make_directory(folder)
        who = f"Teacher {position + 1} of {len(self._members)}"
        with FileLock(folder / ".lock"):
            missing = [i for i in np.unique(parts).tolist() if not _part_path(folder, i).exists()]
            start = time.perf_counter()
            for index, number in enumerate(missing):
                took = time.perf_counter() - start
                left = took / index * (len(missing) - index) if index else None
                notify(
                    f"{who}, part {number + 1} of {parts.max() + 1}: it learns from the others, "
                    f"and answers the part's {(parts == number).sum():,}."
                    + (f" About {durations.in_words(left)} left." if left else "")
                )
                _make_part(folder, number, dataset, settings, parts == number, precision, notify)
                gc.collect()  # The next one needs the memory of this one.
        found = np.zeros((len(parts), len(dataset.corpus.labels)))
        for number in np.unique(parts).tolist():
            found[parts == number] = _read(_part_path(folder, number), dataset.corpus.labels)
        return found


def _part_path(folder, number):
    return folder / f"part-{number}.csv"


def _make_part(folder, number, dataset, settings, is_answered, precision, notify):
    """Trains on all but a part of the training split, and writes the answers to the part."""
    state = folder / f"part-{number}"  # Of a training that is stopped.
    record.make_directory(state)
    positions = dataset.split.train
    rest = dataclasses.replace(dataset.split, train=positions[~is_answered])
    of_part = dataset._replace(split=dataclasses.replace(rest, train=positions[is_answered]))
    modality, labels = dataset.corpus.modality, dataset.corpus.labels
    train = train_baseline if settings.model in BASELINES else train_network
    trained = train(
        dataset._replace(split=rest),
        settings,
        noise=TrainingNoise(
            settings.seed,
            settings.augmentation,
            modality=modality,
            target=dataset.corpus.kind,
        ),
        precision=precision,
        directory=state,
        notify=notify,
    )
    answers = trained.model.probabilities(of_part.cells("train"))
    ids = dataset.corpus.examples["id"].iloc[of_part.split.train]
    rows = [
        {"id": one, **dict(zip(labels, row, strict=True))}
        for one, row in zip(ids, answers.tolist(), strict=True)
    ]
    record.write_rows(_part_path(folder, number), rows)
    shutil.rmtree(state)


def _read(path, labels):
    return np.array([[float(row[label]) for label in labels] for row in record.read_rows(path)])


def _members_of(directory, run):
    """The folders of the runs that answer, with their weights."""
    if run["model"] != record.COMBINATION:
        return [(directory, 1.0)]
    if not record.has_model(directory):
        raise UserError(
            f"{directory} is a combination that is kept without its members. Combine runs that are "
            f"kept with their models. Received: teacher={str(directory)!r}"
        )
    return [(directory / record.MEMBERS / one["run_id"], one["weight"]) for one in run["members"]]


def _check_unused(options):
    """Raises `UserError` if options say how a teacher teaches, and there is none."""
    usual = DistillationOptions().to_dict()
    given = {} if options is None else options.to_dict()
    if idle := [f"{name}={value!r}" for name, value in given.items() if value != usual[name]]:
        raise UserError(
            "These options need a teacher: name a finished run with `--teacher`. "
            f"Received: {', '.join(idle)}"
        )


def _check(directory, runs, settings, dataset):
    """Raises `UserError` if the teacher was not made on what is to be learned."""
    corpus = dataset.corpus
    for run in runs:
        of_teacher, made = run["corpus"], Settings.from_record(run)
        differing = [
            f"{what} ({one}; {other})"
            for what, one, other in (
                ("the modality", modality_of(run).name, corpus.modality.name),
                ("the labels", ", ".join(of_teacher["labels"]), ", ".join(corpus.labels)),
                ("the corpus", of_teacher["sha256"][:12], corpus.sha256[:12]),
                ("the preparation", _in_words(made.preparation), _in_words(settings.preparation)),
                ("the split", _in_words(made.protocol), _in_words(settings.protocol)),
            )
            if one != other
        ]
        if flaws := flaws_of(run):
            raise UserError(
                f"{directory} cannot be the teacher. {in_words(flaws)} Name another run. "
                f"Received: teacher={str(directory)!r}"
            )
        if run["training"].get("teacher"):
            raise UserError(
                f"{directory} cannot be the teacher: it had one itself. Name that in its place: "
                f"{run['training']['teacher']}. Received: teacher={str(directory)!r}"
            )
        if differing:
            raise UserError(
                f"{directory} cannot be the teacher: it differs from what is to be learned in "
                f"{'; '.join(differing)}. Name a run on the same data. "
                f"Received: teacher={str(directory)!r}"
            )


def _in_words(options):
    return " ".join(as_words(options.to_dict()))


def _hash(known):
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
