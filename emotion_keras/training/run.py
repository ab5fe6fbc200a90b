"""Makes a run: reads the data, trains one model once, and writes what it leaves on disk."""

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Literal

import keras
from filelock import FileLock, Timeout

from emotion_keras import record
from emotion_keras.command.limits import check_limits
from emotion_keras.command.options import (
    option_defaults,
    read_options,
)
from emotion_keras.data import load_corpus, prepare, read_dataset, split
from emotion_keras.data.near_repeats import count_near_repeats
from emotion_keras.data.noise import TrainingNoise
from emotion_keras.errors import UserError
from emotion_keras.evaluation.faithfulness import measure_faithfulness
from emotion_keras.evaluation.predictions import write_predictions
from emotion_keras.inference.outputs import summarize_words
from emotion_keras.inputs.encoders import find_encoder
from emotion_keras.inputs.text import TextInput
from emotion_keras.machine import devices
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from emotion_keras.targets.metrics import classification_metrics
from emotion_keras.training.baseline import train_baseline
from emotion_keras.training.defaults import default_encoder, defaults_for
from emotion_keras.training.loop import train
from emotion_keras.training.network import remove_state, train_network

# In the folder of a run that has begun: its settings, for whoever looks into it; and what keeps a
# second process from making it at the same time.
_UNFINISHED = "unfinished.json"

_LOCK = "unfinished.lock"


def stages(model):
    """The functions whose keyword arguments are the options of a run, by their name in the record.

    Args:
        model: Name of a model.

    Returns:
        Dictionary of functions.

    Raises:
        UserError: If there is no such model.
    """
    builder = (MODELS | BASELINES).get(model)
    if builder is None:
        known = ", ".join([*MODELS, *BASELINES])
        raise UserError(f"Unknown model. Accepted: {known}. Received: model={model!r}")
    functions = {
        "reading": load_corpus,
        "preparation": prepare,
        "protocol": split,
        "inputs": TextInput,
        "hyperparameters": builder,
        "augmentation": TrainingNoise,
        "training": train,
    }
    if model in BASELINES:  # They take texts as they are, and train in one step.
        del functions["inputs"], functions["training"]
    return functions


def resolve(model, options):
    """Fills in the defaults, and sorts options by the function that takes them.

    Args:
        model: Name of a model.
        options: Dictionary of values by option.

    Returns:
        Dictionary of dictionaries, as it stands in the record.

    Raises:
        UserError: If an option is unknown, or a value is of a wrong type.
    """
    functions = stages(model)
    settings = {name: option_defaults(function) for name, function in functions.items()}
    chosen = dict(options)
    if model in MODELS:
        encoder = options.get("encoder", default_encoder(model))
        chosen = defaults_for(model, encoder, options.get("freeze_encoder", False)) | options
    known = {option for stage in settings.values() for option in stage}
    if unknown := sorted(set(options) - known):
        raise UserError(
            f"Unknown option for model={model!r}. Accepted: {', '.join(sorted(known))}. "
            f"Received: {', '.join(unknown)}"
        )
    for name, function in functions.items():
        settings[name] |= read_options(function, chosen)
    return settings


def check_options(model, options):
    """Makes sure that a run can begin with such options.

    Args:
        model: Name of a model.
        options: Dictionary of values by option of `fit`.

    Raises:
        UserError: If the model or an option is unknown, or a value is of a wrong type or out of its
            limits.
    """
    own = read_options(fit, options)
    settings = resolve(model, {name: options[name] for name in options if name not in own})
    check_limits(own)
    for stage in settings.values():
        check_limits(stage)


@devices.known_numbers()
def fit(
    *,
    model: str = "gated_transformer",
    seed: int = 0,
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "auto",
    study: str = "fit",
    runs_dir: str = "runs",
    tensorboard: bool = False,
    trial=None,
    read_test=True,
    data_sha256=None,
    notify=print,
    cache=None,
    **options,
):
    """Trains one model on one corpus and writes the run.

    Args:
        model: What to train: gated_transformer, transformer, cnn, lstm or bert; or a baseline,
            majority, tfidf_logistic or tfidf_svm.
        seed: Decides initial weights, order and dropout.
        precision: What to train in; auto takes bfloat16 where the device is fast at it. The
            finished model always computes in float32.
        study: Name of the set of runs that this one belongs to.
        runs_dir: Folder of all runs.
        tensorboard: Whether to write TensorBoard logs into the run's folder.
        trial: Name of the setting that the run is one of, in a study of several settings.
        read_test: Whether to test the model on the test split, as all do but runs that choose.
        data_sha256: Checksum that the corpus must have, where a run is repeated.
        notify: Called with messages for the user.
        cache: Dictionary that keeps from one call to the next the corpus, its split, the encoded
            texts and, for runs that differ in the seed and the learning rate alone, compiled
            models.
        **options: Options of `load_corpus`, `prepare`, `split`, `TextInput`, the model's builder,
            `TrainingNoise` and `train`; unless given, the defaults of the model and its encoder.

    Returns:
        The run's folder, a `pathlib.Path`.

    Raises:
        UserError: If the input or an option is wrong, or on Ctrl-C.

    Example:

    >>> fit(data="situations", model="tfidf_logistic")
    Corpus situations ...
    PosixPath('runs/fit/tfidf_logistic-seed0-...')
    """
    record.check_study(study)
    settings = resolve(model, options)
    check_limits({"seed": seed, **{k: v for stage in settings.values() for k, v in stage.items()}})
    noise = TrainingNoise(seed, **settings["augmentation"])
    dataset = read_dataset(settings, {} if cache is None else cache, notify)
    if data_sha256 not in (None, dataset.corpus.sha256):
        raise UserError(
            f"{dataset.corpus.source} is not what the run was trained on: its SHA-256 is "
            f"{dataset.corpus.sha256[:12]}..., expected {data_sha256[:12]}... Give the file as it "
            "was, or say that these are the data with `--data`. "
            f"Received: data={settings['reading']['data']!r}"
        )
    encoder = settings.get("inputs", {}).get("encoder")
    encoder_checksum = encoder and find_encoder(encoder).sha256()
    if model in BASELINES:
        backend, precision = "scikit-learn", "float64"
    else:
        backend, precision = keras.backend.backend(), devices.resolve_precision(precision)
    identity = _identity(dataset, settings, model, seed, precision, backend)
    if encoder_checksum:
        identity["encoder_sha256"] = encoder_checksum
    name = record.run_id(model, seed, identity, encoder)
    directory = record.run_directory(runs_dir, study, name)
    if record.is_finished(directory):
        record.check_run(directory)  # That it can be read is part of it.
        _clean_up(directory)
        notify(f"This run is finished already, nothing is trained: {directory}")
        return directory
    record.make_directory(directory)
    with _alone(directory, notify):
        if not record.is_finished(directory):
            _make_run(
                directory,
                dataset,
                settings,
                identity,
                model=model,
                seed=seed,
                noise=noise,
                precision=precision,
                backend=backend,
                study=study,
                trial=trial,
                read_test=read_test,
                tensorboard=tensorboard,
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
    model,
    seed,
    noise,
    precision,
    backend,
    study,
    trial,
    read_test,
    tensorboard,
    notify,
    cache,
):
    """Trains the model, and writes what the run's folder is to hold."""
    _claim(directory, identity)
    notify(str(dataset.audit))
    train_model = train_baseline if model in BASELINES else train_network
    try:
        outcome = train_model(
            dataset,
            settings,
            model=model,
            seed=seed,
            noise=noise,
            precision=precision,
            splits=("val", "test") if read_test else ("val",),
            directory=directory,
            tensorboard=tensorboard,
            notify=notify,
            cache=cache,
        )
    except UserError:
        _release(directory)
        raise
    audit = dataset.audit.to_dict() | outcome["audit"]
    is_looked_at = read_test and trial is None  # For studies of settings it takes time for nothing.
    if is_looked_at:
        audit["near_repeats"] = count_near_repeats(dataset.texts("train"), dataset.texts("test"))
    record.write_json(directory / record.AUDIT, audit)
    if outcome["history"]:
        record.write_rows(directory / record.HISTORY, outcome["history"])
    _write_predictions(directory, dataset, outcome["probabilities"])
    if "layers" in outcome:
        record.write_json(directory / record.ARCHITECTURE, {"layers": outcome["layers"]})
    if is_looked_at:
        _write_texts(directory, dataset, outcome)
    record.write_run(
        directory,
        {
            "run_id": directory.name,
            "study": study,
            "trial": trial,
            "model": model,
            "seed": seed,
            "inputs": settings.get("inputs", {}),
            "encoder_sha256": identity.get("encoder_sha256"),
            "hyperparameters": settings["hyperparameters"],
            "training": {
                **settings.get("training", {}),
                **settings["augmentation"],
                "precision": precision,
            },
            "corpus": _describe_corpus(dataset, settings),
            "metrics": {
                name: classification_metrics(dataset.label_ids(name), value, dataset.corpus.labels)
                for name, value in outcome["probabilities"].items()
            },
            "best_epoch": outcome["best_epoch"],
            "num_parameters": outcome["num_parameters"],
            "cost": {
                "seconds": outcome["seconds"],
                "examples_per_second": outcome["examples_per_second"],
                **outcome["latency"],
                "peak_memory_bytes": devices.peak_memory_bytes(),
            },
            "environment": {
                "backend": backend,
                "versions": devices.versions(),
                "device": devices.describe(),
                "precision": precision,
                "commit": _commit(),
            },
        },
    )
    _clean_up(directory)


def _identity(dataset, settings, model, seed, precision, backend):
    """What tells a run from all others; where the corpus lies on disk is no part of it."""
    no_part = ("data", "max_labels")
    columns = {name: value for name, value in settings["reading"].items() if name not in no_part}
    return {
        **{name: value for name, value in columns.items() if value is not None},
        **{name: value for name, value in settings.items() if name not in ("reading", "protocol")},
        "protocol": dataset.split.protocol,
        "corpus": dataset.corpus.sha256,
        "labels": dataset.corpus.labels,
        "precision": precision,
        "backend": backend,
        "model": model,
        "seed": seed,
    }


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


def _write_texts(directory, dataset, outcome):
    """Keeps the test split's texts, and what the gate makes of them, for those who look at them."""
    texts = dataset.texts("test")
    ids = dataset.corpus.examples["id"].iloc[dataset.split.test]
    rows = [{"id": i, "text": text} for i, text in zip(ids, texts, strict=True)]
    record.write_rows(directory / record.TEXTS, rows)
    if "explain" not in outcome:
        return
    explained = outcome["explain"](texts)
    record.write_rows(
        directory / record.GATES,
        [
            {"id": i, "position": position, **word}
            for i, words in zip(ids, explained, strict=True)
            for position, word in enumerate(words)
        ],
    )
    if words := summarize_words(explained):
        record.write_rows(directory / record.GATE_WORDS, words)
    if found := measure_faithfulness(explained, outcome["marks"], outcome["predict"]):
        record.write_rows(directory / record.FAITHFULNESS, found)


def _write_predictions(directory, dataset, probabilities):
    ids = dataset.corpus.examples["id"]
    splits = {
        name: (ids.iloc[getattr(dataset.split, name)], dataset.label_ids(name), values)
        for name, values in probabilities.items()
    }
    write_predictions(directory, dataset.corpus.labels, splits)


def _describe_corpus(dataset, settings):
    corpus = dataset.corpus
    return {
        "name": corpus.name,
        "sha256": corpus.sha256,
        "licence": corpus.licence,
        "labels": list(corpus.labels),
        "num_examples": len(corpus),
        "split_seed": dataset.split.protocol["split_seed"],
        "reading": settings["reading"],
        "preparation": settings["preparation"],
        "protocol": dataset.split.protocol,
    }


def _commit():
    """The commit of this software's checkout, or `None` where it is not one."""
    folder = Path(__file__).parent
    command = ["git", "-C", os.fspath(folder), "rev-parse", "HEAD"]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return None
