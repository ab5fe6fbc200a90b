# PYTHON_ARGCOMPLETE_OK
"""Evaluate a model on another corpus: `python -m emotion_keras.evaluate RUN --data FILE`.

RUN is a run's folder, a combination's, an export's, or `best`. Labels of equal names go together,
and others by `--map`. Examples whose label the model lacks are counted and left out. With several
labels an example, say it with `--label-columns`, `--label-separator` or `--target multi`: all
examples are kept then, and measured by the labels that both know. The result is kept in
`evaluations` in the folder of the model; it is no part of the run's own test.
"""

import shlex
import sys
from typing import Any

from rich.console import Group
from rich.text import Text

from emotion_keras import record
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.command.score_table import ScoreTable, print_tables, with_interval
from emotion_keras.data.options import Reading
from emotion_keras.inputs import modality_of
from emotion_keras.studies.options import EvaluateOptions
from emotion_keras.targets import find_target

# Whose temperature it is.
_TEMPERATURES = {
    "none": "as the model gives them",
    "own": "its own temperature",
    "fitted": "fitted on these examples",
}
_SHOWN = {"accuracy": "accuracy", "macro_f1": "macro F1", "auc": "AUC"}
_SHOWN_OF_SEVERAL = {
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "auc": "AUC",
    "accuracy": "all labels right",
}


def summarize(evaluation: dict[str, Any]) -> Group:
    """The record of an evaluation as tables for the terminal."""
    plural = modality_of(evaluation["corpus"]).plural
    return Group(
        _scores(evaluation, plural),
        _by_label(evaluation, plural),
        _confusion(evaluation),
        _calibration(evaluation),
        _by_coverage(evaluation),
        *_by_attribute(evaluation, plural),
        *map(Text, in_words(evaluation)),
    )


def _is_of_several(evaluation):
    return find_target(evaluation["model"].get("target", "single")).several


def _accuracy(evaluation):
    """What accuracy is called."""
    return "all labels right" if _is_of_several(evaluation) else "accuracy"


def _scores(evaluation, plural):
    model, corpus = evaluation["model"], evaluation["corpus"]
    trained = f", trained on {model['corpus']}," if model["corpus"] else ""
    several = _is_of_several(evaluation)
    names = _SHOWN_OF_SEVERAL if several else _SHOWN
    table = ScoreTable(
        f"{model['name']}{trained} on {corpus['name']}, in per cent, with 95 % intervals",
        ("answers", plural, *names.values()),
    )
    number = str(evaluation["metrics"]["num_examples"])
    for which, title in (("open", "all labels"), ("shared", "shared labels")):
        # Where the model has no others, or they are left out, both are the same.
        if which == "shared" or (evaluation["said"] and not several):
            scores = evaluation["scores"][which]
            table.add_row(title, number, *(with_interval(scores.get(name)) for name in names))
    if home := evaluation["at_home"]:
        cells = (with_interval(home.get(name)) for name in names)
        table.add_row("shared labels, own test", str(home["num_examples"]), *cells)
    return table


def _by_label(evaluation, plural):
    table = ScoreTable(
        "Answers among the shared labels, by label, in per cent",
        ("label", "in the corpus", "precision", "recall", "F1", plural),
    )
    of_data = evaluation["map"]["data"]
    for label, metrics in evaluation["metrics"]["per_label"].items():
        sources = ", ".join(name for name, found in of_data.items() if found == label)
        values = [f"{100 * metrics[name]:.1f}" for name in ("precision", "recall", "f1")]
        table.add_row(label, sources, *values, str(metrics["support"]))
    return table


def _confusion(evaluation):
    confusion = evaluation["confusion"]
    title = "Answers among all labels of the model: a row a label of the corpus"
    if _is_of_several(evaluation):
        title = (
            "Answers where a label of the corpus holds, a row each: the same label rightly, others "
            "wrongly"
        )
    table = ScoreTable(title, ("label", *confusion["columns"]))
    for label, counts in zip(confusion["rows"], confusion["counts"], strict=True):
        table.add_row(label, *map(str, counts))
    return table


def _calibration(evaluation):
    table = ScoreTable(
        "Calibration of answers among the shared labels",
        ("probabilities", "T", "ECE, %", "log loss", "Brier"),
    )
    for whose, found in evaluation["calibration"].items():
        values = [f"{found[name]:.2f}" for name in ("log_loss", "brier_score")]
        ece = f"{100 * found['ece']:.1f}"
        table.add_row(_TEMPERATURES[whose], f"{found['temperature']:.2f}", ece, *values)
    return table


def _by_coverage(evaluation):
    rows, accuracy = evaluation["by_coverage"], _accuracy(evaluation)
    table = ScoreTable(
        f"{accuracy.capitalize()} of the surest answers among the shared labels, in per cent",
        ("answered", *(f"{100 * row['coverage']:.0f}" for row in rows)),
    )
    table.add_row(accuracy, *map(with_interval, rows))
    return table


def _by_attribute(evaluation, plural):
    """A table for each attribute that was asked for."""
    if evaluation["corpus"]["reading"].get("attributes") is None:
        return []
    tables, accuracy = {}, _accuracy(evaluation)
    for group in evaluation["by_attribute"]:
        name = group["attribute"]
        title = f"{accuracy.capitalize()} among the shared labels by {name}, in per cent"
        table = tables.setdefault(name, ScoreTable(title, (name, plural, accuracy)))
        cells = (str(group["num_examples"]), with_interval(group["accuracy"]))
        table.add_row(group["value"], *cells)
    return list(tables.values())


def in_words(evaluation: dict[str, Any]) -> list[str]:
    """What was counted beside the scores, sentences."""
    plural = modality_of(evaluation["corpus"]).plural
    number = evaluation["metrics"]["num_examples"]
    about_labels = _about_several if _is_of_several(evaluation) else _about_labels
    sentences = about_labels(evaluation, plural)
    if evaluation["adaptation"]:
        sentences.append(_adapted(evaluation["adaptation"]))
    if evaluation["unfamiliar"] is not None:
        sentences.append(
            f"Unfamiliar, by the rarity of their words in training: {evaluation['unfamiliar']:,} "
            f"of {number:,} {plural}."
        )
    if evaluation["near_repeats"]:
        repeats = evaluation["near_repeats"]
        sentences.append(
            f"Nearly the same as {plural} that the model was trained on: {repeats['texts']:,} of "
            f"{repeats['checked']:,}."
        )
    if evaluation["from_threshold"]:
        found = evaluation["from_threshold"]
        # Confidence is of all that the model answers, shared or not.
        sentences.append(
            f"Among all labels, from the confidence of {100 * found['min_confidence']:.1f} % on at "
            f"which it surely reaches {100 * found['target_accuracy']:.0f} % on its own corpus, it "
            f"answers {100 * found['answered']:.1f} % of these {plural}, "
            f"{with_interval(found['accuracy'])} % of them rightly."
        )
    return sentences


def _about_labels(evaluation, plural):
    """What is to know of the labels, where an example has one."""
    number, said = evaluation["metrics"]["num_examples"], evaluation["said"]
    left_out, sentences = evaluation["left_out"], []
    support = {name: found["support"] for name, found in evaluation["metrics"]["per_label"].items()}
    frequent = max(support, key=lambda name: support[name])
    sentences.append(
        f"Always the most frequent label, {frequent}, would be right about "
        f"{100 * support[frequent] / number:.1f} % of the {plural}."
    )
    if left_out:
        total = sum(left_out.values())
        sentences.append(
            f"{plural.capitalize()} left out, as the model lacks their label: {total:,} "
            f"({_listed(left_out)})."
        )
    if said:
        sentences.append(
            f"Answers with labels that the model alone has, all wrong: {sum(said.values()):,} "
            f"({_listed(said)}). Among the shared labels, probabilities are renormalised."
        )
    return sentences


def _about_several(evaluation, plural):
    """What is to know of the labels, where an example has several or none."""
    metrics, unknown = evaluation["metrics"], evaluation["unknown"]
    number, said = metrics["num_examples"], evaluation["said"]
    # F1 of a label that is answered each time, by how often it holds.
    held = [label["support"] / number for label in metrics["per_label"].values()]
    always = sum(2 * share / (1 + share) for share in held) / len(held)
    best = evaluation["at_best_thresholds"]["macro_f1"]
    sentences = [
        f"All shared labels each time would have a macro F1 of {100 * always:.1f} %.",
        "The thresholds are the model's own. Those that are best on these very "
        f"{plural} would have a macro F1 of {100 * best:.1f} %: an upper bound, no result.",
    ]
    if unknown["labels"]:
        sentences.append(
            f"The model lacks labels of the corpus ({_listed(unknown['labels'])}). The {plural} "
            "are kept, as ones of which no shared label holds if they have no other: "
            f"{unknown['examples_without_shared']:,}."
        )
    if said:
        sentences.append(
            "Labels that the model alone has are left out of the scores. It answers them this "
            f"often: {_listed(said)}."
        )
    return sentences


def _listed(counts):
    return ", ".join(f"{label} {count:,}" for label, count in counts.items())


def _adapted(adaptation):
    if adaptation["method"] == "center":
        return "Adapted without labels: scores have the means of the validation split."
    before, now = adaptation["priors_before"], adaptation["priors"]
    listed = ", ".join(f"{k} {100 * before[k]:.0f} > {100 * now[k]:.0f}" for k in now)
    return f"Adapted without labels, to how frequent labels seem to be, in per cent: {listed}."


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m emotion_keras.evaluate`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    program = "python -m emotion_keras.evaluate"
    # The corpus is named, and the model says what an example is.
    classes = [EvaluateOptions, Reading]
    parser = make_parser(program, __doc__, classes, {"data": None}, skip={"modality"})
    parser.add_argument("run", help="Folder of a run or of an exported model, or `best`.")

    def run():
        options = vars(parser.parse_args(arguments))
        # Imported here because pandas takes a moment.
        from emotion_keras.studies.evaluation import evaluate

        folder = evaluate(options.pop("run"), **options)
        print_tables(summarize(record.read_evaluation(folder)))
        print(f"Kept: {folder}")
        if folder.parent.name == record.EVALUATIONS and record.is_finished(folder.parents[1]):
            print(f"Next: python -m reports.render {shlex.quote(str(folder.parents[2]))}")
        return 0

    return run_command(run, continues=False)


if __name__ == "__main__":
    sys.exit(main())
