"""What a model says of texts, token by token, and word by word. NumPy only."""

import collections
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from emotion_keras.targets import Target

# A word that fewer texts hold says more about these texts than about the word.
_LEAST_TEXTS = 5


class Outputs(NamedTuple):
    """What a model says of texts.

    Args:
        probabilities: Float array `(num_texts, num_classes)`.
        gate: List, by text, of float arrays `(length,)`, between 0 and 1: the mean over features of
            each token's gate. `None` unless asked for.
        contributions: List, by text, of float arrays `(length, num_classes)`: what each token adds
            to the scores of the labels. `None` unless asked for.
    """

    probabilities: np.ndarray
    gate: list | None = None
    contributions: list | None = None


def explain_units(
    units: Sequence[Sequence[tuple[str, int]]], outputs: Outputs, target: Target
) -> list[list[dict[str, Any]]]:
    """What the gate makes of each unit of a cell, and what the unit adds to the prediction.

    Args:
        units: List, by example, of lists of pairs of a unit, such as a word, and the number of its
            tokens.
        outputs: `Outputs` with gates and contributions.
        target: `Target` of the model.

    Returns:
        List, by example, of lists of dictionaries of `word`, the unit; `gate` (the mean of its
        tokens) and `contribution` (the sum of its tokens, to the score of the label that is
        predicted). Special tokens, such as those of a text's start and end, are among the units.
    """
    predicted = target.class_ids(target.decide(outputs.probabilities))
    return [
        _merge(of_example, gate, contributions[:, label])
        for of_example, gate, contributions, label in zip(
            units, outputs.gate, outputs.contributions, predicted, strict=True
        )
    ]


def _merge(units, gate, contributions):
    ends = np.cumsum([num_tokens for _, num_tokens in units])
    starts = ends - [num_tokens for _, num_tokens in units]
    return [
        {
            "word": unit,
            "gate": float(gate[start:end].mean()),
            "contribution": float(contributions[start:end].sum()),
        }
        for (unit, _), start, end in zip(units, starts, ends, strict=True)
    ]


def summarize_words(explained: Iterable[Iterable[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The mean gate of each word, whatever its case, of those that enough texts hold.

    Args:
        explained: What `explain_units` returned.

    Returns:
        List of dictionaries of `word`, `count` (texts with it) and `gate`, the most open first.
    """
    gates = collections.defaultdict(list)
    for text in explained:
        of_text = collections.defaultdict(list)
        for row in text:
            of_text[row["word"].lower()].append(row["gate"])
        for word, values in of_text.items():
            gates[word].append(np.mean(values))
    rows = [
        {"word": word, "count": len(values), "gate": float(np.mean(values))}
        for word, values in gates.items()
        if len(values) >= _LEAST_TEXTS
    ]
    return sorted(rows, key=lambda row: -row["gate"])
