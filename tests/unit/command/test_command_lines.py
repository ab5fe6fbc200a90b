"""What users type is what they get: on the command line, in files of options and in calls."""

import json
import os
from dataclasses import dataclass
from typing import Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_keras.command.options import make_parser
from emotion_keras.data import load_corpus, prepare, split
from emotion_keras.errors import UserError
from emotion_keras.inputs.text_encoders import find_encoder
from emotion_keras.record.options import Options, option, read_option, split_names
from emotion_keras.studies.comparison import CompareOptions
from emotion_keras.studies.contenders import read_settings


@dataclass(frozen=True, kw_only=True)
class Tend(Options):
    """How a plant is tended."""

    name: str = option("rose", "Which plant.")
    place: str | None = option(None, "Where it stands.")
    pots: list[str] | str | None = option(None, "What it stands in.")
    litres: int = option(1, "How much water.")
    limit: int | None = option(5, "How much at most.")
    sun: float = option(0.5, "How much light.")
    shade: bool = option(False, "Whether it wants shade.")
    when: Literal["auto", "on", "off", "no"] = option("auto", "When.")
    days: tuple[int, ...] = option((1,), "On which days.")


@pytest.fixture(scope="module")
def parser():
    return make_parser("tend", None, [Tend])


def in_three_ways(parser, folder, name, text):
    """What an option is by the command line, by files, and by a call."""
    files = {
        "options.yaml": yaml.safe_dump({name: text}, allow_unicode=True),
        "options.json": json.dumps({name: text}),
    }
    found = [getattr(parser.parse_args([f"--{name}={text}"]), name)]
    for file, content in files.items():
        (folder / file).write_text(content, encoding="utf-8")
        found.append(getattr(parser.parse_args(["--config", str(folder / file)]), name))
    return [*found, getattr(Tend(**{name: text}), name)]


TEXTS = [
    *("#joy,#sad", "#text", "null", "Null", "~", "None", "", " ", " joy", "joy ", "yes", "no"),
    *("on", "off", "true", "1e5", "1_000", "0x10", "010", "1:30", "12", "-1", ".inf", "nan"),
    *("2020-01-01", "a: b", "a:", "[x]", "[x", "{x}", "*x", "&x", "!x", "!!int 5", "%x", "@x"),
    *("`x`", '"quoted"', "'quoted'", "-x", "--", "--name", "=", "a=b", "- x", "? x", "|", ">"),
    *(
        "a\nb",
        "a\tb",
        "freude, größe",
        "喜び",
        "😀",
        "a\u2028b",
        "\ufeffjoy",
        "<<",
        "${HOME}",
        "\\n",
    ),
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["name", "place", "pots"])
def test_a_text_is_the_text_that_was_typed(parser, tmp_path, name, text):
    assert in_three_ways(parser, tmp_path, name, text) == [text] * 4


# Without what the encoding of files, or YAML's rules for the ends of lines, cannot hold.
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=20)
)
@settings(max_examples=50, deadline=None)
def test_any_text_is_the_text_that_was_typed(parser, tmp_path_factory, text):
    assert in_three_ways(parser, tmp_path_factory.getbasetemp(), "place", text) == [text] * 4


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("litres", "010", 10),
        ("litres", "1_000", 1000),
        ("litres", " 3 ", 3),
        ("limit", "null", None),
        ("limit", "7", 7),
        ("sun", "1e5", 1e5),
        ("sun", "1e-4", 1e-4),
        ("sun", "3", 3.0),
        ("shade", "yes", True),
        ("shade", "OFF", False),
        ("when", "on", "on"),
        ("when", "no", "no"),
        ("days", "[1, 02]", (1, 2)),
        ("days", "[]", ()),
    ],
)
def test_a_number_is_the_same_wherever_it_is_written(parser, tmp_path, name, text, value):
    path = tmp_path / "options.yaml"
    path.write_text(f"{name}: {text}\n")
    found = [
        getattr(parser.parse_args([f"--{name}={text}"]), name),
        getattr(parser.parse_args(["--config", str(path)]), name),
        getattr(Tend(**{name: text}), name),
    ]
    assert found == [value] * 3
    assert {type(one) for one in found} == {type(value)}


@pytest.mark.parametrize(
    "name, text",
    [
        *(
            ("litres", text)
            for text in ("1e5", "0x10", "1.0", "1:30", "", "true", "null", "9" * 5000)
        ),
        *(("sun", text) for text in ("1:30", ".inf", "", "true", "2020-01-01", "null")),
        *(("shade", text) for text in ("1", "0", "", "null", "y", "maybe")),
        *(("when", text) for text in ("true", "ON", "", "null")),
        *(("days", text) for text in ("1", "1,2", "[1", "[a]", "{1: 2}", "[[1]]", "", "[" * 5000)),
    ],
)
def test_what_is_no_such_value_is_refused_wherever_it_is_written(parser, name, text):
    for read in (
        lambda: parser.parse_args([f"--{name}={text}"]),
        lambda: Tend(**{name: text}),
    ):
        with pytest.raises(UserError, match=f"{name} is .* Received: {name}="):
            read()


@pytest.mark.parametrize(
    "content, message",
    [
        pytest.param("place: #text\n", "no value on line 1", id="a text begins with # unquoted"),
        pytest.param("name: a\nsun: 1\nname: b\n", "'name' twice", id="an option twice in YAML"),
        pytest.param('{"name": "a", "name": "b"}', "'name' twice", id="an option twice in JSON"),
        pytest.param("place: !secret x\n", "!secret", id="a tag of another program"),
        pytest.param("name: [a, b]\n", "name is a text", id="a list for a text"),
        pytest.param("[" * 3000, "nested too deeply", id="lists without an end"),
        pytest.param("", "holds no options", id="an empty file"),
    ],
)
def test_a_file_of_options_that_says_something_else_is_refused(parser, tmp_path, content, message):
    path = tmp_path / "options.yaml"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        parser.parse_args(["--config", str(path)])


def test_null_without_quotes_takes_an_option_of_a_file_back(tmp_path):
    path = tmp_path / "options.yaml"
    path.write_text("place: null\nlimit: ~\n")
    parser = make_parser("tend", None, [Tend], {"place": "window"})
    options = parser.parse_args(["--config", str(path)])
    assert (options.place, options.limit) == (None, None)


@pytest.mark.parametrize(
    "text, names",
    [
        ("joy,fear", ["joy", "fear"]),
        ("joy, fear ,", ["joy", "fear", ""]),
        ('joy,"fear, or dread"', ["joy", "fear, or dread"]),
        ('"say ""ah""",b', ['say "ah"', "b"]),
        ('5" pipe,b', ['5" pipe', "b"]),
        ("#joy,#sad", ["#joy", "#sad"]),
    ],
)
def test_names_in_a_list_may_hold_commas_in_quotes(text, names):
    assert split_names("labels", text) == names


def test_an_open_quote_is_told():
    with pytest.raises(UserError, match="labels are names with commas between them"):
        split_names("labels", '"joy,fear')


@pytest.mark.parametrize("labels", ['"joy, great",#sad', ["joy, great", "#sad"]])
def test_labels_with_commas_and_hashes_can_be_chosen(tmp_path, labels):
    path = tmp_path / "d.csv"
    rows = ['a,"joy, great"', "b,#sad", "c,fear"]
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    corpus, _ = prepare(load_corpus(path), labels=labels)
    assert corpus.labels == ("#sad", "joy, great")


def test_settings_of_a_study_are_read_as_options_are(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("networks: {jit: on, epochs: 010, learning_rate: 1e-4, freeze_encoder: true}\n")
    assert read_settings(str(path), ["cnn@scratch"])["networks"] == {
        "jit": "on",
        "epochs": 10,
        "learning_rate": 1e-4,
        "freeze_encoder": True,
    }


@pytest.mark.parametrize("path", ["~nobody_of_this_name/x.csv", "no\0.csv", "x" * 5000 + ".csv"])
def test_a_path_that_cannot_be_is_told(path):
    with pytest.raises(UserError):
        load_corpus(path)


@pytest.mark.parametrize("encoder", ["~nobody_of_this_name", "no\0", ""])
def test_an_encoder_that_is_no_path_has_no_checksum(encoder):
    assert find_encoder(encoder).sha256() is None


@pytest.mark.parametrize("path", ["/dev/zero", "missing.yaml", "no\0", ".", ""])
def test_a_file_of_options_that_is_none_is_told(parser, path):
    with pytest.raises(UserError, match="cannot be read as options"):
        parser.parse_args(["--config", path])


def test_a_file_of_options_in_another_encoding_is_told(parser, tmp_path):
    path = tmp_path / "options.yaml"
    path.write_bytes("place: größe\n".encode("latin-1"))
    with pytest.raises(UserError, match="cannot be read as options"):
        parser.parse_args(["--config", str(path)])


@pytest.mark.parametrize("column", ["", "#", "null"])
def test_a_column_may_have_any_name(tmp_path, column):
    path = tmp_path / "d.csv"
    path.write_text(f'"{column}",text,label\na,x y,joy\na,z w,fear\n')
    assert list(load_corpus(path, group_column=column).examples["subject"]) == ["a", "a"]


@pytest.mark.parametrize("most, is_refused", [(None, True), (501, False), (500, True)])
def test_more_than_500_labels_are_taken_where_the_user_insists(tmp_path, most, is_refused):
    path = tmp_path / "d.csv"
    path.write_text("text,label\n" + "".join(f"text {i},label {i}\n" for i in range(501)))
    if is_refused:
        with pytest.raises(UserError, match="allow so many with `--max-labels 501`"):
            load_corpus(path, max_labels=most)
    else:
        assert len(load_corpus(path, max_labels=most).labels) == 501


@pytest.mark.parametrize("name", ["runs_dir", "study"])
@pytest.mark.parametrize("text", ["no\0", "\ud800", "half \udfff"])
def test_an_option_that_is_no_text_is_told(name, text):
    for annotation in (str, str | None):
        with pytest.raises(UserError, match=f"{name} holds a NUL or half a character"):
            read_option(name, annotation, text)


def test_bytes_of_a_path_that_are_no_characters_stay():
    assert read_option("runs_dir", str, os.fsdecode(b"caf\xe9")) == "caf\udce9"


@pytest.mark.parametrize("seeds", [0, -1, 10_001, 2**31])
def test_a_number_of_seeds_that_makes_no_sense_is_told(seeds):
    with pytest.raises(UserError, match=f"seeds is 1 to 10,000. Received: seeds={seeds}"):
        CompareOptions(seeds=seeds)


@pytest.mark.parametrize("folds", [7, 2**31])
def test_more_folds_than_texts_are_told(tmp_path, folds):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(6)))
    with pytest.raises(UserError, match=f"6 texts.*Received: folds={folds}"):
        split(load_corpus(path), folds=folds, fold=0)
