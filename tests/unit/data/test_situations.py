"""Guards the built-in corpus: counts, lengths, and that no two texts are alike."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from emotion_keras.data import isear, load_corpus, prepare, split


@pytest.fixture(scope="module")
def corpus():
    return load_corpus("situations")


def test_counts(corpus):
    counts = corpus.examples["label"].value_counts()
    assert set(counts.index) == set(isear.LABELS)
    assert counts.min() >= 150
    assert len(corpus) == counts.sum() >= 1050


def test_each_respondent_tells_of_each_emotion_once(corpus):
    table = corpus.examples.groupby("subject")["label"].agg(["size", "nunique"])
    assert len(table) >= 150
    assert (table == len(isear.LABELS)).all(axis=None)


def test_lengths(corpus):
    words = corpus.examples["text"].str.split().str.len()
    assert words.between(5, 80).all(), corpus.examples[~words.between(5, 80)]
    assert 17 <= words.median() <= 24


def test_no_text_is_like_another(corpus):
    texts = corpus.examples["text"]
    assert not texts.str.casefold().duplicated().any()
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 5)).fit_transform(texts)
    likeness = (vectors @ vectors.T).toarray()
    np.fill_diagonal(likeness, 0)
    first, second = np.unravel_index(likeness.argmax(), likeness.shape)
    assert likeness.max() < 0.6, f"{texts[first]}\n{texts[second]}"


def test_preparation_and_split_lose_nothing(corpus):
    prepared, audit = prepare(corpus)
    assert audit.to_dict()["num_out"] == len(corpus)
    parts = split(prepared)
    # 150 respondents with seven texts each: 30 of them for the test, 15 for validation.
    assert np.bincount(prepared.label_ids[parts.test]).tolist() == [30] * 7
    assert np.bincount(prepared.label_ids[parts.val]).tolist() == [15] * 7
