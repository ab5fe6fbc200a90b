"""Train one model once: `python -m emotion_keras.fit` -> one run.

With defaults it fine-tunes the gated Transformer over the MiniLM encoder on ISEAR; the README says
what that takes and reaches.
"""

if __name__ == "__main__":
    from emotion_keras.quiet import load_keras

    load_keras()  # Before whatever needs it, so that what goes wrong is told as a command tells it.

import argparse
import contextlib
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Literal

import keras
from filelock import FileLock, Timeout
from rich.console import Group
from rich.text import Text

from emotion_keras import devices, durations, record
from emotion_keras.anchor import train_anchor
from emotion_keras.checksums import encoder_sha256
from emotion_keras.data import load_corpus, prepare, read_dataset, split
from emotion_keras.data.near_repeats import count_near_repeats
from emotion_keras.data.noise import TrainingNoise
from emotion_keras.defaults import default_encoder, defaults_for
from emotion_keras.errors import UserError, run_command
from emotion_keras.evaluation import classification_metrics
from emotion_keras.evaluation.faithfulness import in_words, measure_faithfulness, read_faithfulness
from emotion_keras.evaluation.predictions import write_predictions
from emotion_keras.inputs.text import TextInput
from emotion_keras.limits import check_limits
from emotion_keras.models import MODELS
from emotion_keras.models.anchors import ANCHORS
from emotion_keras.network import remove_state, train_network
from emotion_keras.options import (
    load_texts_of,
    make_parser,
    option_defaults,
    parse,
    read_options,
)
from emotion_keras.outputs import summarize_words
from emotion_keras.score_table import ScoreTable, print_tables
from emotion_keras.training import train

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
    builder = (MODELS | ANCHORS).get(model)
    if builder is None:
        known = ", ".join([*MODELS, *ANCHORS])
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
    if model in ANCHORS:  # They take texts as they are, and train in one step.
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
        model: What to train: gated_transformer, transformer, cnn, lstm or bert; or an anchor,
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

    >>> fit(data="situations", encoder="scratch", epochs=2)
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
    encoder_checksum = encoder and encoder_sha256(encoder)
    if model in ANCHORS:
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
    train_model = train_anchor if model in ANCHORS else train_network
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


def summarize(directory):
    """A finished run as tables for the terminal: metrics, F1 by label, cost, the gate."""
    run = record.read_run(directory)
    scores = ScoreTable(
        f"{run['model']} on {run['corpus']['name']}, in per cent",
        ("split", "texts", "accuracy", "macro F1", "weighted F1", "AUC", "ECE"),
    )
    for name, metrics in run["metrics"].items():
        values = [metrics[key] for key in ("accuracy", "macro_f1", "weighted_f1", "auc", "ece")]
        scores.add_row(name, str(metrics["num_examples"]), *(_per_cent(value) for value in values))
    last = list(run["metrics"])[-1]  # The test split, unless the run was made to choose by.
    by_label = ScoreTable(
        f"Split {last} by label, in per cent", ("label", "precision", "recall", "F1", "texts")
    )
    for label, metrics in run["metrics"][last]["per_label"].items():
        values = [metrics[key] for key in ("precision", "recall", "f1")]
        by_label.add_row(label, *map(_per_cent, values), str(metrics["support"]))
    cost = run["cost"]
    best = f"Best epoch {run['best_epoch']}. " if run["best_epoch"] else ""
    return Group(
        scores,
        by_label,
        Text(
            f"{best}Trained for {durations.in_words(cost['seconds'])} at "
            f"{cost['examples_per_second']:.0f} texts a second; "
            f"peak memory {cost['peak_memory_bytes'] / 1e9:.1f} GB."
        ),
        *map(Text, in_words(read_faithfulness(directory))),
    )


def next_command(directory):
    """The command that makes a run once more with another seed, ready for a shell."""
    run = record.read_run(directory)
    places = {"study": run["study"], "runs_dir": os.fspath(directory.parents[1])}
    arguments = ["--from-run", os.fspath(directory), "--seed", str(run["seed"] + 1)]
    for name, default in option_defaults(fit).items():
        if name in places and places[name] != default:
            arguments += [f"--{name.replace('_', '-')}", places[name]]
    return shlex.join(["python", "-m", "emotion_keras.fit", *arguments])


def _per_cent(value):
    return "-" if value is None else f"{100 * value:.1f}"


def main(arguments=None):
    """The command `python -m emotion_keras.fit`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)

    def run():
        directory = fit(**_parse(arguments))
        print_tables(summarize(directory))
        # Not by rich, which would fold the lines.
        print(
            f"The run: {directory}\nOnce more with another seed: {next_command(directory)}\n"
            f'Label texts: python -m emotion_keras.predict {shlex.quote(str(directory))} "..."'
        )
        return 0

    return run_command(run)


def _parse(arguments):
    """Reads the command line; which options there are, and their defaults, depends on three."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    first.add_argument("--from-run")
    first.add_argument("--from-trial")
    first.add_argument("--model")
    first.add_argument("--encoder")
    first.add_argument("--data")
    first.add_argument("--freeze-encoder", nargs="?", const="true")
    first.add_argument("--config")
    try:
        chosen, _ = first.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise UserError(str(error)) from error
    for name, value in _read_options(chosen.config).items():
        if name in chosen and getattr(chosen, name) is None:
            setattr(chosen, name, value)
    found = _options_of_trial(chosen.from_trial) if chosen.from_trial else {}
    if found and (chosen.from_run or chosen.model or chosen.encoder):
        raise UserError(
            "--from-trial says which model: leave out --from-run, --model and --encoder."
        )
    chosen.model, chosen.encoder = (
        found.get("model", chosen.model),
        found.get("encoder", chosen.encoder),
    )
    defaults = _options_of(chosen.from_run, chosen.model) if chosen.from_run else {}
    model = chosen.model or defaults.get("model", "gated_transformer")
    functions = [fit, *stages(model).values()]
    repeats = chosen.from_run and model == defaults["model"]
    if model in MODELS and (chosen.encoder or chosen.freeze_encoder or not repeats):
        frozen = str(chosen.freeze_encoder).lower() == "true"
        known = {option for function in functions for option in option_defaults(function)}
        encoder = chosen.encoder or defaults.get("encoder") or default_encoder(model)
        usual = defaults_for(model, encoder, frozen)
        defaults |= {option: usual[option] for option in usual if option in known}
    defaults |= found
    parser = make_parser("python -m emotion_keras.fit", __doc__, functions, defaults)
    parser.add_argument("--from-run", help="Repeat a run: take all options from its record.")
    parser.add_argument(
        "--from-trial", help="Take model and setting from the best.json of a search."
    )
    options = vars(parse(parser, arguments))
    of_command = ("config", "from_run", "from_trial")
    chosen_options = {name: options[name] for name in options if name not in of_command}
    if chosen.from_run:
        run = record.read_run(chosen.from_run)
        if chosen.data is None:
            chosen_options["data_sha256"] = run["corpus"]["sha256"]
        if chosen.encoder is None and model == run["model"]:
            _check_encoder(run)
    return chosen_options


def _check_encoder(run):
    """Makes sure that an encoder with a path is the one that a run was trained with."""
    before, encoder = run.get("encoder_sha256"), run["inputs"].get("encoder")
    now = encoder and before and encoder_sha256(encoder)
    if now != before:
        raise UserError(
            f"The encoder is not what the run was trained with: its SHA-256 is {str(now)[:12]}, "
            f"expected {before[:12]}... Give it as it was, or say that this is the encoder with "
            f"`--encoder`. Received: encoder={encoder!r}"
        )


def _read_options(path):
    """What a file of options holds; that it holds anything, the parser makes sure."""
    options = {} if path is None else load_texts_of(path, "options")
    return options if isinstance(options, dict) else {}


def _options_of_trial(path):
    """The options that make runs of what a search has found, from its `best.json`."""
    if not Path(path).is_file():
        raise UserError(
            f"There is no such file: {path}. `python -m tuning.search` writes best.json."
        )
    best = record.read_versioned(Path(path))
    if not {"contender", "options"} <= best.keys():
        raise UserError(f"{path} is not the best.json of a search.")
    model, _, encoder = best["contender"].partition("@")
    return {"model": model, **({"encoder": encoder} if encoder else {}), **best["options"]}


def _options_of(directory, model=None):
    """The options that repeat a run; with another model, those of its data, and its seed."""
    run = record.read_run(directory)
    try:
        parts = [run["corpus"][part] for part in ("reading", "preparation", "protocol")]
        if model in (None, run["model"]):
            parts += [run["inputs"], run["hyperparameters"], run["training"]]
        recorded = {"model": run["model"], "seed": run["seed"]}
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{Path(directory) / record.RUN} is damaged: it lacks {error}. Make the run again."
        ) from error
    for part in parts:
        recorded |= part
    model = model or run["model"]
    functions = [fit, *stages(model).values()]
    options = {name for function in functions for name in option_defaults(function)}
    if model in ANCHORS:
        options.remove("precision")  # They have one, whatever is asked for.
    # None stands for what was without effect, such as the test's size where there are folds.
    return {
        name: value for name, value in recorded.items() if name in options and value is not None
    }


if __name__ == "__main__":
    sys.exit(main())
