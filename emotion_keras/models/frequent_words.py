"""The frequent words of a text as one vector."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

_MOST_WORDS = 2000


class FrequentWords(TransformerMixin, BaseEstimator):
    """TF-IDF of the 2,000 words that most texts hold, as a dense array.

    Example:

    >>> FrequentWords().fit_transform(["we sang", "we hid"]).shape
    (2, 3)
    """

    def fit(self, cells: Sequence[str], class_ids: Any = None) -> Self:
        """Learns the words and in how many texts they are."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        from emotion_keras.models.baselines import WORD

        self.tfidf_ = TfidfVectorizer(
            max_features=_MOST_WORDS,
            sublinear_tf=True,
            strip_accents="unicode",
            token_pattern=WORD,
        ).fit(cells)
        return self

    def transform(self, cells: Sequence[str]) -> np.ndarray:
        """The vectors of texts, a float64 array `(num_texts, num_words)`."""
        return self.tfidf_.transform(cells).toarray()
