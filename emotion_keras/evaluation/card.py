"""The model card of a run: what the model is for, how good it is, and what it is not for."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from emotion_keras.data.flaws import flaws_of
from emotion_keras.data.flaws import in_words as flaws_in_words
from emotion_keras.evaluation import card_words
from emotion_keras.evaluation.attributes import (
    FEWEST_EXAMPLES,
    FEWEST_SUBJECTS,
    Group,
    in_words,
)
from emotion_keras.evaluation.comparison import contender
from emotion_keras.evaluation.coverage import TARGET_ACCURACY, Sure
from emotion_keras.evaluation.scores import Score
from emotion_keras.inputs import modality_of
from emotion_keras.targets import target_of

_LICENCES = {
    "CC BY-NC-SA 3.0": "cc-by-nc-sa-3.0",
    "CC BY-NC-SA 4.0": "cc-by-nc-sa-4.0",
    "CC0": "cc0-1.0",
}
# By backend, as Hugging Face names them; of the others it is Keras.
_NAMES = {"test": "test", "val": "validation"}
_LIBRARIES = {"scikit-learn": "sklearn"}


def model_card(
    run: dict[str, Any],
    scores: Mapping[str, Score],
    num_runs: int,
    command: str,
    sure: Sure | None = None,
    groups: Sequence[Group] = (),
) -> str:
    """A model card in Markdown, with the metadata that Hugging Face reads.

    Args:
        run: Record of the run that the card is about, a dictionary.
        scores: Dictionary of `Score` by score, those of all runs of its setting together.
        num_runs: How many these are, itself among them.
        command: The command that trains it again.
        sure: `Sure`, when it can be relied on; `None` where its predictions are missing.
        groups: What `score_groups` gives of all these runs; empty where no attribute is known.

    Returns:
        String.
    """
    corpus = run["corpus"]
    lines = ["---"]
    if language := card_words.language_of(run):
        lines.append(f"language: {language}")
    licence = corpus.get("licence") or ""
    known = next((name for start, name in _LICENCES.items() if licence.startswith(start)), None)
    lines.append(f"license: {known or 'other'}")
    if not known:
        lines.append(f"license_name: {_yaml(licence or 'not recorded')}")
    lines += [
        f"library_name: {_LIBRARIES.get(run['environment']['backend'], 'keras')}",
        f"pipeline_tag: {card_words.task(run)}",
        "tags:",
        "- emotion-recognition",
        f"- {_yaml(run['model'])}",
        "datasets:",
        f"- {_yaml(corpus['name'])}",
        "metrics:",
        "- accuracy",
        "- f1",
        "- roc_auc",
        # Nobody is to read a number off it that is no honest one.
        *([] if flaws_of(run) else _results(run)),
        "---",
        "",
        f"# {_markdown(run['run_id'])}",
        "",
        *_body(run, scores, num_runs, command, sure, groups),
    ]
    return "\n".join(lines) + "\n"


def _results(run):
    """The metrics of a run in the form that leaderboards read."""
    corpus, split = run["corpus"], measured_split(run)
    lines = [
        "model-index:",
        f"- name: {_yaml(run['run_id'])}",
        "  results:",
        "  - task:",
        f"      type: {card_words.task(run)}",
        "    dataset:",
        f"      name: {_yaml(corpus['name'])}",
        f"      type: {_yaml(corpus['name'])}",
        f"      split: {split}",
        "    metrics:",
    ]
    for kind, name, key in _RESULTS[target_of(run).several]:
        value = run["metrics"][split][key]
        if value is not None:
            lines += [f"    - type: {kind}", f"      name: {name}", f"      value: {value!r}"]
    return lines


# Where one label holds and where several may: the kind at Hugging Face, the name and the metric.
_RESULTS = {
    False: (
        ("accuracy", "Accuracy", "accuracy"),
        ("f1", "Macro F1", "macro_f1"),
        ("roc_auc", "AUC, one label against the rest", "auc"),
    ),
    True: (
        ("f1", "Macro F1", "macro_f1"),
        ("f1", "Micro F1", "micro_f1"),
        ("accuracy", "All labels right", "accuracy"),
        ("roc_auc", "AUC, mean over labels", "auc"),
    ),
}
_SHOWN = {
    False: {
        "accuracy": "Accuracy",
        "macro_f1": "Macro F1",
        "auc": "AUC",
        "ece": "Expected calibration error",
    },
    True: {
        "macro_f1": "Macro F1",
        "micro_f1": "Micro F1",
        "accuracy": "All labels right",
        "jaccard": "Jaccard",
        "lrap": "Label ranking average precision",
        "auc": "AUC, mean over labels",
        "ece": "Expected calibration error, mean over labels",
    },
}


def measured_split(run: dict[str, Any]) -> str:
    """The split that a run, given by its record, was measured on; a trial never reads the test."""
    return "test" if "test" in run["metrics"] else "val"


def _body(run, scores, num_runs, command, sure, groups):
    corpus, split = run["corpus"], measured_split(run)
    test = run["metrics"][split]
    rows = []
    target = target_of(run)
    for key, name in _SHOWN[target.several].items():
        if key not in scores:
            continue
        mean, low, high, _ = scores[key]
        ends = "" if low is None else f" ({100 * low:.1f} to {100 * high:.1f})"
        # A single run has the interval of its own texts.
        shown = f"{100 * test[key]:.1f}{ends if num_runs == 1 else ''}"
        of_all = f" {100 * mean:.1f}{ends} |" if num_runs > 1 else ""
        rows.append(f"| {name} | {shown} |{of_all}")
    labels = ", ".join(map(_markdown, corpus["labels"]))
    plural = modality_of(run).plural
    which = (
        f"of this run alone, with 95 % intervals over {plural}: how much another seed would change "
        "is not known."
    )
    if num_runs > 1:
        which = (
            "of this run, which is the best on the validation split, and the mean of "
            f"{num_runs} runs of the same setting with 95 % intervals over {plural} and seeds."
        )
    num_train = corpus["protocol"].get("num_train")
    examples = f"{num_train:,} {plural}" if num_train else plural
    warning = flaws_in_words(flaws_of(run))
    return [
        *([f"**{warning}**", ""] if warning else []),
        f"{_code(contender(run))}, {run['num_parameters']:,} parameters, trained with "
        f"{run['environment']['backend']} on {examples} of {_markdown(corpus['name'])}. It gives "
        f"each of these labels a probability: {labels}."
        + (f" {card_words.several(run)}" if target.several else ""),
        "",
        "## Purpose",
        "",
        card_words.purpose(run),
        "",
        "## Metrics",
        "",
        f"Of {test.get('num_examples', 'all')} {plural} of the {_NAMES[split]} split, per cent; "
        f"{which}",
        "",
        "| Metric | This run |" + (" All runs |" if num_runs > 1 else ""),
        "| --- | ---: |" + (" ---: |" if num_runs > 1 else ""),
        *rows,
        "",
        *(_by_label(run, target, split) if target.several else []),
        *_when_to_answer(sure, split, num_runs, plural, _RIGHT[target.several]),
        *_by_group(groups, num_runs, plural, _RIGHT[target.several]),
        "## Limits",
        "",
        *(f"- {limit}" for limit in card_words.limits(run)),
        "",
        "## Ethics",
        "",
        *(f"- {point}" for point in card_words.ethics(run, [group.attribute for group in groups])),
        "",
        "## Data and licence",
        "",
        f"{_markdown(corpus['name'])}: {_markdown(corpus.get('licence') or 'licence not recorded')}"
        ". Weights that were learned from it are passed on under the same terms.",
        "",
        "## Made with",
        "",
        "```sh",
        command,
        "```",
        "",
    ]


# What the share of examples that are answered rightly is called.
_RIGHT = {False: "Accuracy", True: "All labels right"}


def _by_label(run, target, split):
    """How well each of several labels is recognised, and from which probability on it is given."""
    plural = modality_of(run).plural
    lines = [
        f"All labels right: the share of {plural} of which every label that holds is given, and no "
        "other. The thresholds below were fitted to the F1 of the validation split, so that scores "
        + (
            "of that split, as here, are slightly too good."
            if split == "val"
            else "of that split would be slightly too good; those of the test split are not."
        ),
        "",
        "## Labels",
        "",
        f"Of this run and the {_NAMES[split]} split, per cent. A label is given from its threshold "
        "on, before temperature scaling.",
        "",
        f"| Label | {plural.capitalize()} | Threshold | Precision | Recall | F1 | AUC "
        "| Average precision | Calibration error |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for label, threshold in zip(target.labels, target.thresholds, strict=True):
        found = run["metrics"][split]["per_label"][label]
        shares = [threshold]
        shares += [found[name] for name in ("precision", "recall", "f1", "auc")]
        shares += [found[name] for name in ("average_precision", "ece")]
        cells = ["–" if share is None else f"{100 * share:.1f}" for share in shares]
        lines.append(f"| {_markdown(label)} | {found['support']:,} | {' | '.join(cells)} |")
    return [*lines, ""]


def _when_to_answer(sure, split, num_runs, plural, right):
    if sure is None:
        return []
    among = "about" if right == "Accuracy" else "among"
    whose = "this run" if num_runs == 1 else f"{num_runs} runs"
    asked = f"{100 * TARGET_ACCURACY:.0f} %"
    sentence = f"At no confidence are surely {asked} of the answers of this run right."
    if sure.threshold is not None:
        sentence = (
            f"With `--target-accuracy {TARGET_ACCURACY}`, by a threshold that the validation split "
            f"chooses, this run answers {100 * sure.threshold.answered:.1f} % of the {plural}, and "
            f"{100 * sure.threshold.accuracy:.1f} % of these answers are right; of the others it "
            "says that it is unsure."
        )
    rows = [
        # No share is above 1, though the end of an interval may be.
        (share, mean, low, min(high, 1.0))
        for share, (mean, low, high, _) in sure.by_coverage.items()
    ]
    return [
        "## When to answer",
        "",
        f"{right} {among} the {plural} of the {_NAMES[split]} split that it is surest of, per "
        f"cent, of {whose}:",
        "",
        f"| Surest | {right} |",
        "| ---: | ---: |",
        *(
            f"| {100 * share:.0f} | {100 * mean:.1f} ({100 * low:.1f} to {100 * high:.1f}) |"
            for share, mean, low, high in rows
        ),
        "",
        sentence,
        "",
    ]


def _by_group(groups, num_runs, plural, right):
    if not groups:
        return []
    less = "the accuracy" if right == "Accuracy" else f"the share with {right.lower()}"
    over = plural if num_runs == 1 else f"{plural} and seeds of {num_runs} runs"
    lines = [
        "## Groups",
        "",
        f"By what is known of the {plural}, per cent, with 95 % intervals over {over}. "
        f"Overconfidence is the mean confidence less {less}; of a small group the expected "
        "calibration error is large by chance alone. In bold what differs from the rest, the other "
        f"{plural} of which the attribute is known, after Holm's correction for all comparisons. "
        f"Groups of fewer than {FEWEST_EXAMPLES} {plural} or {FEWEST_SUBJECTS} people are shown "
        "and not compared.",
        "",
        f"| Attribute | Group | {plural.capitalize()} | {right} | Calibration error "
        "| Overconfidence |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for group in groups:
        cells = [_markdown(group.attribute), _markdown(group.value), f"{group.num_examples:,}"]
        for score, beyond, least in (
            (group.accuracy, group.accuracy_beyond, 0.0),
            (group.ece, None, 0.0),
            (group.overconfidence, group.overconfidence_beyond, -1.0),
        ):
            text = f"{100 * score.mean:.1f}".replace("-", "−")
            bold = "**" if beyond is not None and beyond.is_resolved else ""
            cells.append(f"{bold}{text}{_ends(score, least)}{bold}")
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", *(f"- {sentence}" for sentence in in_words(groups, plural, right)), ""]


def _ends(score, least):
    if score.low is None:
        return ""
    # The end of an interval may be beyond what a share or a difference can be.
    low, high = (100 * min(max(end, least), 1.0) for end in (score.low, score.high))
    return f" ({low:.1f} to {high:.1f})".replace("-", "−")


def _yaml(text):
    # In quotes, so that a name such as «no» or «1» stays a name; in one line.
    return yaml.safe_dump(text, allow_unicode=True, default_style='"', width=float("inf")).strip()


def _code(text):
    """A name as code, which is between more backticks than it holds in a row."""
    fence = "`"
    while fence in text:
        fence += "`"
    blank = " " if "`" in text else ""
    return f"{fence}{blank}{' '.join(text.split())}{blank}{fence}"


def _markdown(text):
    for mark in "\\`*_[]<>|#~$&":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
