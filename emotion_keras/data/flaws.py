"""What protocols found in papers do wrong, so that an analysis can show what each is worth.

No command has these as options. The analysis `protocol` of `tuning.sensitivity` alone asks for
them, for runs that say so in their record, keep no model and are compared with no other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotion_keras.data.corpus import Corpus
    from emotion_keras.data.splits import Split

REPEATS_APART = "repeats_apart"
RANDOM_SPLIT = "random_split"
OVERSAMPLED = "oversampled"
DOUBLED = "doubled"
EPOCH_ON_TEST = "epoch_on_test"
LABELS_ON_TEST = "labels_on_test"
SEED_ON_TEST = "seed_on_test"

FLAWS = {
    REPEATS_APART: "an example that is repeated may be in training and in test",
    RANDOM_SPLIT: "examples of one subject are in training and in test",
    OVERSAMPLED: "examples were repeated to even out the labels before the split",
    DOUBLED: "each example was doubled before the split",
    EPOCH_ON_TEST: "the best epoch was chosen on the test split",
    LABELS_ON_TEST: "the labels were chosen on the test split, as the easiest",
    SEED_ON_TEST: "the best of several seeds was chosen on the test split",
}

# The column of a corpus with repeated examples that numbers the copies of each; 0 is the original.
COPY = "copy"


def flaws_of(run: Mapping[str, Any]) -> list[str]:
    """The flaws of the protocol of a run, given by its record: names of `FLAWS`, mostly none."""
    return run["corpus"]["protocol"].get("flaws") or []


def in_words(flaws: Iterable[str]) -> str:
    """What readers of a number are to know first: a sentence, empty where there are no flaws.

    Example:

    >>> in_words([EPOCH_ON_TEST])
    'No honest number: the best epoch was chosen on the test split.'
    """
    said = "; ".join(FLAWS[name] for name in flaws)
    return f"No honest number: {said}." if said else ""


def repeat_examples(corpus: Corpus, flaws: Collection[str], seed: int) -> Corpus:
    """Repeats examples of a corpus before it is split, where that is one of the flaws.

    Args:
        corpus: A prepared `Corpus`.
        flaws: Names of `FLAWS`.
        seed: Which examples are repeated.

    Returns:
        A `Corpus` whose copies have ids of their own and are counted in the column `COPY`.
    """
    if not {OVERSAMPLED, DOUBLED} & set(flaws):
        return corpus
    # Imported here because pandas takes a moment.
    import numpy as np

    from emotion_keras.data.preparation import balance

    method = "oversample" if OVERSAMPLED in flaws else "none"
    positions, _ = balance(corpus.label_ids, method, seed)
    positions = np.repeat(positions, 2 if DOUBLED in flaws else 1)
    examples = corpus.examples.iloc[positions]
    number = examples.groupby(level=0).cumcount().to_numpy()
    ids = [f"{i} (copy {n})" if n else i for i, n in zip(examples["id"], number, strict=True)]
    examples = examples.assign(id=ids, **{COPY: number}).reset_index(drop=True)
    return replace(corpus, examples=examples)


def bonds(corpus: Corpus, flaws: Collection[str]) -> tuple[list[str], list[str]]:
    """What keeps examples together in a split: two that share one of these are in one part.

    Args:
        corpus: A `Corpus`.
        flaws: Names of `FLAWS`, which undo some of the bonds; a copy is bound to nothing.

    Returns:
        By example its subject, and its cell as it is compared.
    """
    examples, modality = corpus.examples, corpus.modality
    is_copy = examples[COPY] > 0 if COPY in examples else [False] * len(examples)
    subjects, cells = [], []
    columns = (examples["id"], examples["subject"], corpus.cells, is_copy)
    for name, subject, cell, copy in zip(*columns, strict=True):
        folded = modality.fold(cell)
        subjects.append(f"example {name}" if copy or RANDOM_SPLIT in flaws else subject)
        cells.append(f"{folded}\n{name}" if copy or REPEATS_APART in flaws else folded)
    return subjects, cells


def describe_flaws(corpus: Corpus, split: Split) -> dict[str, int]:
    """How much of a test split a model has seen in training, for the record.

    Args:
        corpus: The `Corpus` that was split, with its copies.
        split: The `Split`.

    Returns:
        Dictionary of `num_copies`, examples that are copies of another; and of
        `num_test_cells_in_train` and `num_test_subjects_in_train`, examples of the test split whose
        cell, and whose subject, is in the training split, too.
    """
    found = {"num_copies": int((corpus.examples[COPY] > 0).sum()) if COPY in corpus.examples else 0}
    columns = {
        "cells": [corpus.modality.fold(cell) for cell in corpus.cells],
        "subjects": corpus.examples["subject"].tolist(),
    }
    for name, values in columns.items():
        trained = {values[row] for row in split.train}
        found[f"num_test_{name}_in_train"] = sum(values[row] in trained for row in split.test)
    return found
