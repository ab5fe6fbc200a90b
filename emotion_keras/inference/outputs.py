"""What a model says of texts, token by token, and word by word. NumPy only."""

import collections
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from emotion_keras.inputs import Input
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


class Explanation(NamedTuple):
    """What each word of a text adds to the score of a label; the parts add up to the score.

    Args:
        words: List of dictionaries of `word`, or what else the units of the text are; `gate`, the
            mean of its tokens; and `contribution`, the sum of its tokens, `None` of a punctuation
            mark. Special tokens, such as those of a text's start and end, are left out.
        rest: What special tokens, punctuation marks and the label's own constant add together.
        score: The label's score: the sum of all contributions and the rest.
    """

    words: list[dict[str, Any]]
    rest: float
    score: float


def explain_units(
    reader: Input,
    cells: Sequence[Any],
    outputs: Outputs,
    target: Target,
    class_ids: np.ndarray | None = None,
) -> list[Explanation]:
    """What the gate makes of each unit of a cell, and what the unit adds to a label's score.

    Args:
        reader: `Input` that has encoded the cells.
        cells: Prepared cells.
        outputs: `Outputs` with gates and contributions, with probabilities as the model gives them.
        target: `Target` of the model.
        class_ids: Integer array `(num_texts,)` of the labels to explain; those of
            `Target.explained` unless given.

    Returns:
        List of `Explanation`, by cell.
    """
    if class_ids is None:
        class_ids = target.explained(outputs.probabilities)
    of_labels = [own[:, label] for own, label in zip(outputs.contributions, class_ids, strict=True)]
    scores = target.scores(outputs.probabilities)[np.arange(len(cells)), class_ids]
    units, special = reader.units(cells), reader.special_units
    found = zip(
        unit_names(units, special),
        merge_tokens(units, special, outputs.gate, np.mean),
        merge_tokens(units, special, of_labels, np.sum),
        scores.tolist(),
        strict=True,
    )
    return [_explain(reader, *of_cell) for of_cell in found]


def _explain(reader, names, gates, contributions, score):
    is_mark = [reader.is_mark(name) for name in names]
    words = [
        {"word": name, "gate": gate, "contribution": None if mark else contribution}
        for name, gate, contribution, mark in zip(
            names, gates.tolist(), contributions.tolist(), is_mark, strict=True
        )
    ]
    return Explanation(words, score - sum(contributions[~np.array(is_mark, bool)].tolist()), score)


def unit_names(units: Sequence[Sequence[tuple[str, int]]], special: set[str]) -> list[list[str]]:
    """The units of cells without special ones.

    Args:
        units: What `Input.units` returned.
        special: `Input.special_units`.
    """
    return [[unit for unit, _ in of_cell if unit not in special] for of_cell in units]


def merge_tokens(
    units: Sequence[Sequence[tuple[str, int]]],
    special: set[str],
    values: Sequence[np.ndarray],
    merge: Callable[[np.ndarray], Any],
) -> list[np.ndarray]:
    """Makes one number a unit of those of its tokens.

    Args:
        units: What `Input.units` returned.
        special: `Input.special_units`, which are left out.
        values: List, by cell, of float arrays `(length,)`.
        merge: Function of the numbers of a unit's tokens.

    Returns:
        List, by cell, of float arrays `(num_units,)`.
    """
    merged = []
    for of_cell, of_tokens in zip(units, values, strict=True):
        ends = np.cumsum([num_tokens for _, num_tokens in of_cell])
        parts = [
            merge(of_tokens[end - num_tokens : end])
            for (unit, num_tokens), end in zip(of_cell, ends, strict=True)
            if unit not in special
        ]
        merged.append(np.array(parts, np.float64))
    return merged


def summarize_words(explained: Iterable[Explanation]) -> list[dict[str, Any]]:
    """The mean gate of each word, whatever its case, of those that enough texts hold.

    Args:
        explained: What `explain_units` returned.

    Returns:
        List of dictionaries of `word`, `count` (texts with it) and `gate`, the most open first.
    """
    gates = collections.defaultdict(list)
    for text in explained:
        of_text = collections.defaultdict(list)
        for row in text.words:
            of_text[row["word"].lower()].append(row["gate"])
        for word, values in of_text.items():
            gates[word].append(np.mean(values))
    rows = [
        {"word": word, "count": len(values), "gate": float(np.mean(values))}
        for word, values in gates.items()
        if len(values) >= _LEAST_TEXTS
    ]
    return sorted(rows, key=lambda row: -row["gate"])
