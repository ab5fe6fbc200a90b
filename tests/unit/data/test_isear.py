"""ISEAR's own file: its parse, its repair, its no-answers.

Rows and texts here are made up; the file itself is used where it lies beside the repository.
"""

from pathlib import Path

import pytest

from emotion_keras.data import isear, load_corpus
from emotion_keras.errors import UserError
from emotion_keras.tables import scan

FILE = Path(__file__).parents[4] / "shared" / "data" / "isear" / "isear.csv"
HEADER = (
    "ID|CITY|COUN|SUBJ|SEX|AGE|RELI|PRAC|FOCC|MOCC|FIEL|EMOT|WHEN|LONG|INTS|ERGO|TROPHO|TEMPER|"
    "EXPRES|MOVE|EXP1|EXP2|EXP10|PARAL|CON|EXPC|PLEA|PLAN|FAIR|CAUS|COPING|MORL|SELF|RELA|VERBAL|"
    "NEUTRO|Field1|Field3|Field2|MYKEY|SIT|STATE|"
)


def row(respondent, label, text):
    return "|".join([respondent, *["1"] * 35, label, "4", "3", "0", text])


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "anything.csv"
    lines = [
        HEADER,
        row("11", "joy", "The sea á in June.|1|"),
        row("11", "fear", "A wolf|at the door.|1|"),
        row("12", "anger", 'He said \\no\\"."|1"|'),
        row("12", "guilt", "[ No response.]|1|"),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_every_row_is_read_and_the_text_may_hold_the_delimiter(path):
    source = scan(path)
    assert isear.recognises(source)
    table = isear.read(source)
    assert table["text"].tolist() == [
        "The sea á in June.",
        "A wolf|at the door.",
        'He said \\no\\"."',
        "[ No response.]",
    ]
    assert table["label"].tolist() == ["joy", "fear", "anger", "guilt"]
    assert table["subject"].tolist() == ["11", "11", "12", "12"]


def test_path_is_recognised_by_its_header(path):
    corpus = load_corpus(path)
    assert corpus.name == "isear"
    assert corpus.labels == ("joy", "fear", "anger", "sadness", "disgust", "shame", "guilt")
    assert corpus.label_ids.tolist() == [0, 1, 2, 6]
    assert corpus.examples["id"].tolist() == ["1", "2", "3", "4"]
    assert corpus.has_groups
    assert "CC BY-NC-SA" in corpus.licence
    with pytest.raises(UserError, match="ISEAR's own file.*Received: text_column='SIT'"):
        load_corpus(path, text_column="SIT")


def test_what_is_known_of_respondents_is_readable(path):
    line = "|".join(["7", "1", "33", "1", "2", "35", "8", *["1"] * 3, "0", *["1"] * 25])
    content = path.read_text(encoding="utf-8")
    path.write_text(content + f"{line}|joy|4|3|0|We sang.|1|\n", encoding="utf-8")
    known = {name: values[-1] for name, values in load_corpus(path).attributes.items()}
    assert known == {
        "country": "Honduras or Hong Kong",
        "sex": "female",
        "age": "35",
        "religion": "none",
        "field of study": "",
    }
    chosen = load_corpus(path, attributes="sex,country").attributes
    assert list(chosen) == ["sex", "country"] and chosen["sex"][0] == "male"
    with pytest.raises(UserError, match=r"'contry'\. Did you mean country\?"):
        load_corpus(path, attributes="contry")


def test_damaged_row_is_named(path):
    path.write_text(path.read_text(encoding="utf-8") + "13|1|1\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 6: not a row of ISEAR.*Received: '13|1|1'"):
        load_corpus(path)


@pytest.mark.parametrize(
    ("raw", "repaired"),
    [
        ("The sea á in June.á", "The sea in June."),
        ("A wolf á|at ÷ the ¦door.", "A wolf at the door."),
        ('They said \\no\\" twice."', 'They said "no" twice.'),
        ('He said \\no\\"."', 'He said "no".'),
        ("[ In general, crowds.]", "In general, crowds."),
        ('[ Being called \\slow\\" again.]"', 'Being called "slow" again.'),
        ("A note [sic] in brackets.", "A note [sic] in brackets."),
    ],
)
def test_repair(raw, repaired):
    assert isear.repair(raw) == repaired


@pytest.mark.parametrize(
    "text",
    [
        "No response.",
        "NO RESPONSE",
        "Nothing.",
        "Not applicable.",
        "I cannot remember any event.",
        "I have never felt it: never experienced.",
        "The same as in anger.",
    ],
)
def test_no_answers(text):
    assert isear.is_no_answer(text)


@pytest.mark.parametrize(
    "text",
    [
        "Nothing was left of the barn after the fire.",
        "No answer came when I knocked and the light was on.",
        "I do not know who rang. At three in the morning he rang again.",
        "When I had not fed the cat for two days.",
        "The exam did not go well.",
        "I could not remember my own number at the counter.",
    ],
)
def test_answers_that_look_like_none(text):
    assert not isear.is_no_answer(text)
