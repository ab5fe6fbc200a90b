"""Makes a run: reads the data, trains one model once, and writes what it leaves on disk."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pandas as pd
from filelock import FileLock, Timeout

from emotion_keras import record
from emotion_keras.data import read_dataset
from emotion_keras.data.near_repeats import count_near_repeats
from emotion_keras.data.noise import TrainingNoise
from emotion_keras.data.telling_words import find_telling_words
from emotion_keras.errors import UserError
from emotion_keras.evaluation.predictions import write_groups, write_predictions
from emotion_keras.inference.familiarity import Familiarity
from emotion_keras.inference.latency import measure_latency
from emotion_keras.inference.modalities import compare_modalities
from emotion_keras.inference.outputs import summarize_words
from emotion_keras.inference.ways import QUICK, compare_ways
from emotion_keras.inputs import TextInput, find_modality
from emotion_keras.machine import devices
from emotion_keras.machine.commit import find_commit
from emotion_keras.machine.memory import peak_memory_bytes
from emotion_keras.models.baselines import BASELINES
from emotion_keras.targets import find_target
from emotion_keras.training.baseline import train_baseline
from emotion_keras.training.network import remove_state, train_network
from emotion_keras.training.options import PlaceOptions
from emotion_keras.training.settings import Settings, identity_of
from emotion_keras.training.teacher import Teacher

# In the folder of a run that has begun: its settings, for whoever looks into it; and what keeps a
# second process from making it at the same time.
_UNFINISHED = "unfinished.json"

_LOCK = "unfinished.lock"


@devices.known_numbers()
def fit(
    *,
    trial: str | None = None,
    data_sha256: str | None = None,
    notify: Callable[[str], Any] = print,
    cache: dict[str, Any] | None = None,
    **options: Any,
) -> Path:
    """Trains one model on one corpus and writes the run.

    Args:
        trial: Name of the setting that the run is one of, in a study of several settings.
        data_sha256: Checksum that the corpus must have, where a run is repeated.
        notify: Called with messages for the user.
        cache: Dictionary that keeps from one call to the next the corpus, its split, the encoded
            texts and, for runs that differ in the seed and the learning rate alone, compiled
            models.
        **options: Values by option: of `PlaceOptions`, and what `Settings.make` takes.

    Returns:
        The run's folder.

    Raises:
        UserError: If the input or an option is wrong, or on Ctrl-C.

    Example:

    >>> fit(data="situations", model="tfidf_logistic")
    Corpus situations ...
    PosixPath('runs/fit/tfidf_logistic-seed0-...')
    """
    place = PlaceOptions.pick(options)
    settings = Settings.make(**{k: v for k, v in options.items() if k not in PlaceOptions.names()})
    record.check_study(place.study)
    flaws = settings.protocol.flaws
    if flaws is not None and trial is None:
        raise UserError(
            "Only the analysis of protocols makes runs under one with flaws. Use "
            f"`python -m tuning.sensitivity protocol`. Received: flaws={flaws}"
        )
    modality = find_modality(settings.reading.modality)
    noise = TrainingNoise(
        settings.seed,
        settings.augmentation,
        modality=modality,
        target=find_target(str(settings.reading.target)),
    )
    dataset = read_dataset(settings.data, {} if cache is None else cache, notify)
    if data_sha256 not in (None, dataset.corpus.sha256):
        raise UserError(
            f"{dataset.corpus.source} is not what the run was trained on: its SHA-256 is "
            f"{dataset.corpus.sha256[:12]}..., expected {data_sha256[:12]}... Give the file as it "
            "was, or say that these are the data with `--data`. "
            f"Received: data={settings.reading.data!r}"
        )
    encoder = getattr(settings.inputs, "encoder", None)  # A baseline has no inputs.
    encoder_checksum = encoder and modality.find_encoder(encoder).sha256()
    if settings.model in BASELINES:
        backend, precision = "scikit-learn", "float64"
    else:
        backend = keras.backend.backend()
        precision = devices.resolve_precision(settings.precision)
    teacher = Teacher.load(settings, dataset, notify)
    teacher_checksum = teacher.sha256(dataset) if teacher else None
    identity = settings.identity(
        corpus=dataset.corpus.sha256,
        labels=dataset.corpus.labels,
        backend=backend,
        precision=precision,
        encoder_sha256=encoder_checksum,
        teacher_sha256=teacher_checksum,
    )
    named = settings.model, settings.seed
    name = record.run_id(*named, identity, encoder)
    directory = record.run_directory(place.runs_dir, place.study, name)
    if finished := _find_finished(directory, identity, named, encoder):
        notify(f"This run is finished already, nothing is trained: {finished}")
        if settings.reading.attributes is not None:
            # What is known of examples may have been asked for afterwards.
            _write_groups(finished, dataset, settings.splits)
        return finished
    record.make_directory(directory)
    with _alone(directory, notify):
        if not record.is_finished(directory):
            _make_run(
                directory,
                dataset,
                settings,
                identity,
                checksums={
                    "encoder_sha256": encoder_checksum,
                    **({"teacher_sha256": teacher_checksum} if teacher else {}),
                },
                teacher=teacher,
                noise=noise,
                precision=precision,
                backend=backend,
                place=place,
                trial=trial,
                notify=notify,
                cache=cache,
            )
    return directory


@contextlib.contextmanager
def _alone(directory, notify):
    """Within it no other process makes this run; one that was killed holds nobody up."""
    lock = FileLock(directory / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        notify(f"Another process makes this run; this one waits until it ends: {directory}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _make_run(
    directory,
    dataset,
    settings,
    identity,
    *,
    checksums,
    teacher,
    noise,
    precision,
    backend,
    place,
    trial,
    notify,
    cache,
):
    """Trains the model, and writes what the run's folder is to hold."""
    # Of studies of settings nobody looks at single examples.
    is_looked_at = settings.read_test and trial is None
    _claim(directory, identity)
    notify(str(dataset.audit))
    train_model = train_baseline if settings.model in BASELINES else train_network
    try:
        lesson = teacher.teach(dataset, place.runs_dir, notify) if teacher else None
        trained = train_model(
            dataset,
            settings,
            noise=noise,
            lesson=lesson,
            precision=precision,
            directory=directory,
            is_looked_at=is_looked_at,
            tensorboard=place.tensorboard,
            notify=notify,
            cache=cache,
        )
    except UserError:
        _release(directory)
        raise
    model = trained.model
    probabilities = {name: model.probabilities(dataset.cells(name)) for name in settings.splits}
    target = dataset.corpus.target.fit(dataset.truth("val"), probabilities["val"])
    model.target = target
    latency = measure_latency(model.probabilities, dataset.cells(settings.splits[-1]))
    audit = dataset.audit.to_dict() | trained.audit
    if is_looked_at:
        audit["near_repeats"] = count_near_repeats(
            dataset.cells("train"), dataset.cells("test"), modality=dataset.corpus.modality
        )
    record.write_json(directory / record.AUDIT, audit)
    if trained.history:
        record.write_rows(directory / record.HISTORY, trained.history)
    _write_predictions(directory, dataset, target, probabilities)
    _write_groups(directory, dataset, settings.splits)
    if model.layers is not None:
        record.write_json(directory / record.ARCHITECTURE, {"layers": model.layers})
    if is_looked_at:
        _write_examples(directory, dataset, model, target.decide(probabilities["test"]))
        _write_words(directory, dataset)
    if settings.protocol.flaws is None:
        _write_model(directory, dataset, model)
    described = settings.to_record(precision)
    record.write_run(
        directory,
        {
            "run_id": directory.name,
            "study": place.study,
            "trial": trial,
            **described,
            "state": model.state,
            **checksums,
            "corpus": described["corpus"] | _describe_corpus(dataset),
            # Which study and which folder it is kept in is no part of it.
            "command": settings.command(),
            "metrics": {
                name: target.metrics(dataset.truth(name), of_split)
                for name, of_split in probabilities.items()
            },
            **({"label_thresholds": list(target.thresholds)} if target.thresholds else {}),
            "temperature": target.fit_temperature(dataset.truth("val"), probabilities["val"]),
            "best_epoch": trained.best_epoch,
            "num_parameters": model.num_parameters,
            "cost": {
                "seconds": trained.seconds,
                "examples_per_second": trained.examples_per_second,
                **latency,
                "peak_memory_bytes": peak_memory_bytes(),
            },
            "environment": _describe_environment(backend, precision),
        },
    )
    _clean_up(directory)


def _write_model(directory, dataset, model):
    """Keeps the model, and what tells texts apart that are like none of those it has seen."""
    model.save(directory)
    familiarity = Familiarity.learn(
        dataset.corpus.modality, dataset.cells("train"), dataset.cells("val")
    )
    if familiarity is not None:
        familiarity.save(directory)


def _find_finished(directory, identity, named, encoder):
    """The folder of the finished run of an identity, whatever it is called, or `None`."""
    if record.is_finished(directory):
        record.check_run(directory)  # That it can be read is part of it.
        _clean_up(directory)
        return directory
    # Earlier versions made other names of the same settings.
    for path in record.find_alike(directory.parent, *named, encoder):
        with contextlib.suppress(UserError):
            if identity_of(record.read_run(path)) == identity:
                return path
    return None


def _claim(directory, identity):
    """Makes the run's folder, and makes sure before training that it can be written to."""
    record.make_directory(directory)
    record.write_json(directory / _UNFINISHED, identity)


def _release(directory):
    """Removes the folder of a run that was refused before there was anything to continue."""
    if {path.name for path in directory.iterdir()} <= {_UNFINISHED, _LOCK}:
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()


def _clean_up(directory):
    """Removes what a finished run has no more use for, and what kills left half written."""
    for name in (_UNFINISHED, _LOCK):
        (directory / name).unlink(missing_ok=True)
    remove_state(directory)
    record.remove_parts(directory)


def _write_examples(directory, dataset, model, predicted):
    """Keeps the test split's cells, and what the gate makes of them, for those who look at them."""
    cells = dataset.cells("test")
    ids = dataset.corpus.examples["id"].iloc[dataset.split.test]
    rows = [{"id": i, "text": cell} for i, cell in zip(ids, cells, strict=True)]
    record.write_rows(directory / record.TEXTS, rows)
    explained = model.explain(cells) if model.can_explain else None
    if len(model.modality.parts()) > 1:
        found = compare_modalities(model, cells, predicted, explained)
        record.write_rows(
            directory / record.MODALITIES,
            [{"id": i, **row} for i, row in zip(ids, found, strict=True)],
        )
    if explained is None:
        return
    record.write_rows(
        directory / record.GATES,
        [
            {"id": i, "position": position, **unit, "score": explanation.score}
            for i, explanation in zip(ids, explained, strict=True)
            for position, unit in enumerate(explanation.words)
        ],
    )
    if model.modality.units_recur and (words := summarize_words(explained)):
        record.write_rows(directory / record.GATE_WORDS, words)
    # Of the ways that cost more, `emotion_keras.faithfulness` measures how they do.
    if found := compare_ways(model, cells, QUICK):
        record.write_rows(directory / record.FAITHFULNESS, found)


def _write_words(directory, dataset):
    """Keeps the words most telling of each label, where examples are texts."""
    if dataset.corpus.modality is not TextInput:
        return
    texts, subjects = dataset.cells("train"), dataset.subjects("train")
    labels = dataset.corpus.labels
    if words := find_telling_words(texts, dataset.truth("train"), labels, subjects):
        record.write_rows(directory / record.WORDS, words)


def _write_predictions(directory, dataset, target, probabilities):
    examples = dataset.corpus.examples
    splits = {
        name: (examples["id"].iloc[rows], examples["label"].iloc[rows], probabilities[name])
        for name, rows in ((name, getattr(dataset.split, name)) for name in probabilities)
    }
    write_predictions(directory, target, splits)


def _write_groups(directory, dataset, splits):
    """Keeps whose examples are, and their attributes, where one is known."""
    corpus = dataset.corpus
    if not (corpus.has_groups or corpus.attributes):
        return
    numbers, _ = pd.factorize(corpus.examples["subject"])
    rows = [row for name in splits for row in getattr(dataset.split, name)]
    write_groups(
        directory,
        corpus.examples["id"].iloc[rows],
        numbers[rows].tolist() if corpus.has_groups else None,
        {name: [values[row] for row in rows] for name, values in corpus.attributes.items()},
    )


def _describe_corpus(dataset):
    corpus = dataset.corpus
    return {
        "name": corpus.name,
        "sha256": corpus.sha256,
        "licence": corpus.licence,
        "labels": list(corpus.labels),
        "num_examples": len(corpus),
        "split_seed": dataset.split.protocol["split_seed"],
        "protocol": dataset.split.protocol,
    }


def _describe_environment(backend, precision):
    return {
        "backend": backend,
        "versions": devices.versions(),
        "device": devices.describe(),
        "precision": precision,
        "commit": find_commit(),
    }
