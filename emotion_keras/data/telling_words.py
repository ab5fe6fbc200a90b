"""The words most telling of each label, by how much more often they stand in its texts.

Log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008): the prior is the
counts of all texts, so that a rare word needs more of a difference than a frequent one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from emotion_keras.models.baselines import WORD

# What fewer texts or one subject alone say is left out, so that nobody's text can be read here.
FEWEST_TEXTS, FEWEST_SUBJECTS = 5, 2
NUM_WORDS = 20


def find_telling_words(
    texts: Sequence[str], is_label: np.ndarray, labels: Sequence[str], subjects: Sequence[Any]
) -> list[dict[str, Any]]:
    """Finds the words most telling of each label.

    Args:
        texts: Strings.
        is_label: Array `(num_texts, num_labels)` of 1 where a text has a label, and 0.
        labels: Names of the labels.
        subjects: Whose each text is.

    Returns:
        List of dictionaries, label by label, by falling `z`: `label`; `word`; `z`, its log-odds
        in the label's texts beyond those in the others, by their standard error; `count`, how often
        it stands in the label's texts; and `count_rest`, in the others. Twenty words a label at
        most, which stand in five texts and are of two subjects at least.

    Example:

    >>> texts = ["we laughed", "they laughed", "they hid", "we hid"] * 3
    >>> found = find_telling_words(texts, np.eye(2)[[0, 0, 1, 1] * 3], ["joy", "fear"], texts)
    >>> [(row["label"], row["word"], row["count"]) for row in found]
    [('joy', 'laughed', 6), ('fear', 'hid', 6)]
    """
    counter = CountVectorizer(token_pattern=WORD, dtype=np.int64)
    try:
        counts = counter.fit_transform(texts)
    except ValueError:  # There are no words.
        return []
    stands = sparse.csr_matrix(counts > 0, dtype=np.int64)
    numbers, _ = pd.factorize(np.asarray(subjects))
    whose = sparse.csr_matrix((np.ones(len(numbers), np.int64), (numbers, range(len(numbers)))))
    num_texts, num_subjects = (
        np.asarray((found > 0).sum(axis=0)).ravel() for found in (stands, whose @ stands)
    )
    is_kept = (num_texts >= FEWEST_TEXTS) & (num_subjects >= FEWEST_SUBJECTS)
    words, total = counter.get_feature_names_out(), np.asarray(counts.sum(axis=0)).ravel()
    rows = []
    for number, label in enumerate(labels):
        own = np.asarray(counts[is_label[:, number] > 0].sum(axis=0)).ravel()
        z = log_odds(own, total - own, total)
        ranked = [i for i in np.argsort(-z, kind="stable") if is_kept[i] and z[i] > 0]
        rows += [
            {
                "label": label,
                "word": words[i],
                "z": round(float(z[i]), 3),
                "count": int(own[i]),
                "count_rest": int(total[i] - own[i]),
            }
            for i in ranked[:NUM_WORDS]
        ]
    return rows


def log_odds(counts: np.ndarray, others: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """How much more often words stand in some texts than in others, by the standard error.

    Args:
        counts: How often each word stands in the texts, an integer array.
        others: How often in the others, likewise.
        prior: How often each counts as if it stood in both beforehand, above 0.

    Returns:
        Float array: the difference of the log-odds, by the square root of its variance.
    """
    sides = [side + prior for side in (counts, others)]
    # Of a text of one word alone the odds have no end; there is nothing to tell it from.
    odds = [np.log(side / np.maximum(side.sum() - side, 1)) for side in sides]
    return (odds[0] - odds[1]) / np.sqrt(1 / sides[0] + 1 / sides[1])
