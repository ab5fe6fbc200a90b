"""Who goes where: sizes, strata, subjects, repeats, folds, fractions and what is refused."""

import time

import numpy as np
import pandas as pd
import pytest

from emotion_keras.data import Corpus, split
from emotion_keras.errors import UserError
from emotion_keras.targets import MultiLabel

LABELS = ("anger", "fear", "joy")


def make(label_ids, subjects=None, texts=None):
    count = len(label_ids)
    ids = [str(number) for number in range(1, count + 1)]
    examples = pd.DataFrame(
        {
            "id": ids,
            "text": texts if texts is not None else [f"text {number}" for number in range(count)],
            "label": [LABELS[label] for label in label_ids],
            "subject": ids if subjects is None else [str(subject) for subject in subjects],
        },
        dtype="str",
    )
    return Corpus("mine", examples, LABELS, "0" * 64, "none", "mine.csv")


def check_partition(corpus, parts):
    together = np.concatenate([parts.train, parts.val, parts.test])
    assert np.array_equal(np.sort(together), np.arange(len(corpus)))
    for rows in (parts.train, parts.val, parts.test):
        assert rows.dtype == np.int64
        assert (np.diff(rows) > 0).all()
    for column in ("subject", "text"):
        values = corpus.examples[column].str.casefold()
        sets = [set(values.iloc[rows]) for rows in (parts.train, parts.val, parts.test)]
        assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2]), column


def counts(corpus, rows):
    return np.bincount(corpus.label_ids[rows], minlength=3).tolist()


@pytest.fixture
def plain():
    return make(np.repeat([0, 1, 2], [100, 200, 50]))


@pytest.fixture
def grouped():
    # 400 subjects with 1 to 9 examples of uneven labels.
    rng = np.random.default_rng(7)
    subjects = np.repeat(np.arange(400), rng.integers(1, 10, 400))
    return make(rng.choice(3, len(subjects), p=[0.5, 0.35, 0.15]), subjects)


def test_shares_are_exact_where_no_group_binds(plain):
    parts = split(plain)
    check_partition(plain, parts)
    assert counts(plain, parts.test) == [20, 40, 10]
    assert counts(plain, parts.val) == [10, 20, 5]
    assert parts.protocol == {
        "split_seed": 0,
        "test_size": 0.2,
        "val_size": 0.1,
        "folds": None,
        "fold": None,
        "train_fraction": 1.0,
        "by_subject": False,
        "num_train": 245,
        "num_val": 35,
        "num_test": 70,
    }


def test_subjects_stay_whole_and_shares_are_near(grouped):
    for seed in range(5):
        parts = split(grouped, split_seed=seed)
        check_partition(grouped, parts)
        total = np.array(counts(grouped, np.arange(len(grouped))))
        for rows, share in ((parts.test, 0.2), (parts.val, 0.1), (parts.train, 0.7)):
            assert abs(len(rows) / len(grouped) - share) < 0.01
            assert (abs(np.array(counts(grouped, rows)) / total - share) < 0.02).all()


def test_respondents_with_one_text_of_each_label():
    corpus = make(np.tile([0, 1, 2], 100), np.repeat(np.arange(100), 3))
    parts = split(corpus, test_size=0.25, val_size=0.15)
    check_partition(corpus, parts)
    assert counts(corpus, parts.test) == [25, 25, 25]
    assert counts(corpus, parts.val) == [15, 15, 15]


def test_one_subject_with_half_of_the_texts_goes_to_training():
    corpus = make(np.tile([0, 1, 2], 100), ["big"] * 150 + list(range(150)))
    parts = split(corpus)
    check_partition(corpus, parts)
    assert set(range(150)) <= set(parts.train.tolist())
    assert (len(parts.val), len(parts.test)) == (30, 60)


def test_a_text_is_in_one_split_even_if_two_subjects_wrote_it():
    # Each text twice, by different subjects and in another spelling.
    texts = [f"Text {number}" for number in range(90)]
    corpus = make(np.tile([0, 1, 2], 60), texts=texts + [text.upper() for text in texts])
    parts = split(corpus)
    check_partition(corpus, parts)
    assert (len(parts.val), len(parts.test)) == (18, 36)


def test_repeatable_and_different_for_another_seed(grouped):
    first, again, other = (split(grouped, split_seed=seed) for seed in (3, 3, 4))
    for name in ("train", "val", "test"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    shared = np.intersect1d(first.test, other.test)
    # Two independent draws of a fifth have a fifth in common.
    assert 0.1 < len(shared) / len(first.test) < 0.35


def test_order_of_the_rows_does_not_matter(grouped):
    order = np.random.default_rng(0).permutation(len(grouped))
    shuffled = Corpus(
        "mine", grouped.examples.iloc[order].reset_index(drop=True), LABELS, "", "", ""
    )
    for options in ({}, {"folds": 4, "fold": 1}, {"train_fraction": 0.3}):
        parts, others = split(grouped, **options), split(shuffled, **options)
        for name in ("train", "val", "test"):
            ids = grouped.examples["id"].iloc[getattr(parts, name)]
            assert set(ids) == set(shuffled.examples["id"].iloc[getattr(others, name)])


@pytest.mark.parametrize("name", ["plain", "grouped"])
def test_folds(name, request):
    corpus = request.getfixturevalue(name)
    tests, vals = [], []
    for fold in range(5):
        parts = split(corpus, folds=5, fold=fold)
        check_partition(corpus, parts)
        assert abs(len(parts.test) / len(corpus) - 0.2) < 0.01
        assert abs(len(parts.val) / len(corpus) - 0.1) < 0.01
        assert parts.protocol["test_size"] is None
        tests.append(parts.test)
        vals.append(set(parts.val.tolist()))
    assert np.array_equal(np.sort(np.concatenate(tests)), np.arange(len(corpus)))
    # The validation splits are not drawn from the same few.
    assert len(set.union(*vals)) > 0.25 * len(corpus)


def test_train_fractions_are_nested_and_stratified(plain):
    whole = split(plain)
    smaller = [split(plain, train_fraction=fraction) for fraction in (0.05, 0.1, 0.5)]
    for less, more in zip(smaller, [*smaller[1:], whole], strict=True):
        assert set(less.train) < set(more.train)
        assert np.array_equal(less.val, whole.val)
        assert np.array_equal(less.test, whole.test)
    # Of 70, 140 and 35 a half, and a tenth.
    assert counts(plain, smaller[2].train) in ([35, 70, 17], [35, 70, 18])
    assert counts(plain, smaller[1].train) in ([7, 14, 3], [7, 14, 4])
    assert smaller[1].protocol["train_fraction"] == 0.1


def test_140_000_subjects_take_seconds():
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(140_000), rng.integers(1, 3, 140_000))
    corpus = make(rng.integers(0, 3, len(subjects)), subjects)
    start = time.perf_counter()
    parts = split(corpus)
    assert time.perf_counter() - start < 10
    assert abs(len(parts.test) / len(corpus) - 0.2) < 0.001


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_size": 0}, "above 0 and below 1. Received: test_size=0"),
        ({"val_size": 1.5}, "Received: val_size=1.5"),
        ({"test_size": 0.6, "val_size": 0.4}, "nothing to train on.*test_size=0.6, val_size=0.4"),
        ({"train_fraction": 0}, "Received: train_fraction=0"),
        ({"train_fraction": 1.1}, "Received: train_fraction=1.1"),
        ({"split_seed": -1}, "Received: split_seed=-1"),
        ({"folds": 5}, "belong together.*Received: folds=5, fold=None"),
        ({"fold": 1}, "Received: folds=None, fold=1"),
        ({"folds": 5, "fold": 5}, "it is 0 to 4. Received: fold=5"),
        ({"folds": 1, "fold": 0}, "2 or more. Received: folds=1"),
        ({"folds": 2, "fold": 0, "val_size": 0.5}, "nothing to train on.*folds=2"),
    ],
)
def test_bad_options(plain, options, message):
    with pytest.raises(UserError, match=message):
        split(plain, **options)


def test_label_with_too_few_texts_is_named():
    with pytest.raises(UserError, match=r"Too few texts.*: joy \(2 texts\)\..*needs about 10 "):
        split(make(np.repeat([0, 1, 2], [50, 50, 2])))


def test_label_without_texts_is_named():
    with pytest.raises(UserError, match=r": joy \(0 texts\)"):
        split(make(np.repeat([0, 1], [50, 50])))


def test_label_of_too_few_subjects_is_named():
    subjects = [*range(100), *["one"] * 30]
    with pytest.raises(UserError, match=r"joy \(30 texts\).*texts of different subjects"):
        split(make(np.repeat([0, 1, 2], [50, 50, 30]), subjects))


def test_ten_texts_a_label_are_enough():
    for seed in range(20):
        corpus = make(np.repeat([0, 1, 2], 10))
        parts = split(corpus, split_seed=seed)
        assert counts(corpus, parts.val) == [1, 1, 1]
        assert counts(corpus, parts.test) == [2, 2, 2]


def test_examples_without_label_are_refused():
    corpus = make(np.repeat([0, 1, 2], 20))
    corpus.examples.loc[3, "label"] = ""
    with pytest.raises(UserError, match="1 examples have no label.*prepare"):
        split(corpus)


def several(num_texts, subjects=None):
    """A corpus of sets of labels, common ones and rare ones."""
    truth = np.random.default_rng(5).random((num_texts, 3)) < [0.1, 0.3, 0.5]
    corpus = make(np.zeros(num_texts, int), subjects)
    corpus.examples["label"] = pd.Series(MultiLabel(LABELS).cells(truth), dtype="str")
    return Corpus("mine", corpus.examples, LABELS, "0" * 64, "none", "mine.csv", kind=MultiLabel)


def shares_of(corpus, rows):
    """Which share of all texts of each set of labels, and of each label, is among some."""
    sets = corpus.examples["label"]
    of_sets = sets.iloc[rows].value_counts().reindex(sets.unique(), fill_value=0)
    return of_sets / sets.value_counts(), corpus.truth[rows].sum(axis=0) / corpus.truth.sum(axis=0)


def test_sets_of_labels_are_spread_alike():
    corpus = several(2_000)
    assert corpus.examples["label"].value_counts().min() < 40  # Of which the least part is 4.
    for parts in (split(corpus), split(corpus, folds=5, fold=2)):
        check_partition(corpus, parts)
        for rows, share in ((parts.test, 0.2), (parts.val, 0.1), (parts.train, 0.7)):
            of_sets, of_labels = shares_of(corpus, rows)
            counts_of_sets = corpus.examples["label"].value_counts()
            assert (((of_sets - share) * counts_of_sets).abs() < 3).all()
            assert (abs(of_labels - share) < 0.01).all()
            assert abs(len(rows) / 2_000 - share) < 0.002
    tests = [split(corpus, folds=5, fold=fold).test for fold in range(5)]
    assert np.array_equal(np.sort(np.concatenate(tests)), np.arange(2_000))


def test_subjects_of_several_labels_stay_whole_and_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(7)
    subjects = np.repeat(np.arange(400), rng.integers(1, 10, 400))
    corpus = several(len(subjects), subjects)
    order = rng.permutation(len(corpus))
    examples = corpus.examples.iloc[order].reset_index(drop=True)
    shuffled = Corpus("mine", examples, LABELS, "", "", "", kind=MultiLabel)
    for options in ({}, {"folds": 4, "fold": 1}, {"train_fraction": 0.3}):
        parts, others = split(corpus, **options), split(shuffled, **options)
        for name in ("train", "val", "test"):
            ids = corpus.examples["id"].iloc[getattr(parts, name)]
            assert set(ids) == set(examples["id"].iloc[getattr(others, name)])
    parts = split(corpus)
    check_partition(corpus, parts)
    for rows, share in ((parts.test, 0.2), (parts.val, 0.1), (parts.train, 0.7)):
        assert abs(len(rows) / len(corpus) - share) < 0.01
        assert (abs(shares_of(corpus, rows)[1] - share) < 0.02).all()


def test_a_fraction_of_many_rare_sets_of_labels_is_as_large_as_asked():
    # 12 labels in 2,000 texts: nearly all sets are of one, two or three texts.
    labels = tuple("abcdefghijkl")
    truth = np.random.default_rng(1).random((2_000, 12)) < 0.35
    examples = make(np.zeros(2_000, int)).examples
    examples["label"] = pd.Series(MultiLabel(labels).cells(truth), dtype="str")
    assert examples["label"].value_counts().median() < 3
    corpus = Corpus("mine", examples, labels, "", "", "", kind=MultiLabel)
    whole = split(corpus)
    smaller = [split(corpus, train_fraction=fraction) for fraction in (0.1, 0.25, 0.5)]
    for less, more in zip(smaller, [*smaller[1:], whole], strict=True):
        assert set(less.train) < set(more.train)
        assert np.array_equal(less.test, whole.test) and np.array_equal(less.val, whole.val)
    for parts, fraction in zip(smaller, (0.1, 0.25, 0.5), strict=True):
        # Of 1,400 texts chance decides one by one at most: a standard deviation of 19 at most.
        assert abs(len(parts.train) - 1_400 * fraction) < 3 * 19
        of_labels = truth[parts.train].sum(axis=0) / truth[whole.train].sum(axis=0)
        assert (abs(of_labels - fraction) < 0.07).all()
    # Of a set with many texts the share is met but for one.
    common = several(2_000)
    half, all_of_it = split(common, train_fraction=0.5).train, split(common).train
    sets = common.examples["label"]
    gaps = sets.iloc[half].value_counts() - 0.5 * sets.iloc[all_of_it].value_counts()
    assert (gaps.abs() < 1).all()
