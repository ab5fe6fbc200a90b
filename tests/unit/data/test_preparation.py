"""Cleaning, punctuation, repeats, choice of labels, balance, and the audit's counts."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from emotion_keras.data import Corpus, balance, prepare
from emotion_keras.data.preparation import audit_balance, label_weights
from emotion_keras.errors import UserError
from emotion_keras.targets import MultiLabel, SingleLabel


def make(*pairs, name="mine", labels=None, kind=SingleLabel):
    texts, names = zip(*pairs, strict=True)
    ids = [str(number) for number in range(1, len(texts) + 1)]
    examples = pd.DataFrame({"id": ids, "text": texts, "label": names, "subject": ids}, dtype="str")
    labels = labels or tuple(sorted({label for label in names if label}))
    return Corpus(name, examples, labels, "0" * 64, "none", "mine.csv", kind=kind)


def prepared_texts(*texts, **options):
    pairs = [(text, "joy" if number % 2 else "fear") for number, text in enumerate(texts)]
    corpus, _ = prepare(make(*pairs, ("the other one", "joy"), ("this one", "fear")), **options)
    return corpus.examples["text"].tolist()[:-2]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  two \t words\r\n", "two words"),
        ("fish &amp; chips &lt;3 &#39;now&#x27;", "fish & chips <3 'now'"),
        ("R&D; AT&T &copy", "R&D; AT&T &copy"),
        ("bell\x07 and\x00 null", "bell and null"),
        ("zero\u200bwidth and soft\u00adhyphen", "zerowidth and softhyphen"),
        ("no\u00a0break\u2028line", "no break line"),
        ("family \U0001f468\u200d\U0001f467", "family \U0001f468\u200d\U0001f467"),
    ],
)
def test_cleaning(text, cleaned):
    assert prepared_texts(text, normalize_punctuation=False) == [cleaned]
    assert prepared_texts(text, clean=False, normalize_punctuation=False) == [text]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("“Oh”, he said — no…", '"Oh", he said - no...'),
        ("‘It’s’ «so» ``good''", '\'It\'s\' "so" "good"'),
        ("10–20, well‑known -- word—word", "10-20, well-known - word - word"),
        ("wait.... what ?!?!! no!!! yes,, ok", "wait... what?! no! yes, ok"),
        ("Vrai ! Fin . . .", "Vrai! Fin..."),
        ("ｗｏｗ！\u3000１２", "wow! 12"),
        ("great :) costs .5, well-known", "great :) costs .5, well-known"),
    ],
)
def test_punctuation(text, normal):
    assert prepared_texts(text, clean=False) == [normal]
    assert prepared_texts(normal, clean=False) == [normal]


def test_texts_of_100_000_characters_are_cut_and_counted():
    corpus, audit = prepare(make(("x!?. " * 20_000, "joy"), ("b", "fear")))
    assert len(corpus.examples["text"].iloc[0]) <= 20_000
    assert audit.to_dict()["steps"][0]["cut"] == 1


def test_no_answers_are_isears_alone():
    pairs = [("Nothing.", "joy"), ("[ In general, crowds.]", "fear"), ("The sea á is.", "joy")]
    corpus, audit = prepare(make(*pairs, name="isear"))
    assert corpus.examples["text"].tolist() == ["In general, crowds.", "The sea is."]
    assert audit.to_dict()["steps"][0]["removed"] == {"no answer": {"joy": 1}}
    corpus, _ = prepare(make(*pairs))
    assert corpus.examples["text"].tolist() == [text for text, _ in pairs]


PAIRS = [
    ("Rain at last", "joy"),  # first of three
    ("rain  at LAST", "joy"),  # repeat
    ("Rain at last ", "joy"),  # repeat
    ("An owl", "fear"),  # two labels
    ("an owl", "joy"),  # two labels
    (" \t", "fear"),  # empty
    ("Who knows", ""),  # no label
    ("A gate slammed", "fear"),
    ("The bill", "anger"),
]


def test_repeats_and_texts_with_two_labels():
    corpus, audit = prepare(make(*PAIRS))
    assert corpus.examples["id"].tolist() == ["1", "8", "9"]
    assert corpus.examples.index.tolist() == [0, 1, 2]
    content = audit.to_dict()
    assert content["repeats"] == {"texts": 2, "examples": 5}
    assert content["two_labels"] == {"texts": 1, "examples": 2}


def test_repeats_can_be_kept():
    corpus, audit = prepare(make(*PAIRS), repeats="keep")
    assert corpus.examples["id"].tolist() == ["1", "2", "3", "4", "5", "8", "9"]
    assert audit.to_dict()["repeats"] == {"texts": 2, "examples": 5}


def test_audit_adds_up_by_step_and_label():
    corpus, audit = prepare(make(*PAIRS), labels=["fear", "joy"])
    assert corpus.labels == ("fear", "joy")
    assert corpus.label_ids.tolist() == [1, 0]
    content = audit.to_dict()
    assert json.loads(json.dumps(content)) == content
    assert (content["num_in"], content["num_out"]) == (9, 2)
    assert content["labels"] == {
        "anger": {"in": 1, "out": 0},
        "fear": {"in": 3, "out": 1},
        "joy": {"in": 4, "out": 1},
        "(no label)": {"in": 1, "out": 0},
    }
    steps = {step["step"]: step for step in content["steps"]}
    assert [(name, step["num_in"], step["num_out"]) for name, step in steps.items()] == [
        ("clean", 9, 9),
        ("normalize_punctuation", 9, 9),
        ("usable", 9, 7),
        ("repeats", 7, 3),
        ("labels", 3, 2),
    ]
    assert steps["clean"]["changed"] == 3
    assert steps["usable"]["removed"] == {"empty text": {"fear": 1}, "no label": {"(no label)": 1}}
    assert steps["repeats"]["removed"] == {
        "two labels": {"fear": 1, "joy": 1},
        "repeat": {"joy": 2},
    }
    assert steps["labels"]["removed"] == {"other label": {"anger": 1}}
    # The two texts left have three words each.
    assert (content["words"]["least"], content["words"]["p50"], content["words"]["most"]) == (
        3,
        3,
        3,
    )
    assert content["options"] == {
        "clean": True,
        "normalize_punctuation": True,
        "labels": ["fear", "joy"],
        "repeats": "drop",
    }


def test_audit_reads_as_a_table():
    lines = str(prepare(make(*PAIRS))[1]).splitlines()
    assert lines[1].split() == ["in", *"empty text no label two labels repeat out".split()]
    assert ["all", "9", "-1", "-1", "-2", "-2", "3"] in [line.split() for line in lines]
    assert "Texts with two labels: 1, found in 2 examples" in lines


def test_labels_as_one_string_keep_the_corpus_order():
    corpus, _ = prepare(make(*PAIRS), labels="joy, anger")
    assert corpus.labels == ("anger", "joy")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": "joy,hope"}, "hope: no such label.*anger, fear, joy.*Received: labels="),
        ({"labels": ["joy"]}, "At least two labels.*leaves 1"),
        ({"repeats": "all"}, "drop, keep.*Received: repeats=all"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(UserError, match=message):
        prepare(make(*PAIRS), **options)


def test_one_label_only():
    with pytest.raises(UserError, match="At least two labels.*mine.csv leaves 1"):
        prepare(make(("a", "joy"), ("b", "joy")))


def test_nothing_left():
    expected = (
        "no text is left of 4; the preparation removed 2 for «empty text», 2 for «two labels»"
    )
    with pytest.raises(UserError, match=expected):
        prepare(make((" ", "joy"), ("", "fear"), ("we hid", "joy"), ("we hid", "fear")))


def test_source_corpus_is_left_alone():
    corpus = make(*PAIRS)
    before = corpus.examples.copy()
    prepare(corpus)
    pd.testing.assert_frame_equal(corpus.examples, before)


LABEL_IDS = np.array([2, 0, 0, 1, 0, 0, 0, 1])  # five, two, one


def test_balance_none():
    rows, weights = balance(LABEL_IDS, "none", seed=0)
    assert rows.tolist() == list(range(8))
    assert weights is None


def test_balance_undersample():
    rows, weights = balance(LABEL_IDS, "undersample", seed=0)
    assert np.bincount(LABEL_IDS[rows]).tolist() == [1, 1, 1]
    assert weights is None
    assert rows.tolist() == balance(LABEL_IDS, "undersample", seed=0)[0].tolist()
    others = {tuple(balance(LABEL_IDS, "undersample", seed=seed)[0]) for seed in range(20)}
    assert len(others) > 1


def test_balance_oversample_repeats_evenly():
    rows, weights = balance(LABEL_IDS, "oversample", seed=0)
    assert np.bincount(LABEL_IDS[rows]).tolist() == [5, 5, 5]
    assert weights is None
    counts = np.bincount(rows, minlength=8)
    assert counts[[1, 2, 4, 5, 6]].tolist() == [1] * 5
    assert sorted(counts[[3, 7]]) == [2, 3]
    assert counts[0] == 5


def test_balance_class_weight():
    rows, weights = balance(LABEL_IDS, "class_weight", seed=0)
    assert rows.tolist() == list(range(8))
    # 8 examples, 3 labels: 8 / (3 * 5), 8 / (3 * 2), 8 / (3 * 1).
    assert weights == pytest.approx({0: 0.53333333, 1: 1.33333333, 2: 2.66666667})


def test_balance_unknown():
    with pytest.raises(UserError, match="none, undersample.*Received: balance='smote'"):
        balance(LABEL_IDS, "smote", seed=0)


SEVERAL = [
    ("Rain at last", "fear,joy"),  # first of two
    ("rain  at LAST", "fear,joy"),  # repeat
    ("An owl", "fear"),  # two sets of labels
    ("an owl", "fear,joy"),  # two sets of labels
    ("a moth", "(none)"),  # first of two
    ("A MOTH", "(none)"),  # repeat
    (" ", "anger,joy"),  # empty
    ("Who knows", ""),  # no label
    ("A gate slammed", "anger,fear,joy"),
    ("The bill", "anger"),
    ("Nothing much", "(none)"),
]


def several():
    return make(*SEVERAL, labels=("anger", "fear", "joy"), kind=MultiLabel)


def test_the_audit_of_several_labels_adds_up_by_step_and_label():
    corpus, audit = prepare(several())
    assert corpus.examples["id"].tolist() == ["1", "5", "9", "10", "11"]
    content = audit.to_dict()
    assert json.loads(json.dumps(content)) == content
    assert (content["num_in"], content["num_out"]) == (11, 5)
    assert content["labels"] == {
        "anger": {"in": 3, "out": 2},
        "fear": {"in": 5, "out": 2},
        "joy": {"in": 5, "out": 2},
        "(none)": {"in": 3, "out": 2},
        "(no label)": {"in": 1, "out": 0},
    }
    assert content["repeats"] == {"texts": 3, "examples": 6}
    assert content["two_labels"] == {"texts": 1, "examples": 2}
    steps = {step["step"]: step for step in content["steps"]}
    assert [(step["num_in"], step["num_out"]) for step in steps.values()] == [
        (11, 11),
        (11, 11),
        (11, 9),
        (9, 5),
        (5, 5),
    ]
    # By label an example counts to each of its own; `num_removed` counts it once.
    assert steps["usable"]["removed"] == {
        "empty text": {"anger": 1, "joy": 1},
        "no label": {"(no label)": 1},
    }
    assert steps["usable"]["num_removed"] == {"empty text": 1, "no label": 1}
    assert steps["repeats"]["removed"] == {
        "two labels": {"fear": 2, "joy": 1},
        "repeat": {"fear": 1, "joy": 1, "(none)": 1},
    }
    assert steps["repeats"]["num_removed"] == {"two labels": 2, "repeat": 2}
    assert steps["labels"]["removed"] == {}
    (row,) = [line.split() for line in str(audit).splitlines() if line.startswith("all")]
    assert row == ["all", "11", "-1", "-1", "-2", "-2", "5"]


def test_examples_of_other_labels_stay_where_several_may_hold():
    corpus, audit = prepare(several(), labels="joy,fear")
    assert corpus.labels == ("fear", "joy")
    cells = ["fear,joy", "(none)", "fear,joy", "(none)", "(none)"]
    assert corpus.examples["label"].tolist() == cells
    assert corpus.truth.tolist() == [[1, 1], [0, 0], [1, 1], [0, 0], [0, 0]]
    assert audit.to_dict()["labels"]["anger"] == {"in": 3, "out": 2}
    with pytest.raises(UserError, match="At least two labels"):
        prepare(several(), labels="joy")


def test_sets_that_differ_in_labels_left_out_are_one():
    corpus, audit = prepare(several(), labels="anger,fear")
    assert corpus.examples["id"].tolist() == ["1", "3", "5", "9", "10", "11"]
    assert corpus.examples["label"].iloc[1] == "fear"
    assert audit.to_dict()["two_labels"] == {"texts": 0, "examples": 0}


def test_balance_of_several_labels_weighs_both_sides_of_each():
    truth = (np.random.default_rng(0).random((60, 3)) < [0.1, 0.5, 0.7]).astype("float32")
    found = label_weights(truth, "class_weight")
    for label in range(3):
        expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=truth[:, label])
        assert found[:, label] == pytest.approx(expected)
        # The mean over examples is 1.
        assert found[truth[:, label].astype(int), label].mean() == pytest.approx(1)
    # What a teacher says is not quite 0 or 1.
    assert (label_weights(0.8 * truth + 0.1, "class_weight") == found).all()
    assert label_weights(truth, "none") is None
    audit = audit_balance(truth, MultiLabel("abc"), "class_weight", seed=0)
    assert list(audit["labels"]) == ["a", "b", "c"]
    num_held = truth[:, 2].sum()
    assert audit["labels"]["c"] == {
        "num_in": num_held,
        "num_out": num_held,
        "weight": pytest.approx(60 / (2 * num_held)),
    }
    # Where a label holds of all or of none there is nothing to even out.
    truth[:, 0], truth[:, 1] = 0, 1
    weights = label_weights(truth, "class_weight")
    assert np.isfinite(weights).all() and weights[0, 1] == weights[1, 0] == 1


@pytest.mark.parametrize("method", ["undersample", "oversample", "smote"])
def test_examples_of_several_labels_are_neither_left_out_nor_repeated(method):
    with pytest.raises(UserError, match=f"none, class_weight.*Received: balance='{method}'"):
        audit_balance(np.eye(3), MultiLabel("abc"), method, seed=0)
