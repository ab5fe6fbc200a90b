"""ISEAR's own file, where it lies beside the checkout."""

from pathlib import Path

import pytest

from emotion_keras import record
from emotion_keras.data import isear, load_corpus, prepare

FILE = Path(__file__).parents[3] / "shared" / "data" / "isear" / "isear.csv"

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"ISEAR's file is not at {FILE}")


def test_isear_is_learned_better_than_by_chance(fit):
    directory = fit(
        data=str(FILE),
        vocabulary_size=2000,
        embedding_dim=32,
        num_layers=0,
        train_fraction=0.4,
        epochs=4,
    )
    run = record.read_run(directory)
    assert run["corpus"]["name"] == "isear"
    # Chance is 1 in 7, 0.143, with a standard deviation of 0.009 on 1,490 texts.
    assert run["metrics"]["test"]["accuracy"] > 0.2
    assert run["metrics"]["test"]["auc"] > 0.6


def test_the_file_itself():
    corpus = load_corpus(FILE)
    assert corpus.sha256 == isear.SHA256
    counts = corpus.examples["label"].value_counts()
    # As counted in the file by hand, with the tools of the shell.
    assert counts.to_dict() == {
        "joy": 1094,
        "fear": 1095,
        "anger": 1096,
        "sadness": 1096,
        "disgust": 1096,
        "shame": 1096,
        "guilt": 1093,
    }
    assert corpus.examples["subject"].nunique() == 1096
    prepared, audit = prepare(corpus)
    steps = {step["step"]: step for step in audit.to_dict()["steps"]}
    # Known from the reading of all candidates by eye.
    assert steps["clean"]["removed"]["no answer"] == {
        "joy": 7,
        "fear": 14,
        "anger": 14,
        "sadness": 16,
        "disgust": 33,
        "shame": 47,
        "guilt": 36,
    }
    assert steps["clean"]["num_out"] == 7499
    assert audit.to_dict()["repeats"]["texts"] == 42
    assert audit.to_dict()["two_labels"]["texts"] == 7
    texts = prepared.examples["text"]
    assert len(texts) == texts.str.casefold().nunique() == 7428
    assert all(text.isascii() for text in texts)
    assert not texts.str.contains(r"[|\\]").any()
