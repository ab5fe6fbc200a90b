"""Answers that say where a model is unsure. Standard library only: exported models need no more."""

from collections.abc import Mapping, Sequence
from typing import Any

# The label of an answer whose confidence is below what is asked for.
UNSURE = "unsure"


def mark_unsure(answers: Sequence[Mapping[str, Any]], min_confidence: float) -> list[dict]:
    """Answers that say where the model is unsure.

    Args:
        answers: Dictionaries of `label`, `confidence` and more.
        min_confidence: The confidence from which on an answer keeps its label.

    Returns:
        List of dictionaries: the label is `UNSURE` where the confidence is below; `guess` is the
        label that it was. All else stays.
    """
    return [
        {
            **answer,
            "label": UNSURE if _is_below(answer, min_confidence) else answer["label"],
            "guess": answer["label"],
        }
        for answer in answers
    ]


def _is_below(answer, min_confidence):
    return answer["confidence"] is not None and answer["confidence"] < min_confidence
