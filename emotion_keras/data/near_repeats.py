"""Cells of the test split that are almost cells of the training split."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from emotion_keras.inputs import Input, TextInput

# How many test cells are compared with how many training cells at most: time and memory grow
# with their product.
_MOST_TEST, _MOST_TRAIN = 2_000, 50_000
_AT_ONCE = 256


def count_near_repeats(
    train_cells: Sequence[Any],
    test_cells: Sequence[Any],
    least: float = 0.8,
    modality: type[Input] = TextInput,
) -> dict[str, float]:
    """Counts test cells that share most of their elements, such as words, with one training cell.

    A model that has learned such a training cell by heart is right about the test cell without
    having understood either.

    Args:
        train_cells: Of more than 50,000 the first are looked at.
        test_cells: Of more than 2,000 the first are looked at.
        least: The share of the elements of both cells that both must have: the Jaccard index
            of the sets of what `Input.elements` gives of them.
        modality: Class of the `Input` that knows the cells.

    Returns:
        Dictionary of `texts`, the near-repeats; `checked`, the test cells looked at; and `least`.

    Example:

    >>> count_near_repeats(["My dog died last week."], ["my dog DIED, last week!", "My cat."])
    {'texts': 1, 'checked': 2, 'least': 0.8}
    """
    train_cells, test_cells = train_cells[:_MOST_TRAIN], test_cells[:_MOST_TEST]
    vectorizer = CountVectorizer(binary=True, analyzer=modality.elements, dtype=np.int32)
    try:
        train = vectorizer.fit_transform(train_cells)
    except ValueError:  # No cell has an element.
        return {"texts": 0, "checked": len(test_cells), "least": least}
    test = vectorizer.transform(test_cells)
    # With the elements that no training cell has, which the matrix leaves out.
    test_sizes = np.array([len(set(modality.elements(cell))) for cell in test_cells])
    train_sizes = train.sum(axis=1).A1
    found = 0
    for start in range(0, len(test_cells), _AT_ONCE):
        shared = (test[start : start + _AT_ONCE] @ train.T).tocoo()
        union = test_sizes[start + shared.row] + train_sizes[shared.col] - shared.data
        found += len(set(shared.row[shared.data >= least * union].tolist()))
    return {"texts": found, "checked": len(test_cells), "least": least}
