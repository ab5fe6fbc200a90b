"""Attributes: which are known, and how their values become groups."""

import numpy as np
import pytest

from emotion_keras.data import load_corpus, prepare
from emotion_keras.data.attributes import names_of
from emotion_keras.data.options import Reading, identifying
from emotion_keras.data.recorded_corpora import recognise
from emotion_keras.errors import UserError


@pytest.fixture
def table(write):
    """Writes a table of texts with columns of values."""

    def make(**columns):
        number = len(next(iter(columns.values())))
        rows = zip(*columns.values(), strict=True)
        lines = [
            ",".join([f"text {i}", "joy" if i % 2 else "fear", *map(str, row)])
            for i, row in zip(range(number), rows, strict=True)
        ]
        return write("days.csv", "\n".join([",".join(["text", "label", *columns]), *lines]) + "\n")

    return make


def test_columns_are_read_as_they_are_and_what_is_missing_is_empty(table):
    path = table(country=["Chad", " Peru ", "", "Peru"], sex=list("fmfm"), other=list("abcd"))
    corpus = load_corpus(path, attributes="country,sex")
    assert corpus.attributes == {"country": ["Chad", "Peru", "", "Peru"], "sex": list("fmfm")}
    assert load_corpus(path).attributes == {}


def test_a_list_of_names_is_the_same_as_names_with_commas():
    assert Reading(attributes=["country", "age, in years"]).attributes == 'country,"age, in years"'
    assert names_of('country,"age, in years",country') == ["country", "age, in years"]
    assert names_of(None) == []


def test_numbers_of_many_values_are_binned_by_quantiles(table):
    # Quartiles of 1 to 20 are 5.75, 10.5 and 15.25.
    ages = [str(age) for age in range(1, 21)]
    corpus = load_corpus(table(age=[*ages, ""]), attributes="age")
    bins = ["1 to 5", "6 to 10", "11 to 15", "16 to 20"]
    assert corpus.attributes["age"] == [*np.repeat(bins, 5), ""]


def test_a_bin_of_one_number_has_its_name_and_few_numbers_stay(table):
    # All three quartiles are 30.
    values = [*range(10), *[30] * 30, 40.5]
    found = load_corpus(table(age=values), attributes="age").attributes["age"]
    assert found == ["0 to 30"] * 40 + ["40.5"]
    few = load_corpus(table(stars=["1", "2", "3", "4"] * 3), attributes="stars")
    assert set(few.attributes["stars"]) == {"1", "2", "3", "4"}


def test_too_many_values_are_no_groups(table):
    path = table(town=[f"town {number}" for number in range(37)])
    message = "'town' has 37 different values.*at most 36.*Received: attributes='town'"
    with pytest.raises(UserError, match=message):
        load_corpus(path, attributes="town")
    assert len(load_corpus(table(town=["a", "b"] * 19), attributes="town").attributes) == 1


def test_an_unknown_column_is_named_with_one_that_may_be_meant(table):
    with pytest.raises(UserError, match=r"no column 'contry'\. Did you mean country\?"):
        load_corpus(table(country=["Chad", "Peru"]), attributes="contry")
    with pytest.raises(UserError, match=r"'sax'\. .*Known are: age. Received: attributes='sax'"):
        load_corpus("situations", attributes="sax")


def test_what_the_preparation_removes_takes_its_attributes_along(table):
    path = table(country=["Chad", "Peru", "Mali", "Togo"])
    path.write_text(path.read_text().replace("text 1", "!!"))
    corpus, _ = prepare(load_corpus(path, attributes="country"))
    texts = corpus.examples["text"].tolist()
    assert dict(zip(texts, corpus.attributes["country"], strict=True)) == {
        "text 0": "Chad",
        "text 2": "Mali",
        "text 3": "Togo",
    }


def test_the_built_in_corpus_knows_ages():
    found = load_corpus("situations").attributes
    assert list(found) == ["age"] and len(set(found["age"])) == 4


@pytest.mark.parametrize(
    "name, expected",
    [
        ("03-01-05-02-01-01-24.wav", {"sex": "female", "intensity": "strong"}),
        ("03-01-01-01-01-01-07.wav", {"sex": "male", "intensity": "normal"}),
        ("03a01Wa.wav", {"sex": "male"}),
        ("16b10Nb.wav", {"sex": "female"}),
        ("1001_DFA_ANG_LO.wav", {"intensity": "low"}),
        ("1091_WSI_NEU_XX.wav", {"intensity": ""}),
    ],
)
def test_names_of_known_recordings_say_attributes(name, expected):
    described = recognise([name]).describe(name)
    found = {key.removeprefix("attribute:"): described[key] for key in list(described)[2:]}
    assert found == expected


def test_attributes_are_no_part_of_what_tells_a_run_from_others():
    assert identifying({"attributes": "country", "seed": 1}) == {"seed": 1}
