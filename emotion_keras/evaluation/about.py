"""What a model is, in a few sentences for the people who use it."""

from pathlib import Path
from typing import Any, NamedTuple

from emotion_keras.evaluation import card_words
from emotion_keras.evaluation.card import measured_split
from emotion_keras.evaluation.predictions import read_groups
from emotion_keras.evaluation.scores import Score, read_scores
from emotion_keras.inputs import modality_of
from emotion_keras.targets import target_of


class About(NamedTuple):
    """What a model is.

    Args:
        summary: Sentences: what it was trained on, how often it is right, what it knows.
        limits: Sentences: what is not known of it, and what it is not for.
        language: Code of the language of the corpus, such as `en`; `None` where it is not known,
            or there is none.
    """

    summary: list[str]
    limits: list[str]
    language: str | None


def about_run(run: dict[str, Any], directory: str | Path) -> About:
    """What the model of a finished run is.

    Args:
        run: Its record, a dictionary.
        directory: Its folder.

    Returns:
        `About`.
    """
    split = measured_split(run)
    accuracy = read_scores([(run, directory)], split, read_groups(directory))["accuracy"]
    return about(run, accuracy)


def about(run: dict[str, Any], accuracy: Score) -> About:
    """What the model of a run is, given how often it is right.

    Args:
        run: Record of the run, a dictionary.
        accuracy: Its `Score` on the split that it was measured on.

    Returns:
        `About`.
    """
    return About(
        summary=[_trained_on(run), _right(run, accuracy), _knows(run)],
        limits=[card_words.about_corpus(run), *card_words.ethics(run)],
        language=card_words.language_of(run),
    )


def _trained_on(run):
    corpus, plural = run["corpus"], modality_of(run).plural
    number = corpus["protocol"].get("num_train")
    examples = "invented " * card_words.is_invented(run) + plural
    said = f"Trained on {f'{number:,} ' if number else ''}{examples} of {corpus['name']}"
    if not card_words.has_language(run):
        return f"{said}."
    language = card_words.language_name(run)
    return f"{said}, in {language}." if language else f"{said}; their language was not recorded."


def _right(run, accuracy):
    split = measured_split(run)
    number, plural = run["metrics"][split]["num_examples"], modality_of(run).plural
    ends = ""
    if accuracy.low is not None:
        low, high = max(accuracy.low, 0.0), min(accuracy.high, 1.0)
        ends = f" (95 % interval {100 * low:.1f} to {100 * high:.1f})"
    which = "that it had not seen" if split == "test" else "by which it was chosen"
    right = f"{100 * accuracy.mean:.1f} % of {number:,} {plural} {which}{ends}"
    if not target_of(run).several:
        return f"Right on {right}."
    macro_f1 = 100 * run["metrics"][split]["macro_f1"]
    return f"All labels are right of {right}. The macro F1 is {macro_f1:.1f} %."


def _knows(run):
    labels = run["corpus"]["labels"]
    said = f"It knows {len(labels)} labels and no others: {', '.join(labels)}."
    return f"{said} {card_words.several(run)}" if target_of(run).several else said
