"""Texts of the test split that are almost texts of the training split."""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

# So many test texts are looked at, and compared with so many training texts: time and memory grow
# with their product.
_MOST_TEST, _MOST_TRAIN = 2_000, 50_000
_AT_ONCE = 256


def count_near_repeats(train_texts, test_texts, least=0.8):
    """Counts test texts that share most of their words with one training text.

    A model that has learned such a training text by heart is right about the test text without
    having understood either.

    Args:
        train_texts: List of strings; of more than 50,000 the first are looked at.
        test_texts: List of strings; of more than 2,000 the first are looked at.
        least: Float, the share of the words of both texts that both must have: the Jaccard index of
            their sets of words, whatever their case, numbers and single letters left out.

    Returns:
        Dictionary of `texts`, the near-repeats; `checked`, the test texts looked at; and `least`.

    Example:

    >>> count_near_repeats(["My dog died last week."], ["my dog DIED, last week!", "My cat."])
    {'texts': 1, 'checked': 2, 'least': 0.8}
    """
    train_texts, test_texts = train_texts[:_MOST_TRAIN], test_texts[:_MOST_TEST]
    vectorizer = CountVectorizer(binary=True, token_pattern=r"[^\W\d_]{2,}", dtype=np.int32)
    try:
        train = vectorizer.fit_transform(train_texts)
    except ValueError:  # No text has a word.
        return {"texts": 0, "checked": len(test_texts), "least": least}
    test = vectorizer.transform(test_texts)
    analyze = vectorizer.build_analyzer()
    # With the words that no training text has, which the matrix leaves out.
    test_sizes = np.array([len(set(analyze(text))) for text in test_texts])
    train_sizes = train.sum(axis=1).A1
    found = 0
    for start in range(0, len(test_texts), _AT_ONCE):
        shared = (test[start : start + _AT_ONCE] @ train.T).tocoo()
        union = test_sizes[start + shared.row] + train_sizes[shared.col] - shared.data
        found += len(set(shared.row[shared.data >= least * union].tolist()))
    return {"texts": found, "checked": len(test_texts), "least": least}
