"""Splits that a corpus comes with, in tables of texts and of images and in folders."""

import io
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from emotion_keras.data import load_corpus, prepare, split
from emotion_keras.data.official_splits import read_split, read_splits
from emotion_keras.errors import UserError
from tests.fixtures.images import DIRECTIONS, bars


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


def quiet(message):
    """Says nothing."""


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Training", "train"), ("PublicTest", "val"), ("PrivateTest", "test"), ("DEV", "val")]
    + [("validation ", "val"), ("test-set", "test"), ("eval", None), ("1", None), ("", None)],
)
def test_spellings(name, expected):
    assert read_split(name) == expected


def test_what_stands_for_no_split_is_named_with_what_is_accepted(tmp_path):
    with pytest.raises(UserError, match="'fold 1', ''.*train: train, trn.*split_column='part'"):
        read_splits(["train", "fold 1", "", "test"], tmp_path, "part")
    with pytest.raises(UserError, match="no example is in test.*split_column='part'"):
        read_splits(["train", "dev"], tmp_path, "part")


@pytest.fixture
def table(tmp_path):
    """30 texts of two labels, of which a few stand in two splits."""
    rows = [(f"text number {i}", "ab"[i % 2], ["train", "dev", "test"][i // 10]) for i in range(30)]
    rows += [("text number 20", "a", "train"), ("text number 21", "b", "train")]  # Of test.
    rows += [("text number 10", "a", "train")]  # Of val.
    rows += [("text number 22", "a", "dev")]  # Of test.
    rows += [("text number 0", "a", "train")]  # Within train.
    rows += [("text number 1", "a", "test")]  # Another label.
    path = tmp_path / "table.csv"
    pd.DataFrame(rows[::-1], columns=["text", "label", "part"]).to_csv(path, index=False)
    return path


def test_an_official_split_is_taken_and_its_leaks_are_counted(table):
    corpus, audit = prepare(load_corpus(table, split_column="part", notify=quiet))
    found = split(corpus)
    texts = corpus.examples["text"]
    of_split = {name: set(texts.iloc[getattr(found, name)]) for name in ("train", "val", "test")}
    # The text with two labels is in none.
    assert of_split["train"] == {f"text number {i}" for i in (0, *range(2, 10))}
    assert of_split["val"] == {f"text number {i}" for i in range(10, 20)}
    assert of_split["test"] == {f"text number {i}" for i in range(20, 30)}
    assert audit.to_dict()["leaks"] == {"train in val": 1, "train in test": 3, "val in test": 1}
    assert "train in val 1, train in test 3, val in test 1" in str(audit)
    assert found.protocol["official"] and found.protocol["test_size"] is None


def test_repeats_that_are_kept_stay_where_they_are(table):
    corpus, _ = prepare(load_corpus(table, split_column="part", notify=quiet), repeats="keep")
    found = split(corpus)
    assert (len(found.train), len(found.val), len(found.test)) == (14, 11, 11)


def test_folds_are_made_whatever_the_official_split(table):
    corpus, _ = prepare(load_corpus(table, split_column="part", notify=quiet))
    found = split(corpus, folds=3, fold=0, val_size=0.2)
    assert len(found.test) == pytest.approx(len(corpus) / 3, abs=1)
    assert "official" not in found.protocol


def test_without_val_a_part_of_train_becomes_that(tmp_path):
    rows = [(f"text {i}", "ab"[i % 2], "train" if i < 60 else "test") for i in range(80)]
    path = tmp_path / "table.csv"
    pd.DataFrame(rows, columns=["text", "label", "split"]).to_csv(path, index=False)
    corpus, _ = prepare(load_corpus(path, split_column="split", notify=quiet))
    first, again, other = (split(corpus, split_seed=seed) for seed in (0, 0, 1))
    assert (len(first.train), len(first.val), len(first.test)) == (52, 8, 20)
    assert np.bincount(corpus.label_ids[first.val]).tolist() == [4, 4]
    assert first.val.tolist() == again.val.tolist() != other.val.tolist()
    assert first.test.tolist() == other.test.tolist() == list(range(60, 80))


def test_a_folder_may_have_folders_of_the_splits(images, tmp_path):
    for label in DIRECTIONS:
        for i in range(10):
            part = "Training" if i < 6 else "PublicTest" if i < 8 else "PrivateTest"
            target = tmp_path / "faces" / part / label
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(images / label / f"{i}.png", target)
    corpus = load_corpus(tmp_path / "faces", notify=quiet)
    assert (corpus.modality.name, corpus.labels) == ("image", tuple(sorted(DIRECTIONS)))
    found = split(prepare(corpus)[0])
    assert (len(found.train), len(found.val), len(found.test)) == (18, 6, 6)


def png(array):
    written = io.BytesIO()
    Image.fromarray(array).save(written, "PNG")
    return written.getvalue()


USAGES = ("Training", "PublicTest", "PrivateTest")


def test_both_forms_of_fer2013_are_known_and_hold_the_same(tmp_path):
    faces = [bars(DIRECTIONS["across"], seed=i) for i in range(21)]
    usages = [USAGES[i // 7] for i in range(21)]
    numbers = [i % 7 for i in range(21)]
    names = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    pixels = [" ".join(map(str, face.ravel().tolist())) for face in faces]
    pd.DataFrame({"emotion": numbers, "pixels": pixels, "Usage": usages}).to_csv(
        tmp_path / "original.csv", index=False
    )
    cells = [{"bytes": png(face), "path": f"{i}.png"} for i, face in enumerate(faces)]
    labels = [names[number] for number in numbers]
    pd.DataFrame({"image": cells, "label": labels, "usage": usages}).to_parquet(
        tmp_path / "faces.parquet"
    )
    both = []
    for name in ("original.csv", "faces.parquet"):
        corpus = load_corpus(tmp_path / name, modality="image", notify=quiet)
        assert (corpus.name, list(corpus.labels)) == ("fer2013", names)
        assert corpus.examples["label"].tolist() == labels
        assert corpus.examples["split"].tolist() == ["train"] * 7 + ["val"] * 7 + ["test"] * 7
        for cell, face in zip(corpus.cells, faces, strict=True):
            np.testing.assert_array_equal(np.asarray(Image.open(cell)), face)
        both.append([corpus.modality.fold(cell) for cell in corpus.cells])
    assert both[0] == both[1]
    with pytest.raises(UserError, match="add `--modality image`"):
        load_corpus(tmp_path / "original.csv", notify=quiet)


@pytest.mark.parametrize("pixels", [" ".join(["7"] * 65), " ".join(["300"] * 64)])
def test_numbers_that_are_no_square_of_pixels_are_refused(tmp_path, pixels):
    path = tmp_path / "a.csv"
    path.write_text(f"pixels,label\n{pixels},happy\n")
    with pytest.raises(UserError, match="row 1, column 'pixels': 6[45] numbers"):
        load_corpus(path, modality="image", notify=quiet)
