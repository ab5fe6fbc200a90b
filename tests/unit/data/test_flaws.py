"""Protocols with flaws: who goes where under each, and that nobody can choose one."""

import dataclasses
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from emotion_keras.compare import main as compare
from emotion_keras.data import Corpus, split
from emotion_keras.data.flaws import COPY, FLAWS, flaws_of, in_words, repeat_examples
from emotion_keras.data.options import DATA_STAGES, DataOptions, Protocol
from emotion_keras.errors import UserError
from emotion_keras.fit import main as fit
from emotion_keras.training.settings import Settings, identity_of

LABELS = ("anger", "fear")


@pytest.fixture
def corpus():
    """60 subjects with two texts each, one a label; the texts of the first five are all alike."""
    subjects = np.repeat(np.arange(60), 2)
    texts = [f"text {n} of {s}" for n, s in enumerate(subjects)]
    texts[:10] = ["always the same"] * 10
    ids = [f"example {number}" for number in range(120)]
    columns = {"id": ids, "text": texts, "label": LABELS * 60, "subject": subjects.astype(str)}
    return Corpus("mine", pd.DataFrame(columns, dtype="str"), LABELS, "0" * 64, "none", "mine.csv")


def shared(corpus, parts, column):
    """How many test examples share a value with one of the training split, one by one."""
    values = corpus.examples[column].tolist()
    return sum(any(values[row] == values[other] for other in parts.train) for row in parts.test)


def test_a_split_without_flaws_parts_neither_subjects_nor_repeats(corpus):
    parts = split(corpus)
    assert shared(corpus, parts, "subject") == shared(corpus, parts, "text") == 0
    assert "flaws" not in parts.protocol and "num_copies" not in parts.protocol
    same = split(corpus, flaws=[])
    assert np.array_equal(same.train, parts.train) and same.protocol == parts.protocol


def test_repeats_may_be_apart_and_subjects_may_not(corpus):
    parts = split(corpus, flaws=["repeats_apart"])
    number = shared(corpus, parts, "text")
    # Of five subjects with the same text, some are tested and some trained on.
    assert 0 < number < 10 and number % 2 == 0
    assert shared(corpus, parts, "subject") == 0
    assert parts.protocol["flaws"] == ["repeats_apart"] and parts.protocol["by_subject"]
    assert parts.protocol["num_test_cells_in_train"] == number
    assert parts.protocol["num_test_subjects_in_train"] == parts.protocol["num_copies"] == 0


def test_a_random_split_parts_subjects_and_keeps_repeats_together(corpus):
    parts = split(corpus, flaws=["random_split"])
    assert shared(corpus, parts, "text") == 0
    number = shared(corpus, parts, "subject")
    assert number >= 10
    assert parts.protocol["num_test_subjects_in_train"] == number
    assert not parts.protocol["by_subject"]


def test_copies_are_counted_and_fall_on_either_side(corpus):
    flaws = ["doubled"]
    doubled = repeat_examples(corpus, flaws, seed=0)
    assert set(Counter(doubled.examples["text"]).values()) == {2, 20}
    assert doubled.examples[COPY].tolist() == [0, 1] * 120
    ids = doubled.examples["id"].tolist()
    assert len(set(ids)) == 240 and ids[:2] == ["example 0", "example 0 (copy 1)"]
    assert doubled.examples["subject"].tolist()[:6] == ["0"] * 4 + ["1"] * 2
    parts = split(doubled, flaws=flaws)
    assert len(parts.train) + len(parts.val) + len(parts.test) == 240
    assert parts.protocol["num_copies"] == 120
    number = shared(doubled, parts, "text")
    assert parts.protocol["num_test_cells_in_train"] == number
    # Seven of ten copies of what is tested are trained on.
    assert len(parts.test) == 48 and 24 <= number <= 46
    # The originals are still split by subject.
    rows = np.flatnonzero(doubled.examples[COPY] == 0)
    sides = [
        set(doubled.examples["subject"].iloc[np.intersect1d(rows, side)])
        for side in (parts.train, parts.test)
    ]
    assert not sides[0] & sides[1]


def test_oversampling_evens_out_the_labels_and_no_more(corpus):
    kept = corpus.examples.drop(index=range(1, 61, 2)).reset_index(drop=True)
    uneven = dataclasses.replace(corpus, examples=kept)
    assert Counter(uneven.examples["label"]) == {"anger": 60, "fear": 30}
    even = repeat_examples(uneven, ["oversampled"], seed=0)
    assert Counter(even.examples["label"]) == {"anger": 60, "fear": 60}
    copies = even.examples[even.examples[COPY] > 0]
    assert len(copies) == 30 and set(copies["label"]) == {"fear"}
    again = repeat_examples(even, ["oversampled"], seed=0).examples
    assert again.equals(even.examples.assign(copy=0))
    assert repeat_examples(uneven, ["random_split"], seed=0) is uneven


def test_the_epoch_is_chosen_on_the_test_split(corpus):
    parts, ours = split(corpus, flaws=["epoch_on_test"]), split(corpus)
    assert np.array_equal(parts.val, parts.test)
    # What is trained on and tested is the same as without the flaw.
    assert np.array_equal(parts.test, ours.test) and np.array_equal(parts.train, ours.train)
    assert parts.protocol["num_val"] == parts.protocol["num_test"]


def test_labels_chosen_on_test_change_nothing_in_the_split(corpus):
    parts, ours = split(corpus, flaws=["labels_on_test"]), split(corpus)
    assert np.array_equal(parts.test, ours.test) and np.array_equal(parts.val, ours.val)


def test_flaws_are_said_in_a_sentence():
    said = in_words(["epoch_on_test", "doubled"])
    assert said.startswith("No honest number: the best epoch was chosen on the test split; each ")
    assert in_words([]) == ""
    assert all(in_words([name]) for name in FLAWS)


def test_an_unknown_flaw_is_refused():
    with pytest.raises(UserError, match="Unknown flaw.*repeats_apart.*Received: luck"):
        Protocol(flaws=["luck"])


@pytest.mark.parametrize("flaws", [["random_split"], "[random_split]"])
def test_no_study_has_a_flaw_by_an_option(flaws):
    with pytest.raises(UserError, match="python -m tuning.sensitivity protocol"):
        DataOptions.make(flaws=flaws)
    assert DataOptions.make(flaws=None) == DataOptions.make()


@pytest.mark.parametrize("command", [fit, compare])
def test_no_command_line_and_no_file_has_flaws(command, capsys, tmp_path):
    assert command(["--flaws=[random_split]"]) == 2
    assert "There is no such option" in capsys.readouterr().err
    path = tmp_path / "mine.yaml"
    path.write_text("flaws: [random_split]")
    assert command([f"--config={path}"]) == 2
    assert "there is no such option" in capsys.readouterr().err
    for arguments in (["--help-all"], ["--print-config"]):
        with pytest.raises(SystemExit):
            command(arguments)
        assert "flaws" not in capsys.readouterr().out


def test_runs_without_flaws_keep_their_identity(tmp_path, make_run):
    from emotion_keras import record

    run = record.read_run(make_run(tmp_path / "fit", "tfidf_svm"))
    assert flaws_of(run) == []
    identity = identity_of(run)
    assert "flaws" not in identity["protocol"]
    run["corpus"]["protocol"]["flaws"] = ["doubled"]
    assert flaws_of(run) == ["doubled"]
    assert identity_of(run) != identity
    assert identity_of(run)["protocol"]["flaws"] == ["doubled"]


def test_a_run_with_flaws_names_the_analysis_that_makes_it():
    options = {"model": "tfidf_svm", "data": "mine.csv", "group_column": "author", "seed": 1}
    options["split_seed"] = 8
    assert Settings.make(**options).command()[2] == "emotion_keras.fit"
    flawed = Settings.make(**options, flaws=["doubled"])
    assert flawed.command() == [
        *("python", "-m", "tuning.sensitivity", "protocol"),
        *("--models=tfidf_svm", "--seeds=2", "--data=mine.csv", "--group-column=author"),
        "--split-seed=7",
    ]
    over = Settings.make(model="gated_transformer", encoder="scratch", flaws=["doubled"])
    assert over.command()[4:] == ["--models=gated_transformer@scratch", "--seeds=1"]
    assert "flaws" in DATA_STAGES["protocol"].names()
