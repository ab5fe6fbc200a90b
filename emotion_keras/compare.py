"""Compare models on the same splits: `python -m emotion_keras.compare` -> the runs of a study.

Every model is trained with several seeds, or on several folds; what is finished is not made again,
and what was killed continues. Without options it makes the whole comparison on ISEAR, which takes
hours on a CPU.
"""

import contextlib
import sys
from pathlib import Path
from typing import Literal

from rich.console import Group
from rich.text import Text

from emotion_keras import record
from emotion_keras.contenders import (
    ANCHORS,
    DATA_STAGES,
    check_settings,
    full_name,
    full_names,
    make_tasks,
    read_settings,
    resolve_data,
)
from emotion_keras.errors import UserError, run_command
from emotion_keras.options import make_parser, parse
from emotion_keras.score_table import ScoreTable, print_tables
from emotion_keras.study import make_runs, tell_failures

COMPARISON = "comparison.json"
_COMPARISON = {"corpus": {"name": str}, "reference": str, "contenders": [{"name": str}]}

# From cheap to dear, so that a first table is there soon.
CONTENDERS = (
    *ANCHORS,
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


def compare(
    *,
    models: str = ",".join(CONTENDERS),
    seeds: int | None = None,
    reference: str | None = None,
    settings: str | None = None,
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "auto",
    workers: int = 1,
    study: str = "comparison",
    runs_dir: str = "runs",
    notify=print,
    **options,
):
    """Makes the runs of a comparison, and compares what they predict.

    Args:
        models: Names with commas between them: majority, tfidf_logistic, tfidf_svm; cnn, lstm,
            transformer, bert or gated_transformer, with its encoder as in bert@minilm.
        seeds: How many runs of each model; unless given 5, with folds 1 on each fold.
        reference: The model that all others are compared with; unless given, the one that is best
            on the validation split.
        settings: YAML or JSON file with settings in place of the chosen ones: by model as in
            `models`, or for all `networks`, a value by option of `fit`; or the `best.json` of a
            search.
        precision: What to train in; see `fit`.
        workers: Number of processes that make runs side by side, each with its share of the cores
            or its own GPU.
        study: Name of the set of runs.
        runs_dir: Folder of all runs.
        notify: Called with messages for the user.
        **options: Options of `load_corpus`, `prepare` and `split`; with `folds`, all of them.

    Returns:
        The comparison, a dictionary as it stands in `comparison.json`, or `None` where no run is
        finished; and a list of `Ended`, the runs that failed.

    Raises:
        UserError: If the input or an option is wrong.

    Example:

    >>> compare(data="situations", models="tfidf_svm,cnn", seeds=3)
    """
    record.check_study(study)
    names = full_names(models)
    reference = reference and full_name(reference)
    if reference and reference not in names:
        raise UserError(
            f"The reference is one of the models, {', '.join(names)}. Received: {reference!r}"
        )
    given = read_settings(settings, names) if settings else {}
    cache = {}
    tasks = plan_comparison(
        names,
        seeds=seeds,
        settings=given,
        precision=precision,
        options=options,
        cache=cache,
        notify=notify,
    )
    directory = Path(runs_dir) / study
    made, failed = make_runs(
        tasks,
        directory,
        workers=workers,
        cache=cache,
        notify=notify,
        check=lambda: check_settings(settings, given, names) if settings else None,
    )
    comparison = _compare(directory, list(made.values()), reference) if made else None
    return comparison, failed


def plan_comparison(names, *, seeds, settings, precision, options, cache, notify):
    """The runs of a comparison.

    Args:
        names: Full names of models.
        seeds: See `compare`.
        settings: Dictionary of options by model, and for all `networks`, in place of the chosen.
        precision: See `fit`.
        options: Dictionary of the options of the data.
        cache: Dictionary, filled with what of the runs can be made beforehand, as `fit` takes it.
        notify: Called with messages for the user.

    Returns:
        List of `Task`, one model after the other, so that what a model's runs share is made once.
    """
    data = resolve_data(options)
    folds = data["protocol"]["folds"]
    seeds = (5 if folds is None else 1) if seeds is None else seeds
    tasks = []
    for fold in [None] if folds is None else range(max(folds, 1)):
        data["protocol"]["fold"] = fold
        tasks += make_tasks(
            names,
            data,
            seeds=seeds,
            precision=precision,
            settings=settings,
            cache=cache,
            notify=notify,
        )
    return sorted(tasks, key=lambda task: names.index(task.group))


def _compare(directory, directories, reference):
    """What the runs say; worked out again only where it is about other runs than the last time."""
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


def summarize(comparison):
    """A comparison as tables for the terminal."""
    rows = comparison["contenders"]
    scores = ScoreTable(
        f"Test split of {comparison['corpus']['name']}, in per cent, with 95 % intervals over runs",
        ("model", "runs", "accuracy", "macro F1", "AUC"),
    )
    differences = ScoreTable(
        f"Accuracy in points beyond {comparison['reference']}, with 95 % intervals over texts and "
        "runs",
        ("model", "points", "interval", "p", ""),
    )
    calibration = ScoreTable(
        "Before > after temperature scaling, fitted on the validation split (T: temperature)",
        ("model", "ECE, %", "log loss", "Brier", "T"),
    )
    costs = ScoreTable("Cost", ("model", "size", "s", "texts/s", "ms/1", "ms/256", "GB"))
    for row in rows:
        name = row["name"]
        values = [row.get(score) for score in ("accuracy", "macro_f1", "auc")]
        scores.add_row(name, str(row["num_runs"]), *map(with_interval, values))
        if "difference" in row:
            differences.add_row(name, *_verdict(row["difference"]))
        scaled = row["calibrated"]
        calibration.add_row(
            name,
            f"{100 * row['ece']['mean']:.1f} > {100 * scaled['ece']:.1f}",
            f"{row['log_loss']['mean']:.2f} > {scaled['log_loss']:.2f}",
            f"{row['brier_score']['mean']:.2f} > {scaled['brier_score']:.2f}",
            f"{scaled['temperature']:.2f}",
        )
        cost = row["cost"]
        costs.add_row(
            name,
            _count(row["num_parameters"]),
            f"{cost['seconds']:.0f}",
            f"{cost['examples_per_second']:.0f}",
            f"{cost['milliseconds_for_1_text']:.1f}",
            f"{cost['milliseconds_for_256_texts']:.0f}",
            f"{cost['peak_memory_bytes'] / 1e9:.1f}",
        )
    explained = Text(
        "p: McNemar's exact test on the mean of a model's runs, after Holm's correction. Not "
        "resolved: smaller than these texts and runs can tell from chance; in brackets what they "
        "can.\n"
    )
    about_cost = Text(
        "size: parameters; s: seconds of training; texts/s: in training; ms/1, ms/256: "
        "milliseconds for one text and for 256; GB: peak memory."
    )
    compared = [differences, explained] if len(rows) > 1 else []
    return Group(scores, *compared, calibration, costs, about_cost)


def _count(number):
    """A number in three or four characters, such as 374k."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.{0 if number >= 100 * size else 1}f}{unit}"
    return str(number)


def with_interval(score):
    """A score in per cent for a table, with half of its interval's width where it has one."""
    if score is None:
        return "-"
    mean = f"{100 * score['mean']:.1f}"
    return mean if score["low"] is None else f"{mean} ±{100 * (score['high'] - score['mean']):.1f}"


def _verdict(difference):
    p_value = difference["p_holm"]
    smallest = 100 * difference["smallest"]
    return (
        f"{100 * difference['difference']:+.1f}",
        f"{100 * difference['low']:+.1f} to {100 * difference['high']:+.1f}",
        "< 0.001" if p_value < 0.001 else f"{p_value:.3f}",
        "" if difference["resolved"] else f"not resolved ({smallest:.1f})",
    )


def main(arguments=None):
    """The command `python -m emotion_keras.compare`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    functions = [compare, *DATA_STAGES.values()]
    parser = make_parser("python -m emotion_keras.compare", __doc__, functions, {}, skip={"fold"})

    def run():
        options = vars(parse(parser, arguments))
        options.pop("config")
        comparison, failed = compare(**options)
        if comparison:
            print_tables(summarize(comparison))
        return tell_failures(failed)

    return run_command(run)


if __name__ == "__main__":
    sys.exit(main())
