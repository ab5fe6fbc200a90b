"""Learning from a teacher's answers: whose they are, what is learned, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emotion_keras import fit as fit_command
from emotion_keras import record
from emotion_keras.data import read_dataset
from emotion_keras.data.options import DataOptions
from emotion_keras.errors import UserError
from emotion_keras.models.baselines import BASELINES
from emotion_keras.studies.combination import combine
from emotion_keras.training import network
from emotion_keras.training import teacher as teacher_module
from emotion_keras.training.lesson import Lesson
from emotion_keras.training.run import fit as train_run

LOGISTIC = BASELINES["tfidf_logistic"]()


@pytest.fixture
def make_baseline(toy):
    """Fits a logistic regression; returns the run's folder."""
    place = {"data": toy["data"], "runs_dir": toy["runs_dir"], "model": "tfidf_logistic"}
    return lambda **options: train_run(
        **{**place, "study": "teach", **options}, notify=lambda message: None
    )


@pytest.fixture
def baseline(make_baseline):
    return make_baseline()


@pytest.fixture
def learned(monkeypatch):
    """What networks were trained on: pairs of sequences and rows of targets."""
    seen, train = [], network.train

    def watch(model, train_data, *arguments, **options):
        seen.append(train_data)
        return train(model, train_data, *arguments, **options)

    monkeypatch.setattr(network, "train", watch)
    return seen


def dataset_of(toy):
    return read_dataset(DataOptions.make(data=toy["data"]), {}, lambda message: None)


def answers_by_hand(dataset, folder, form=LOGISTIC):
    """What models say of each part after learning from the others."""
    texts, label_ids = np.array(dataset.cells("train")), dataset.truth("train").argmax(axis=1)
    ids = dataset.corpus.examples["id"].iloc[dataset.split.train].to_numpy()
    expected = np.zeros((len(texts), len(dataset.corpus.labels)))
    parts = [pd.read_csv(path, dtype={"id": str}) for path in sorted(folder.glob("part-*.csv"))]
    for part in parts:
        is_answered = np.isin(ids, part["id"])
        model = form.build(0, "text")
        model.fit(texts[~is_answered], label_ids[~is_answered])
        expected[is_answered] = model.predict_proba(texts[is_answered])
    assert sum(map(len, parts)) == len(texts)
    return expected


def test_a_network_learns_labels_mixed_with_answers_to_what_the_teacher_has_not_seen(
    fit, toy, baseline, learned
):
    directory = fit(teacher=str(baseline), teacher_share=0.7, teacher_temperature=2.0)
    dataset = dataset_of(toy)
    (folder,) = (directory.parents[1] / "teachers").iterdir()
    answers = answers_by_hand(dataset, folder)
    softened = np.sqrt(answers) / np.sqrt(answers).sum(axis=1, keepdims=True)
    ((_, found),) = learned
    expected = 0.7 * softened + 0.3 * dataset.truth("train")
    np.testing.assert_allclose(found, expected, atol=1e-5)
    run = record.read_run(directory)
    assert run["training"]["teacher"] == str(baseline)
    assert len(run["teacher_sha256"]) == 64


def test_parts_have_no_subject_and_no_text_in_common(write):
    people, labels = "abcdefghijklmnopqrst", ("joy", "fear")
    rows = [
        f"{label} {n} of {who},{label},{who}" for who in people for label in labels for n in "12"
    ]
    path = write("grouped.csv", "text,label,who\n" + "\n".join(rows))
    data = DataOptions.make(data=str(path), group_column="who")
    dataset = read_dataset(data, {}, lambda message: None)
    from emotion_keras.data.splits import part_by_subject

    positions = dataset.split.train
    parts = part_by_subject(dataset.corpus, positions, 3, 0)
    of_part = pd.Series(dataset.subjects("train")).groupby(parts).agg(set)
    assert len(of_part) == 3
    assert sum(map(len, of_part)) == len(set(dataset.subjects("train")))


def test_answers_that_are_there_are_taken_and_missing_ones_are_made(fit, baseline, monkeypatch):
    first = fit(teacher=str(baseline))
    (folder,) = (first.parents[1] / "teachers").iterdir()
    before = {path.name: path.read_bytes() for path in folder.glob("part-*.csv")}
    (folder / "part-1.csv").unlink()
    made, train = [], teacher_module.train_baseline

    def watch(dataset, *arguments, **options):
        made.append(len(dataset.split.train))
        return train(dataset, *arguments, **options)

    monkeypatch.setattr(teacher_module, "train_baseline", watch)
    fit(teacher=str(baseline), seed=1)
    assert len(made) == 1
    assert {path.name: path.read_bytes() for path in folder.glob("part-*.csv")} == before


def test_unlabelled_texts_are_answered_by_the_teacher_as_it_is(fit, toy, baseline, learned, write):
    from emotion_keras.inference.load import load_model

    dataset = dataset_of(toy)
    test_text = dataset.cells("test")[0]
    more = write("more.csv", f"text\nwe sang\n\nWe  SANG\n{test_text}\nthey hid from it\n")
    messages = []
    directory = train_run(
        **toy, teacher=str(baseline), unlabelled=str(more), notify=messages.append
    )
    ((sequences, found),) = learned
    assert len(sequences) == len(dataset.split.train) + 2
    expected = load_model(baseline).probabilities(["we sang", "they hid from it"])
    np.testing.assert_allclose(found[-2:], expected, atol=1e-6)
    said = next(message for message in messages if "without labels" in message)
    assert "2 of 4 texts" in said or "2 of 5 texts" in said
    assert "1 in a split of the data" in said and "1 repeated" in said
    assert record.read_run(directory)["training"]["unlabelled"] == str(more)


def test_a_network_may_teach(fit, toy, learned):
    teacher = fit(study="teach")
    fit(teacher=str(teacher), teacher_parts=2, seed=1)
    sizes = [len(sequences) for sequences, _ in learned]
    assert len(sizes) == 4
    assert sizes[1] + sizes[2] == sizes[0] == sizes[3]


def test_a_combination_teaches_with_the_weights_of_its_members(fit, toy, make_baseline, learned):
    members = [make_baseline(), make_baseline(model="majority")]
    teacher = combine(members, runs_dir=toy["runs_dir"], notify=lambda message: None)
    directory = fit(teacher=str(teacher), teacher_share=1.0)
    dataset, weights = dataset_of(toy), []
    folders = sorted((directory.parents[1] / "teachers").iterdir())
    assert len(folders) == 2
    logs = 0
    for member in record.read_run(teacher)["members"]:
        run = record.read_run(teacher / "members" / member["run_id"])
        of_member = [
            answers_by_hand(dataset, folder, BASELINES[run["model"]]()) for folder in folders
        ]
        # Both folders hold the same texts by the same parts.
        np.testing.assert_allclose(*of_member)
        logs = logs + member["weight"] * np.log(of_member[0])
        weights.append(member["weight"])
    expected = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    ((_, found),) = learned
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert min(weights) > 0 and weights[0] != weights[1]


def test_another_teacher_or_share_is_another_run(fit, baseline, make_baseline):
    other = make_baseline(C=0.01)
    runs = {
        fit(),
        fit(teacher=str(baseline)),
        fit(teacher=str(other)),
        fit(teacher=str(baseline), teacher_share=0.9),
    }
    assert len(runs) == 4
    assert fit(teacher=str(baseline)) in runs


def test_a_lesson_mixes_answers_and_labels():
    lesson = Lesson(np.array([[0.6, 0.4]]), 0.25, ["more"], np.array([[0.1, 0.9]]))
    np.testing.assert_allclose(lesson.mix(np.array([[0.0, 1.0]])), [[0.15, 0.85], [0.1, 0.9]])


def test_what_cannot_teach_is_refused(fit, toy, baseline, make_baseline, write, capsys):
    elsewhere = write("nights.csv", Path(toy["data"]).read_text().replace("day", "night"))
    foreign = make_baseline(data=str(elsewhere))
    with pytest.raises(UserError, match="cannot be the teacher: it differs.*the corpus"):
        fit(teacher=str(foreign))
    split_otherwise = make_baseline(split_seed=3)
    with pytest.raises(UserError, match=r"the split \(--split-seed=3 .*; --split-seed=0 "):
        fit(teacher=str(split_otherwise))
    taught = fit(teacher=str(baseline))
    with pytest.raises(UserError, match="it had one itself. Name that in its place"):
        fit(teacher=str(taught))
    with pytest.raises(UserError, match="leave out `--balance`"):
        fit(teacher=str(baseline), balance="oversample")
    with pytest.raises(UserError, match="need a teacher.*`--teacher`.*unlabelled="):
        fit(unlabelled=str(elsewhere))
    with pytest.raises(UserError, match="need a teacher.*teacher_share=0.9"):
        fit(teacher_share=0.9)
    empty = write("empty.csv", "text\n\n")
    with pytest.raises(UserError, match="empty.csv"):
        fit(teacher=str(baseline), unlabelled=str(empty))
    assert fit_command.main(["--data", toy["data"], "--teacher", "nowhere"]) == 2
    assert "There is no finished run in nowhere" in capsys.readouterr().err
    assert fit_command.main(["--model", "tfidf_svm", "--teacher", str(baseline)]) == 2
    assert "teacher is an option of networks" in capsys.readouterr().err
