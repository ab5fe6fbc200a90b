"""The comparison of several models: its runs, and what they say."""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_keras import record
from emotion_keras.data.options import DataOptions
from emotion_keras.errors import UserError
from emotion_keras.inputs import AND, find_modality
from emotion_keras.models.baselines import baselines_of
from emotion_keras.record.options import join_names, option, split_names, without
from emotion_keras.studies.contenders import (
    SEEDS,
    ByModel,
    check_settings,
    full_name,
    full_names,
    make_tasks,
    read_settings,
)
from emotion_keras.studies.study import Ended, StudyOptions, Task, make_runs
from emotion_keras.training.defaults import default_encoder

COMPARISON = "comparison.json"

_COMPARISON = {
    "corpus": {"name": str},
    "reference": str,
    "grouped": bool,
    "contenders": [{"name": str}],
}

# From cheap to dear, so that a first table is there soon.
CONTENDERS = (
    "majority",
    "tfidf_logistic",
    "tfidf_svm",
    "cnn@scratch",
    "lstm@scratch",
    "transformer@scratch",
    "gated_transformer@scratch",
    "transformer@embeddings",
    "gated_transformer@embeddings",
    "bert@minilm",
    "transformer@minilm",
    "gated_transformer@minilm",
)
# Of other modalities, from scratch all of them.
_NETWORKS = ("cnn@scratch", "lstm@scratch", "transformer@scratch", "gated_transformer@scratch")
CONTENDERS_BY_MODALITY = {
    "text": CONTENDERS,
    "speech": ("majority", "mfcc_logistic", "mfcc_svm", *_NETWORKS),
    "image": ("majority", "pixels_logistic", "hog_logistic", "hog_svm", *_NETWORKS),
    "features": ("majority", "features_logistic", "features_svm", *_NETWORKS),
}


def contenders_of(modality: str) -> tuple[str, ...]:
    """The models that are compared unless others are named, of a modality or of several."""
    if AND not in modality:
        return CONTENDERS_BY_MODALITY.get(modality, CONTENDERS)
    kind = find_modality(modality)
    scratch = default_encoder("cnn", kind)
    networks = [name.replace("scratch", scratch) for name in _NETWORKS]
    whole = f"gated_transformer@{kind.default_encoder}"
    return (*baselines_of(modality), *dict.fromkeys([*networks, whole]))


@dataclass(frozen=True, kw_only=True)
class CompareOptions(StudyOptions):
    """What is compared."""

    models: str | None = option(
        None,
        "Names with commas between them: majority, tfidf_logistic, tfidf_svm, mfcc_logistic, "
        "mfcc_svm, pixels_logistic, hog_logistic, hog_svm, features_logistic, features_svm, "
        "fusion_logistic, fusion_svm, late_logistic; cnn, lstm, "
        "transformer, bert or gated_transformer, with its encoder as in bert@minilm. Unless "
        "given, all that take the data's modality.",
        is_basic=True,
    )
    seeds: int | None = option(
        None,
        "How many runs of each model; unless given 5, with folds 1 on each fold.",
        SEEDS,
        is_basic=True,
    )
    reference: str | None = option(
        None,
        "The model that all others are compared with; unless given, the one that is best on the "
        "validation split.",
        is_basic=True,
    )
    settings: str | dict[str, dict] | None = option(
        None,
        "YAML or JSON file with settings in place of the chosen ones: by model as in `models`, or "
        "for all `networks`, a value by option of `fit`; or the `best.json` of a search.",
        is_basic=True,
    )
    test_on: str | None = option(
        None,
        "Other corpora, names or paths with commas between them, on which these runs are evaluated "
        "as well, as `emotion_keras.evaluate` does it: labels of equal names go together. Of "
        "several labels an example their columns are those of the same names.",
        is_basic=True,
    )
    study: str = option("comparison", "Name of the set of runs.", is_basic=True)


def compare(
    *, notify: Callable[[str], Any] = print, **options: Any
) -> tuple[dict[str, Any] | None, list[Ended]]:
    """Makes the runs of a comparison, and compares what they predict.

    Args:
        notify: Called with messages for the user.
        **options: Values by option of `CompareOptions` and `DataOptions`; with `folds`, all of
            them.

    Returns:
        The comparison, a dictionary as it stands in `comparison.json`, or `None` where no run is
        finished; and a list of `Ended`, the runs that failed. With `test_on` the comparison has
        `transfers`, a list of `Transfer`, which are made of the evaluations in the runs' folders.

    Raises:
        UserError: If the input or an option is wrong.

    Example:

    >>> found, failed = compare(data="situations", models="majority,tfidf_logistic", seeds=1)
    2 of 2 runs to make...
    >>> [contender["name"] for contender in found["contenders"]]
    ['tfidf_logistic', 'majority']
    """
    asked = CompareOptions.pick(options)
    data = DataOptions.make(**without(options, CompareOptions))
    record.check_study(asked.study)
    modality = data.reading.modality
    models = asked.models or ",".join(contenders_of(str(modality)))
    names = full_names(models, modality)
    reference = asked.reference and full_name(asked.reference, modality)
    if reference and reference not in names:
        raise UserError(
            f"The reference is one of the models, {', '.join(names)}. Received: {reference!r}"
        )
    settings = read_settings(asked.settings, names, modality) if asked.settings else {}
    corpora = [name for name in split_names("test_on", asked.test_on or "") if name]
    readings = _read_other_corpora(corpora, data.reading)
    cache = {}
    tasks = plan_comparison(
        names,
        seeds=asked.seeds,
        settings=settings,
        precision=asked.precision,
        data=data,
        cache=cache,
        notify=notify,
    )
    directory = Path(asked.runs_dir) / asked.study
    made, failed = make_runs(
        tasks,
        directory,
        workers=asked.workers,
        cache=cache,
        notify=notify,
        command=("emotion_keras.compare", [asked, *data], settings),
        check=lambda: (
            check_settings(asked.settings, settings, names, modality) if settings else None
        ),
    )
    if not made:
        return None, failed
    directories = list(made.values())
    comparison = _compare(directory, directories, reference)
    if corpora:
        directories += _combinations_of(directories, directory)
        comparison["transfers"] = _evaluate(directories, readings, notify)
    return comparison, failed


def _read_other_corpora(corpora, reading):
    """How other corpora are read: a dictionary of options for each.

    Raises `UserError` before anything is trained if runs cannot be evaluated on a corpus.
    """
    if not corpora:
        return []
    # Imported here because pandas takes a moment.
    from emotion_keras.data.corpus import load_corpus
    from emotion_keras.data.label_map import map_labels

    own = load_corpus(options=reading, notify=lambda message: None)
    readings = []
    for name in corpora:
        options = {"data": name, **_labels_as_in(own, reading, name)}
        readings.append(options)
        other = load_corpus(**options, modality=reading.modality, notify=lambda message: None)
        if other.sha256 == own.sha256:
            raise UserError(
                "Runs are tested on the test split of their own corpus in any case: name others. "
                f"Received: test_on={name!r}"
            )
        map_labels(own.labels, other.labels, source=f"the corpus {other.name}")
    return readings


def _labels_as_in(own, reading, data):
    """The options by which another corpus says its labels, where examples have several."""
    if not own.kind.several:
        return {}
    kind = {"target": reading.target}
    if reading.label_columns is None:
        return {**kind, "label_separator": reading.label_separator}
    # Imported here because pandas takes a moment.
    from emotion_keras import tables
    from emotion_keras.data.label_cells import as_label

    columns = tables.open_table(tables.scan(Path(data).expanduser())).columns
    shared = [name for name in columns if as_label(name) in own.labels]
    if not shared:
        raise UserError(
            f"{data} has none of the columns of labels: {', '.join(own.labels)}. Its columns: "
            f"{', '.join(columns)}. Evaluate the runs on it with `emotion_keras.evaluate` and "
            f"`--map`. Received: test_on={data!r}"
        )
    return {**kind, "label_columns": join_names(shared)}


def _evaluate(directories, readings, notify):
    """Evaluates runs on other corpora; returns what `read_transfers` gives."""
    # Imported here because they take seconds.
    from emotion_keras.evaluation.transfers import read_transfers
    from emotion_keras.studies.evaluation import evaluate

    kept = [directory for directory in directories if record.has_model(directory)]
    if without_model := len(directories) - len(kept):
        notify(
            f"Not evaluated on other corpora, as their models are not kept: {without_model} runs."
        )
    folders, cache = [], {}
    for reading in readings:
        for directory in kept:
            folders.append(evaluate(directory, **reading, cache=cache, notify=notify))
    return read_transfers(folders)


def plan_comparison(
    names: Sequence[str],
    *,
    seeds: int | None,
    settings: ByModel,
    precision: str,
    data: DataOptions,
    cache: dict[str, Any],
    notify: Callable[[str], Any],
) -> list[Task]:
    """The runs of a comparison.

    Args:
        names: Full names of models.
        seeds: See `compare`.
        settings: Dictionary of options by model, and for all `networks`, in place of the chosen.
        precision: See `fit`.
        data: `DataOptions`.
        cache: Dictionary, filled with what of the runs can be made beforehand, as `fit` takes it.
        notify: Called with messages for the user.

    Returns:
        List of `Task`, one model after the other, so that what a model's runs share is made once.
    """
    folds = data.protocol.folds
    seeds = (5 if folds is None else 1) if seeds is None else seeds
    tasks = []
    for fold in [None] if folds is None else range(folds):
        tasks += make_tasks(
            names,
            data._replace(protocol=dataclasses.replace(data.protocol, fold=fold)),
            seeds=seeds,
            precision=precision,
            settings=settings,
            cache=cache,
            notify=notify,
        )
    return sorted(tasks, key=lambda task: names.index(task.group))


def _combinations_of(directories, study):
    """The combinations in a study's folder whose members are all among some of its runs."""
    known, found = {path.name for path in directories}, []
    for path in record.find_runs(study):
        with contextlib.suppress(UserError):  # What is broken is no run to compare.
            run = record.read_run(path)
            members = {one["run_id"] for one in run.get("members", [])}
            if run["model"] == record.COMBINATION and members <= known:
                found.append(path)
    return found


def _compare(directory, directories, reference):
    """What the runs say; worked out again only where it is about other runs than the last time."""
    directories = [*directories, *_combinations_of(directories, directory)]
    path = directory / COMPARISON
    question = {"run_ids": sorted(path.name for path in directories), "asked_reference": reference}
    # What is there but broken, or of another version, is worked out again like what is not.
    with contextlib.suppress(UserError):
        comparison = record.read_versioned(path, _COMPARISON)
        if question.items() <= comparison.items():
            return comparison
    # Imported here because it takes seconds.
    from emotion_keras.evaluation.comparison import compare_runs

    corpus = record.read_run(directories[0])["corpus"]
    record.write_versioned(
        path,
        {
            **question,
            "corpus": {name: corpus[name] for name in ("name", "sha256", "labels", "protocol")},
            **compare_runs(directories, reference),
        },
    )
    return record.read_versioned(path)
