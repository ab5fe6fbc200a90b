"""Media that come as bytes within a table."""

import os

import pandas as pd
import pytest
import soundfile

from emotion_keras.data import load_corpus
from emotion_keras.errors import UserError
from emotion_keras.inputs.media import read_cell, shrink_stored, store, stored_folder
from tests.fixtures.recordings import HERTZ, tone


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


def test_bytes_are_written_once_by_their_content():
    first = read_cell({"bytes": b"one", "path": "../../a.png"})
    assert read_cell(b"one") == first != read_cell(b"two")
    assert len([path for path in stored_folder().rglob("*") if path.is_file()]) == 2
    with open(first, "rb") as file:
        assert file.read() == b"one"


def test_a_structure_without_bytes_is_its_path_and_nothing_is_empty():
    assert read_cell({"bytes": None, "path": "a.png"}) == "a.png"
    assert read_cell({"bytes": None, "path": None}) == read_cell(None) == ""
    with pytest.raises(UserError, match="a list or an object"):
        read_cell(["a.png"])


def test_what_was_not_used_for_longest_is_removed_unless_it_is_in_use():
    paths = [store(content * 100) for content in (b"a", b"b", b"c", b"d")]
    for i, path in enumerate(paths):
        os.utime(path, (i, i))
    store(b"b" * 100)  # Now it was used last.
    assert shrink_stored([paths[0]], most=200) == 2
    assert [os.path.exists(path) for path in paths] == [True, True, False, False]


def test_recordings_in_parquet_are_read(tmp_path):
    for label, hertz in HERTZ.items():
        soundfile.write(tmp_path / f"{label}.wav", tone(hertz), 16000)
    rows = [
        {"bytes": (tmp_path / f"{label}.wav").read_bytes(), "path": f"{label}.wav"}
        for label in HERTZ
    ]
    path = tmp_path / "clips.parquet"
    pd.DataFrame({"audio": rows, "label": list(HERTZ)}).to_parquet(path)
    corpus = load_corpus(path, modality="speech", notify=lambda message: None)
    expected = [corpus.modality.content(str(tmp_path / f"{label}.wav")) for label in HERTZ]
    assert [corpus.modality.content(cell) for cell in corpus.cells] == expected
