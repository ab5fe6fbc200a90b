"""Evaluates a finished model on another corpus, and keeps what it finds beside the model.

An evaluation is a folder, whose name tells the content of the corpus, how it was read and mapped,
and the model. Its record is written last, so that its presence means that it is complete; it is
never read as a run's own test.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from emotion_keras import record
from emotion_keras.command.progress import RowProgress
from emotion_keras.data.cache import once
from emotion_keras.data.corpus import Corpus, load_corpus
from emotion_keras.data.dataset import read_dataset
from emotion_keras.data.label_map import as_pairs, map_labels
from emotion_keras.data.near_repeats import count_near_repeats
from emotion_keras.data.options import (
    DATA_STAGES,
    DataOptions,
    Preparation,
    Reading,
    identifying,
)
from emotion_keras.data.preparation import prepare
from emotion_keras.errors import UserError
from emotion_keras.evaluation.adaptation import adapt
from emotion_keras.evaluation.attributes import score_groups
from emotion_keras.evaluation.comparison import contender
from emotion_keras.evaluation.coverage import TARGET_ACCURACY
from emotion_keras.evaluation.other_corpus import (
    Answers,
    Measured,
    from_confidence,
    home_answers,
    measure,
    score_answers,
    summarize,
)
from emotion_keras.evaluation.predictions import read_split, write_groups, write_predictions
from emotion_keras.inputs import Input, modality_of
from emotion_keras.machine.commit import find_commit
from emotion_keras.record.options import as_words, without
from emotion_keras.studies.options import EvaluateOptions
from emotion_keras.targets import Target, make_target, target_of

_AT_ONCE = 512
# What the file of predictions calls the examples: they are of no split of the run.
_SPLIT = "other"


class Asked(NamedTuple):
    """A model that is evaluated, as far as its record says it.

    Args:
        directory: Folder of its run or its export.
        run: The record of its run, or `None` of an export.
        name: Its name, for people.
        modality: Class of the `Input` that reads its cells.
        target: Its `Target`.
        preparation: Dictionary of the options of the preparation that it was trained with.
        sha256: Checksum of what it is stored in.
    """

    directory: Path
    run: dict[str, Any] | None
    name: str
    modality: type[Input]
    target: Target
    preparation: dict[str, Any]
    sha256: str


def evaluate(
    run: str | Path,
    *,
    cache: dict[str, Any] | None = None,
    notify: Callable[[str], Any] = print,
    **options: Any,
) -> Path:
    """Evaluates a model on another corpus than its own.

    Args:
        run: Folder of a finished run, of a combination or of an export, or `best`.
        cache: Dictionary that keeps the corpus from one call to the next, or `None`.
        notify: Called with messages for the user.
        **options: Values by option of `EvaluateOptions` and `Reading`, of which `data` must be
            given.

    Returns:
        The evaluation's folder.

    Raises:
        UserError: If the model, the corpus or an option is wrong, the corpus is the model's own, or
            model and corpus share fewer than two labels.

    Example:

    >>> evaluate("runs/fit/RUN", data="reviews.csv", text_column="body", label_column="mood")
    Corpus reviews ...
    PosixPath('runs/fit/RUN/evaluations/reviews-...')
    """
    asked = EvaluateOptions.pick(options)
    if options.get("data") is None:
        raise UserError("Say on which corpus the model is evaluated, with `--data`.")
    directory = record.resolve_run(run, asked.runs_dir, asked.study)
    if run == "best":
        notify(f"The best run: {directory}")
    model = _describe_model(directory)
    if asked.adapt != "none" and model.run is None:
        raise UserError(
            f"{directory} is an export, which does not hold what the model says of its validation "
            "split, from which `--adapt` starts. Give the folder of its run."
        )
    reading = Reading(**without(options, EvaluateOptions) | {"modality": model.modality.name})
    _check_kind(model, reading)
    _check_adaptation(model, asked.adapt)
    kept = Preparation.pick({**model.preparation, "labels": None, "repeats": asked.repeats})
    corpus = _read_corpus(reading, kept, {} if cache is None else cache, notify)
    corpus = _official_part(corpus, asked.split)
    _check_is_another(model, corpus, reading.data)
    there = corpus.truth.any(axis=0)
    labels = [label for label, is_met in zip(corpus.labels, there, strict=True) if is_met]
    known = map_labels(model.target.labels, labels, asked.map, f"the corpus {corpus.name}")
    columns = {name: v for name, v in identifying(reading.to_dict()).items() if name != "data"}
    question = {
        "corpus": corpus.sha256,
        "reading": columns,
        "attributes": list(corpus.attributes),
        "preparation": kept.to_dict(),
        "split": asked.split,
        "map": [known.of_model, known.of_data],
        "adapt": asked.adapt,
    }
    name = f"{corpus.name}-{_digest({'model': model.sha256, **question})}"
    place = Path(asked.out) if asked.out else record.evaluations_directory(directory)
    folder = place / name
    if record.is_evaluated(folder):
        record.read_evaluation(folder)
        notify(f"This is evaluated already, nothing is predicted: {folder}")
        return folder
    record.make_directory(folder)
    found = _make_evaluation(folder, model, corpus, known, asked, notify)
    reading_of = {"reading": reading.to_dict(), "preparation": kept.to_dict(), "split": asked.split}
    command = ["python", "-m", "emotion_keras.evaluate", os.fspath(run), *_given(asked, reading)]
    record.write_evaluation(
        folder,
        {"name": name, "question": _digest(question), **found, "command": command}
        | {"corpus": {**found["corpus"], **reading_of}},
    )
    record.remove_parts(folder)
    return folder


def _digest(identity):
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:8]


def _describe_model(directory):
    """What the record of a run or of an export says, without loading the model."""
    if (directory / record.EXPORT).exists():
        shape = {"name": str, "labels": [str], "preparation": dict}
        export = record.read_versioned(directory / record.EXPORT, shape)
        kind, of_labels = export.get("target", "single"), export.get("label_thresholds")
        target = make_target(kind, export["labels"], of_labels)
        known = (None, export["name"], modality_of(export), target, export["preparation"])
        return Asked(directory, *known, record.model_sha256(directory))
    run = record.read_run(directory)
    known = (run, contender(run), modality_of(run), target_of(run), run["corpus"]["preparation"])
    return Asked(directory, *known, record.model_sha256(directory))


def _check_kind(model, reading):
    """Raises `UserError` if one label an example meets several."""
    if reading.target == model.target.name:
        return
    if model.target.several:
        raise UserError(
            f"{model.directory} was trained on several labels an example. Say how the corpus names "
            "its labels: `--label-columns` for columns of 0 and 1, `--label-separator` for lists "
            "in one column; where the column holds one label an example, `--target multi` reads it "
            f"as a list of one. Received: target={reading.target!r}"
        )
    raise UserError(
        f"{model.directory} was trained on one label an example, and cannot say that several hold "
        "or none. Evaluate a run of several labels (`fit --target multi`), or name the one column "
        f"of labels with `--label-column`. Received: target={reading.target!r}"
    )


def _check_adaptation(model, method):
    if method == "prior" and model.target.several:
        raise UserError(
            "`prior` shares out one label an example, and this model has several. "
            f"adapt is one of none, center there. Received: adapt={method!r}"
        )


def _read_corpus(reading, preparation, cache, notify) -> Corpus:
    """The corpus, prepared as the model's own was."""
    made_from = {"reading": reading.to_dict(), "preparation": preparation.to_dict()}

    def read():
        corpus, audit = prepare(load_corpus(options=reading, notify=notify), preparation)
        notify(str(audit))
        return corpus

    return once(cache, f"evaluated {reading.data}", made_from, read)


def _official_part(corpus, name):
    """The part of a corpus that is asked for."""
    if name is None:
        return corpus
    if "split" not in corpus.examples:
        raise UserError(
            f"{corpus.source} has no official split. Name its column with `--split-column`, or "
            f"leave `--split` out. Received: split={name!r}"
        )
    examples = corpus.examples[corpus.examples["split"] == name].reset_index(drop=True)
    if examples.empty:
        raise UserError(f"{corpus.source} has no examples in its official split {name}.")
    return replace(corpus, examples=examples)


def _check_is_another(model, corpus, data):
    """Raises `UserError` if a corpus is that which the model was trained on."""
    if model.run is not None and model.run["corpus"]["sha256"] == corpus.sha256:
        raise UserError(
            f"{model.directory} was trained on this corpus, and its record says how good it is on "
            f"its own test split. Give another corpus with `--data`. Received: data={data!r}"
        )


def _make_evaluation(folder, model, corpus, known, asked, notify):
    """Predicts and measures; writes all but the record, which it returns."""
    # Imported here because a network needs Keras, which takes seconds.
    from emotion_keras.inference.predictor import Predictor

    predictor = Predictor.load(model.directory)
    modality = corpus.modality
    kept, left_out = _kept(corpus, known)
    cells = kept[modality.name].tolist()
    notify(f"{predictor.name} answers {len(cells):,} {modality.plural}.")
    probabilities = _predict(predictor.model, cells, modality.plural)
    adaptation = None
    if asked.adapt != "none":
        _, validation = read_split(model.directory, model.run, "val")
        probabilities, adaptation = adapt(
            asked.adapt, model.target, probabilities, validation, predictor.temperature
        )
    ids = kept["id"].tolist()
    groups = dict(zip(ids, kept["subject"], strict=True)) if corpus.has_groups else {}
    answers = Answers(ids, kept["label"].tolist(), probabilities, groups)
    # What is measured is what is kept, whose digits are those of float32.
    answers = answers._replace(probabilities=np.float32(probabilities))
    measured = measure(answers, model.target, known, predictor.temperature)
    write_predictions(folder, model.target, {_SPLIT: (ids, answers.labels, answers.probabilities)})
    _write_groups(folder, corpus, kept)
    said = model.target.encode(model.target.decide(answers.probabilities)).sum(axis=0)
    times = dict(zip(model.target.labels, said, strict=True))
    familiarity = predictor.familiarity
    return {
        "model": _describe(model, predictor),
        "corpus": {
            "name": corpus.name,
            "sha256": corpus.sha256,
            "licence": corpus.licence,
            "modality": modality.name,
            "labels": list(known.of_data),
            "grouped": corpus.has_groups,
        },
        "map": {"model": known.of_model, "data": known.of_data},
        "adaptation": adaptation,
        "left_out": left_out,
        **({"unknown": _unknown(corpus, known)} if model.target.several else {}),
        "said": {label: int(times[label]) for label in known.model_only},
        "unfamiliar": familiarity and sum(map(familiarity.is_unfamiliar, cells)),
        "near_repeats": _near_repeats(model, cells),
        **_as_json(measured),
        "at_home": _at_home(model, known),
        "by_attribute": _by_attribute(measured, kept, corpus.attributes, groups),
        "from_threshold": _from_threshold(predictor, measured, groups),
        "commit": find_commit(),
    }


def _kept(corpus, known):
    """The examples that say something of the model, and how many others have which label."""
    examples = corpus.examples
    if corpus.kind.several:  # Of an example of other labels no shared one holds.
        return examples, {}
    has_shared = examples["label"].map(lambda label: known.of_data[label] is not None)
    left_out = examples.loc[~has_shared, "label"].value_counts().to_dict()
    return examples[has_shared], {label: int(left_out[label]) for label in known.data_only}


def _unknown(corpus, known):
    """Of how many examples labels hold that the model lacks, and of how many no others do."""
    truth = pd.DataFrame(corpus.truth > 0, columns=list(corpus.labels))[list(known.of_data)]
    shared = [label for label, name in known.of_data.items() if name is not None]
    alone = truth[known.data_only].any(axis=1) & ~truth[shared].any(axis=1)
    labels = {label: int(truth[label].sum()) for label in known.data_only}
    return {"labels": labels, "examples_without_shared": int(alone.sum())}


def _predict(model, cells, plural):
    """What a model says of many cells, part by part."""
    found = []
    with RowProgress(len(cells), 0, plural) as progress:
        for start in range(0, len(cells), _AT_ONCE):
            found.append(model.probabilities(cells[start : start + _AT_ONCE]))
            progress.advance(len(found[-1]))
    return np.concatenate(found)


def _write_groups(folder, corpus, kept):
    """Keeps whose examples are, and their attributes, where one is known."""
    if not (corpus.has_groups or corpus.attributes):
        return
    numbers = pd.factorize(kept["subject"])[0].tolist() if corpus.has_groups else None
    known = {name: kept[f"{record.ATTRIBUTE}{name}"].tolist() for name in corpus.attributes}
    write_groups(folder, kept["id"], numbers, known)


def _describe(model, predictor):
    run, thresholds = model.run, model.target.thresholds
    return {
        "name": predictor.name,
        "run_id": run and run["run_id"],
        "seed": run and run["seed"],
        "sha256": model.sha256,
        "labels": list(model.target.labels),
        "target": model.target.name,
        "corpus": run and run["corpus"]["name"],
        "corpus_sha256": run and run["corpus"]["sha256"],
        "temperature": predictor.temperature,
        **({} if thresholds is None else {"label_thresholds": list(thresholds)}),
    }


def _as_json(measured: Measured):
    confusion, best = measured.confusion, measured.at_best_thresholds
    return {
        "metrics": measured.metrics,
        **({} if best is None else {"at_best_thresholds": best}),
        "scores": {
            name: {score: found._asdict() for score, found in scores.items()}
            for name, scores in (("shared", measured.scores), ("open", measured.open_scores))
        },
        "confusion": {
            "rows": confusion.index.tolist(),
            "columns": confusion.columns.tolist(),
            "counts": confusion.to_numpy().tolist(),
        },
        "calibration": measured.calibration,
        "by_coverage": [
            {"coverage": share, **score._asdict()} for share, score in measured.by_coverage.items()
        ],
    }


def _at_home(model, known):
    """The same scores of the run's own test split, among the same labels."""
    home = None if model.run is None else home_answers(model.run, model.directory, known)
    if home is None:
        return None
    answers, at_home = home
    scores = summarize(score_answers(answers, model.target, at_home).shared)
    return {
        "num_examples": len(answers.ids),
        **{name: score._asdict() for name, score in scores.items()},
    }


def _from_threshold(predictor, measured, groups):
    """What comes of the confidence that surely reaches an accuracy on the model's own corpus."""
    try:
        threshold = predictor.threshold_for(TARGET_ACCURACY)
    except UserError:
        return None
    accuracy, answered = from_confidence(measured, threshold.min_confidence, groups)
    return {
        "target_accuracy": TARGET_ACCURACY,
        "min_confidence": threshold.min_confidence,
        "answered": answered,
        "accuracy": accuracy._asdict(),
    }


def _by_attribute(measured, kept, attributes, groups):
    """Accuracy among the shared labels by attribute."""
    columns = {name: f"{record.ATTRIBUTE}{name}" for name in attributes}
    known = pd.DataFrame(
        {name: kept[column].tolist() for name, column in columns.items()}, kept["id"].tolist()
    )
    return [
        {
            "attribute": group.attribute,
            "value": group.value,
            "num_examples": group.num_examples,
            "accuracy": group.accuracy._asdict(),
        }
        for group in score_groups([measured.judged], [0], known, groups)
    ]


def _near_repeats(model, cells):
    """How many examples are nearly some that the model was trained on, where these are at hand."""
    train = None if model.run is None else _training_cells(model.run)
    if train is None:
        return None
    return count_near_repeats(train, cells, modality=model.modality)


def _training_cells(run):
    """The examples that a run was trained on, or `None` where they are not on this machine."""
    corpus = run["corpus"]
    data = corpus["reading"].get("data")
    path = os.path.expanduser(data or "")
    if data != "situations" and not os.path.isfile(path) and not os.path.isdir(path):
        return None
    try:
        # None stands for what was without effect; see `Settings.from_record`.
        options = DataOptions(
            **{
                name: kind.pick({k: v for k, v in corpus[name].items() if v is not None})
                for name, kind in DATA_STAGES.items()
            }
        )
        dataset = read_dataset(options, {}, notify=lambda message: None)
    except (UserError, KeyError):
        return None
    return dataset.cells("train") if dataset.corpus.sha256 == corpus["sha256"] else None


def _given(asked: EvaluateOptions, reading: Reading) -> list[str]:
    """The options that differ from their defaults, as words of a command."""
    usual: Mapping[str, Any] = EvaluateOptions().to_dict() | Reading().to_dict()
    given = {**asked.to_dict(), **reading.to_dict()}
    hidden = {"modality", "study", "runs_dir"}
    differing = {k: v for k, v in given.items() if v != usual[k] and k not in hidden}
    if isinstance(asked.map, dict):
        differing["map"] = as_pairs(asked.map)
    return as_words(differing)
