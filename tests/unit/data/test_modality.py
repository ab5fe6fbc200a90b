"""A modality that the software does not know, from a table to the arrays of its splits."""

import numpy as np
import pytest

from emotion_keras.data import load_corpus, prepare, split
from emotion_keras.data.dataset import Dataset
from emotion_keras.data.near_repeats import count_near_repeats
from emotion_keras.data.noise import TrainingNoise, perturb
from emotion_keras.data.options import identifying
from emotion_keras.errors import UserError
from emotion_keras.inputs import INPUTS
from emotion_keras.studies.contenders import full_name
from emotion_keras.training.settings import Settings, stage_classes
from tests.toys import NumbersInput, NumbersOptions


@pytest.fixture(autouse=True)
def numbers(monkeypatch):
    monkeypatch.setitem(INPUTS, "numbers", NumbersInput)


@pytest.fixture
def path(write):
    """40 sequences of one to four numbers, a repeat, an empty cell and one without label."""
    rows = [f"{' '.join([str(i)] * (1 + i % 4))},{'up' if i % 2 else 'down'}" for i in range(40)]
    return write("series.csv", "\n".join(["series,label", *rows, "1.0 1,up", ",up", "7,", ""]))


def test_from_a_table_to_arrays(path):
    said = []
    corpus = load_corpus(path, modality="numbers", notify=said.append)
    assert said == [] and corpus.modality is NumbersInput
    assert corpus.cells[:3] == ["0.0", "1.0 1.0", "2.0 2.0 2.0"]
    prepared, audit = prepare(corpus)
    removed = {reason for step in audit.to_dict()["steps"] for reason in step["removed"]}
    assert removed == {"empty numbers", "no label", "repeat"}
    assert (len(corpus), len(prepared)) == (43, 40)
    # A quarter of the cells have one number, a quarter two, ...
    assert audit.to_dict()["numbers"]["mean"] == 2.5
    assert "Repeated sequences: 1, found in 2 examples" in str(audit)
    dataset = Dataset(prepared, audit, split(prepared))
    cells = [dataset.cells(name) for name in ("train", "val", "test")]
    assert sorted(sum(cells, [])) == sorted(prepared.cells)
    encoded = NumbersInput.learn(cells[0]).encode(cells[2])
    expected = [float(x) for cell in cells[2] for x in cell.split()]
    scale = max(float(x) for cell in cells[0] for x in cell.split())
    np.testing.assert_allclose(encoded.values[:, 0], np.array(expected) / scale, rtol=1e-6)
    found = count_near_repeats(cells[0], [cells[0][0], "-5.0"], modality=NumbersInput)
    assert (found["texts"], found["checked"]) == (1, 2)


def test_a_cell_that_is_none_is_named_with_its_row(write):
    path = write("bad.csv", "numbers,label\n1 2,up\n3 x,down\n")
    with pytest.raises(UserError, match=r"row 2, column 'numbers': no numbers.*'3 x'"):
        load_corpus(path, modality="numbers")


def test_the_column_is_guessed_by_the_usual_names_of_the_modality(write):
    path = write("text.csv", "text,label\n1 2,up\n3,down\n")
    with pytest.raises(UserError, match="which column holds the numbers.*--text-column"):
        load_corpus(path, modality="numbers")
    assert load_corpus(path, modality="numbers", text_column="text").cells == ["1.0 2.0", "3.0"]


@pytest.mark.parametrize("data", ["situations", "auto"])
def test_a_corpus_of_texts_is_of_no_other_modality(data):
    with pytest.raises(UserError, match=f"{data}.*corpus of texts.*modality='numbers'"):
        load_corpus(data, modality="numbers")


def test_an_unknown_modality_is_refused(path):
    with pytest.raises(UserError, match="Accepted: text, speech, image, .*numbers, .*Rec.*'smell'"):
        load_corpus(path, modality="smell")


def test_a_modality_has_noises_of_its_own():
    assert perturb(["1 2"], "flip_sign", 1.0, modality=NumbersInput) == ["-1 -2"]
    noise = TrainingNoise(0, noise="flip_sign:0.5,labels:0.1", modality=NumbersInput)
    assert noise.touches_cells and noise.perturb(["3"], epoch=0) == ["-3"]
    with pytest.raises(UserError, match="Accepted: flip_sign, labels. Received: 'typos'"):
        TrainingNoise(0, noise="typos:0.5", modality=NumbersInput)


def test_too_few_examples_are_called_by_their_name(write):
    path = write("few.csv", "numbers,label\n1,up\n2,up\n3,down\n4,down\n")
    corpus, _ = prepare(load_corpus(path, modality="numbers"))
    with pytest.raises(UserError, match=r"Too few sequences.*up \(2 sequences\)"):
        split(corpus)


def test_settings_take_the_options_of_the_modality():
    settings = Settings.make(model="transformer", modality="numbers", sequence_length=3)
    assert isinstance(settings.inputs, NumbersOptions)
    assert (settings.inputs.encoder, settings.inputs.sequence_length) == ("scratch", 3)
    assert Settings.make(**settings.options()) == settings
    assert stage_classes("cnn", "numbers")["inputs"] is NumbersOptions
    assert full_name("transformer", "numbers") == "transformer@scratch"
    with pytest.raises(UserError, match="Unknown option.*token_dropout"):
        Settings.make(model="cnn", modality="numbers", token_dropout=0.1)


def test_a_modality_is_part_of_what_identifies_a_run_and_texts_are_as_before():
    text = Settings.make(model="cnn").reading.to_dict()
    assert "modality" in text and "modality" not in identifying(text)
    assert identifying({**text, "modality": "numbers"})["modality"] == "numbers"
    assert identifying({"clean": True, "epochs": 2}) == {"clean": True, "epochs": 2}
