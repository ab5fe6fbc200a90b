"""Labels from columns of 0 and 1, from cells with separators, and from lists."""

import json

import pandas as pd
import pytest

from emotion_keras.data import load_corpus
from emotion_keras.data.options import Reading
from emotion_keras.errors import UserError

COLUMNS = {
    "text": ["a", "b", "c", "d"],
    "emotion_joy": [1, 0, 1, 0],
    "emotion_fear, or dread": [1, 1, 0, 0],
}
JOY, DREAD = "emotion_joy", "emotion_fear, or dread"


def loaded(path, **options):
    """The cells of the labels that are read of a file, and the labels."""
    corpus = load_corpus(path, notify=lambda message: None, **options)
    assert corpus.target.name == "multi"
    assert corpus.target.cells(corpus.truth[corpus.are_labelled]) == [
        cell for cell in corpus.examples["label"] if cell
    ]
    return corpus.examples["label"].tolist(), corpus.labels


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet", "a.xlsx"])
@pytest.mark.parametrize("kind", ["int", "float", "bool", "Int8", "object"])
def test_columns_of_0_and_1_in_any_kind_of_table(tmp_path, name, kind):
    frame = pd.DataFrame(COLUMNS).astype({JOY: kind, DREAD: kind})
    if kind == "object":  # Words, and a row of which nothing is known.
        frame[[JOY, DREAD]] = frame[[JOY, DREAD]].replace({1: "TRUE", 0: "False"})
        frame.loc[4] = ["e", None, None]
    path = tmp_path / name
    if name == "a.parquet":
        frame.to_parquet(path)
    elif name == "a.jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif name == "a.xlsx":
        pytest.importorskip("openpyxl", reason="writing a workbook needs openpyxl")
        frame.to_excel(path, index=False)
    else:
        frame.to_csv(path, index=False, sep="," if name == "a.csv" else "\t")
    cells = [f'{JOY},"{DREAD}"', f'"{DREAD}"', JOY, "(none)"]
    cells += [""] * (kind == "object")
    assert loaded(path, label_columns="emotion_*") == (cells, (JOY, DREAD))
    # In the order of the names, which are those of the class ids.
    cells[0] = f'"{DREAD}",{JOY}'
    assert loaded(path, label_columns=f'"{DREAD}", {JOY}') == (cells, (DREAD, JOY))


def test_a_name_that_looks_like_a_pattern_is_a_name(write):
    path = write("a.csv", "text,joy?,joyx,fear\na,1,0,1\nb,0,1,0\n")
    assert loaded(path, label_columns="joy?,fear") == (["joy?,fear", "(none)"], ("joy?", "fear"))


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("a,1,0\nb,2,0\n", "joy,fear", "row 2, columns 'joy' to 'fear'.*'joy' is '2'"),
        ("a,1,\n", "joy,fear", "row 1.*'fear' is ''.*leave all of them empty"),
        ("a,1,0.5\n", "joy,fear", "row 1.*'fear' is '0.5'"),
        ("a,1,0\n", "joy,feer", "no column 'feer'. Did you mean fear.*Received: label_columns="),
        ("a,1,0\n", "joy,j*", "'joy' is asked for twice.*Received: label_columns='joy,j\\*'"),
        ("a,1,0\n", "text,joy", "same column.*Received: 'text' as both"),
    ],
)
def test_columns_that_are_refused(write, content, columns, message):
    with pytest.raises(UserError, match=message):
        load_corpus(write("a.csv", f"text,joy,fear\n{content}"), label_columns=columns)


def test_a_name_of_two_columns_is_refused(write):
    path = write("a.csv", "text,joy,joy,fear\na,1,0,1\nb,0,1,1\n")
    with pytest.raises(UserError, match="several of that name.*Received: label_columns='joy,fear'"):
        load_corpus(path, label_columns="joy,fear")
    with pytest.raises(UserError, match="cannot be a label"):
        load_corpus(write("b.csv", "text,(none),joy\na,1,0\n"), label_columns="(none),joy")


@pytest.mark.parametrize(
    ("separator", "text"), [(None, ","), (";", ";"), ("|", "|"), (" / ", " / ")]
)
def test_labels_with_a_separator_between_them(write, separator, text):
    given = ["joy", "fear, joy", "joy, fear, fear", "(none)", "", " ,", "anger,\u200b,joy"]
    cells = [cell.replace(", ", ",").replace(",", text) for cell in given]
    path = write("a.jsonl", "".join(json.dumps({"text": "a", "label": c}) + "\n" for c in cells))
    expected = ["joy", "fear,joy", "fear,joy", "(none)", "", "", "anger,joy"]
    options = {"target": "multi"} if separator is None else {"label_separator": separator}
    assert loaded(path, **options) == (expected, ("anger", "fear", "joy"))


LISTS = [["joy"], ["joy", "cole\u0300re, ou rage", "joy"], [], None, ["fear"]]
OF_LISTS = ["joy", '"col\u00e8re, ou rage",joy', "(none)", "", "fear"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "of strings.jsonl", "a.parquet"])
def test_lists_of_labels(tmp_path, name):
    path = tmp_path / name
    texts = [*"abcde"]
    if name == "a.jsonl":
        rows = [{"text": t, "label": v} for t, v in zip(texts, LISTS, strict=True)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        values = LISTS
        if name != "a.parquet":
            values = [None if value is None else json.dumps(value) for value in LISTS]
        frame = pd.DataFrame({"text": texts, "label": values})
        if name == "a.parquet":
            frame.to_parquet(path)
        elif name == "a.csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_json(path, orient="records", lines=True)
    labels = ("col\u00e8re, ou rage", "fear", "joy")
    assert loaded(path, target="multi") == (OF_LISTS, labels)
    if name in ("a.jsonl", "a.parquet"):
        with pytest.raises(UserError, match="one value"):
            load_corpus(path)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("[joy", "row 2, column 'label'.*no JSON list of labels: '\\[joy'"),
        ('["joy", ""]', "row 2.*holds an empty one"),
        ('["joy", ["fear"]]', "row 2.*one value is needed"),
    ],
)
def test_lists_that_are_refused(write, cell, message):
    lines = [json.dumps({"text": "a", "label": one}) for one in ("joy", cell)]
    with pytest.raises(UserError, match=message):
        load_corpus(write("a.jsonl", "\n".join(lines)), target="multi")


def test_the_kind_of_label_follows_from_the_options():
    assert Reading().target == "single"
    assert Reading(label_columns="a,b").target == "multi"
    assert Reading(label_separator=";").target == "multi"
    assert Reading(target="multi", label_column="mood").target == "multi"
    (again,) = [Reading(**Reading(label_columns="a,b").to_dict())]
    assert again == Reading(label_columns="a,b")


@pytest.mark.parametrize(
    ("options", "received"),
    [
        ({"label_columns": "a,b", "target": "single"}, "label_columns='a,b'"),
        ({"label_separator": ";", "target": "single"}, "label_separator=';'"),
        ({"label_columns": "a,b", "label_column": "c"}, "label_column='c'"),
        ({"label_columns": "a,b", "label_separator": ";"}, "label_separator=';'"),
        ({"label_separator": ""}, "label_separator=''"),
        ({"label_columns": ""}, "label_columns=''"),
    ],
)
def test_options_that_do_not_go_together(options, received):
    with pytest.raises(UserError, match=f"Received: .*{received}$"):
        Reading(**options)


def test_known_corpora_have_labels_of_their_own():
    with pytest.raises(UserError, match="they are known.*Received: label_columns='joy,fear'"):
        load_corpus("situations", label_columns="joy,fear")
