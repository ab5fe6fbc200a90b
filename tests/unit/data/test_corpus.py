"""Which corpus is loaded, and what happens when ISEAR cannot be downloaded."""

import hashlib
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest

from emotion_keras.data import corpus as corpus_module
from emotion_keras.data import isear, load_corpus, situations
from emotion_keras.data.corpus import number_cells
from emotion_keras.errors import UserError
from emotion_keras.inputs import TextInput

TINY_ISEAR = "ID|CITY|COUN|SUBJ|\n" + "".join(
    "|".join(["7", *["1"] * 35, label, "4", "3", "0", f"Text {label}.|1|\n"])
    for label in isear.LABELS
)
TINY_SITUATIONS = (
    "respondent,age,country,occupation,label,text\n"
    "001,30,Chad,baker,joy,The oven held.\n"
    '001,30,Chad,baker,shame,"Burnt it all, twice."\n'
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty Keras folder, a tiny ISEAR as the known one, a tiny built-in corpus."""
    home = tmp_path / "keras"
    (home / "datasets").mkdir(parents=True)
    monkeypatch.setenv("KERAS_HOME", str(home))
    monkeypatch.setattr(isear, "SHA256", hashlib.sha256(TINY_ISEAR.encode()).hexdigest())
    built_in = tmp_path / "situations.csv"
    built_in.write_text(TINY_SITUATIONS)
    monkeypatch.setattr(situations, "path", lambda: built_in)
    return home


@pytest.fixture
def keras(monkeypatch):
    """Stands in for Keras, so that no backend is imported: set what `get_file` does."""
    module = types.ModuleType("keras.utils")
    monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
    monkeypatch.setitem(sys.modules, "keras.utils", module)
    monkeypatch.setattr(corpus_module, "_probe", lambda: None)
    return module


def download_to(home, content):
    def get_file(fname, origin, *, file_hash, hash_algorithm):
        path = home / "datasets" / fname
        path.write_text(content)
        if hashlib.new(hash_algorithm, content.encode()).hexdigest() != file_hash:
            raise ValueError("Incomplete or corrupted file detected.")
        assert origin == isear.URL
        return str(path)

    return get_file


def no_network(*args, **kwargs):
    raise OSError("Network is unreachable")


def test_own_file(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("text,label,who\na,sad,x\nb, glad ,\nc,,x\nd,sad,y\n")
    corpus = load_corpus(path, group_column="who")
    assert corpus.name == "mine"
    assert corpus.source == str(path)
    assert corpus.licence == "unknown"
    assert corpus.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert corpus.labels == ("glad", "sad")
    assert corpus.label_ids.dtype == np.int32
    assert corpus.label_ids.tolist() == [1, 0, -1, 1]
    assert corpus.examples["id"].tolist() == ["1", "2", "3", "4"]
    assert corpus.examples["subject"].tolist() == ["x", "row 2", "x", "y"]
    assert corpus.has_groups
    assert len(corpus) == 4


def test_without_groups_each_example_is_its_own_subject(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("text,label\na,sad\nb,glad\n")
    corpus = load_corpus(str(path))
    assert corpus.examples["subject"].tolist() == ["1", "2"]
    assert not corpus.has_groups


def test_texts_taken_for_labels(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("text,label\n" + "".join(f"joy,text {n}\n" for n in range(501)))
    with pytest.raises(UserError, match="501 different values.*'text 0'.*--label-column"):
        load_corpus(path)


def test_own_file_is_not_taken_for_isear_by_its_name(tmp_path):
    path = tmp_path / "isear.csv"
    path.write_text("text,label\na,sad\nb,glad\n")
    assert load_corpus(path).name == "isear_file"


def test_texts_that_count_as_the_same_have_one_number():
    numbers, folded = number_cells(TextInput, ["A  b", "c", "a B ", "STRASSE", "straße"])
    assert numbers.tolist() == [0, 1, 0, 2, 2]
    assert folded == ["a b", "c", "strasse"]


def test_situations(home):
    corpus = load_corpus("situations")
    assert corpus.name == "situations"
    assert corpus.labels == isear.LABELS
    assert corpus.examples["subject"].tolist() == ["001", "001"]
    assert corpus.examples["text"].tolist() == ["The oven held.", "Burnt it all, twice."]
    assert corpus.licence.startswith("CC0")


def test_columns_are_for_files_alone(home):
    with pytest.raises(UserError, match="Received: label_column='emotion'"):
        load_corpus("situations", label_column="emotion")


@pytest.mark.parametrize("data", ["isear", "auto"])
def test_cached_isear_needs_neither_network_nor_keras(home, monkeypatch, data):
    (home / "datasets" / "isear.csv").write_text(TINY_ISEAR)
    monkeypatch.setattr(corpus_module, "_probe", no_network)
    monkeypatch.setitem(sys.modules, "keras", None)
    notices = []
    corpus = load_corpus(data, notify=notices.append)
    assert corpus.name == "isear"
    assert corpus.examples["text"].iloc[0] == "Text joy."
    assert notices == []


@pytest.mark.parametrize("data", ["isear", "auto"])
def test_isear_is_downloaded_and_kept(home, keras, data):
    keras.get_file = download_to(home, TINY_ISEAR)
    corpus = load_corpus(data)
    assert corpus.name == "isear"
    assert Path(corpus.source) == home / "datasets" / "isear.csv"
    assert [path.name for path in (home / "datasets").iterdir()] == ["isear.csv"]


def test_corrupted_download(home, keras):
    keras.get_file = download_to(home, TINY_ISEAR[:-9])
    with pytest.raises(UserError, match="download is damaged.*--data path"):
        load_corpus("isear")
    notices = []
    assert load_corpus("auto", notify=notices.append).name == "situations"
    assert "download is damaged" in notices[0]
    assert list((home / "datasets").iterdir()) == []


def test_corrupted_cache(home):
    cached = home / "datasets" / "isear.csv"
    cached.write_text(TINY_ISEAR[:-9])
    with pytest.raises(UserError, match="cached ISEAR file .* is damaged.*Delete it"):
        load_corpus("isear")
    notices = []
    assert load_corpus("auto", notify=notices.append).name == "situations"
    assert str(cached) in notices[0]


def test_no_network(home, monkeypatch, capsys):
    monkeypatch.setattr(corpus_module, "_probe", no_network)
    with pytest.raises(UserError) as caught:
        load_corpus("isear")
    message = str(caught.value)
    assert "Network is unreachable" in message
    assert isear.URL in message
    assert str(home / "datasets" / "isear.csv") in message
    assert load_corpus().name == "situations"
    printed = capsys.readouterr().out
    assert "NOT ISEAR" in printed
    assert "situations" in printed


def test_network_that_swallows_everything(home, keras, monkeypatch):
    monkeypatch.setattr(corpus_module, "_PROBE_SECONDS", 0.2)
    monkeypatch.setattr(corpus_module, "_DOWNLOAD_SECONDS", {"auto": 0.2, "isear": 0.2})
    start = time.monotonic()
    monkeypatch.setattr(corpus_module, "_probe", lambda: time.sleep(30))
    assert load_corpus(notify=lambda notice: None).name == "situations"
    monkeypatch.setattr(corpus_module, "_probe", lambda: None)
    keras.get_file = lambda *args, **kwargs: time.sleep(30)
    notices = []
    assert load_corpus(notify=notices.append).name == "situations"
    assert "no answer within 0.2 s" in notices[0]
    assert time.monotonic() - start < 5


def test_time_limits_of_auto_leave_room_below_ten_seconds():
    assert corpus_module._PROBE_SECONDS + corpus_module._DOWNLOAD_SECONDS["auto"] < 10


def test_data_package_imports_no_keras():
    import subprocess

    code = (
        "import sys, emotion_keras.data; "
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
