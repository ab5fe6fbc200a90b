"""ISEAR, the International Survey on Emotion Antecedents and Reactions (Scherer & Wallbott).

Respondents of many countries described a situation for each of seven emotions. The public copy is a
table of 7,666 rows, delimited by `|` and without quoting, although the texts hold that sign too.
"""

import re

import pandas as pd

from emotion_keras.errors import UserError
from emotion_keras.inputs.normalization import MAX_CHARACTERS
from emotion_keras.record import ATTRIBUTE
from emotion_keras.tables import Source

LABELS = ("joy", "fear", "anger", "sadness", "disgust", "shame", "guilt")
LICENCE = "CC BY-NC-SA 3.0 (Scherer & Wallbott): research use, not to be redistributed"
SHA256 = "370110fff70a1e1d9e23b10cf6db1f64876120fa02276afe5916fbfeb038cdca"
URL = (
    "https://raw.githubusercontent.com/sinmaniphel/py_isear_dataset/"
    "948f4cf80161ea28e6dc5bfb4ad729f21ff47723/isear.csv"
)

_HEADER = "ID|CITY|COUN|SUBJ|"
_COLUMNS = 43
_LABEL, _TEXT = 36, 40

# Of the survey's code book, the values that are there; 0 stands for no answer. The code book says
# Honduras for 33, but of its 55 respondents several write of the Chinese University of Hong Kong,
# and none of anything Honduran.
_COUNTRIES = {
    "1": "Sweden",
    "2": "Norway",
    "4": "Finland",
    "8": "Austria",
    "9": "Australia",
    "10": "Brazil",
    "12": "Bulgaria",
    "16": "New Zealand",
    "17": "Netherlands",
    "19": "Spain",
    "20": "Zambia",
    "22": "USA",
    "26": "India",
    "27": "Malawi",
    "30": "China",
    "33": "Honduras or Hong Kong",
}
_RELIGIONS = {
    "1": "Protestant",
    "2": "Catholic",
    "3": "Jewish",
    "4": "Hindu",
    "5": "Buddhist",
    "6": "native",
    "7": "other",
    "8": "none",
}
_FIELDS_OF_STUDY = {
    "1": "psychology",
    "2": "social sciences",
    "3": "languages",
    "4": "fine arts",
    "5": "law",
    "6": "natural sciences",
    "7": "engineering",
    "8": "medicine",
    "9": "other",
}
# By attribute its column, and its values where they are coded.
_ATTRIBUTES: dict[str, tuple[int, dict[str, str] | None]] = {
    "country": (2, _COUNTRIES),
    "sex": (4, {"1": "male", "2": "female"}),
    "age": (5, None),
    "religion": (6, _RELIGIONS),
    "field of study": (10, _FIELDS_OF_STUDY),
}
# The last column, STATE, and the delimiter after it. Two rows close a quote there.
_TAIL = re.compile(r'\|1"?\|$')

_FELT = r"(?:felt|experienced|had\ the|happened|(?:been\ )?(?:frightened|ashamed)|done\ anything)"
_NO_ANSWER = re.compile(
    rf"""
      (?: no\ (?:response|reponse|answer|description) | nothing | none | blank | never ) $
    | no\ answer\ as\b
    | .{{0,24}} \b (?:does\ not|doesn't|not) \ (?:apply|applicable) \b .{{0,12}} $
    | (?:.{{0,24}},\ since\ )? (?:i\ )? (?:can\ ?not|can't|do\ not|don't)
      \ (?:remember|recall|think\ of|know|describe) \b (?: [^.]* $ | .* \b remark\b )
    | .{{0,40}} \b (?:never|not|haven't) \ (?:ever\ |really\ |have\ )*{_FELT} \b .{{0,60}} $
    | .{{0,60}} \b difficult\ to\ recall \b
    | normally \b .* \b not\ feel \b
    | (?:the\ )? (?:same\ as|previous\ incident|as\ for) \b .{{0,40}} $
    """,
    re.VERBOSE | re.IGNORECASE,
)


def recognises(source: Source) -> bool:
    """Says whether a file is ISEAR's own, by its header."""
    return source.beginning.startswith(_HEADER)


def read(source: Source) -> pd.DataFrame:
    """Reads ISEAR's file whole.

    Args:
        source: What `tables.scan` returned for the file.

    Returns:
        A `pandas.DataFrame` with the columns `text`, `label` and `subject`, the respondent, and
        what is known of the respondent as attributes. The texts are as in the file: repairing them
        is `repair`'s work, a step of the preparation.

    Raises:
        UserError: If a row does not have the file's columns.
    """
    rows = []
    lines = source.lines(newline=None)
    next(lines)
    for number, line in enumerate(lines, 2):
        fields = line.rstrip("\n").split("|", _TEXT)
        if len(fields) <= _TEXT or fields[_LABEL] not in LABELS:
            raise UserError(
                f"{source.path}, line {number}: not a row of ISEAR, which has {_COLUMNS} columns "
                f"and the emotion in column {_LABEL + 1}. The file is damaged: fetch it again from "
                f"{URL}. Received: {line.strip()[:60]!r}"
            )
        rows.append((_TAIL.sub("", fields[_TEXT]), fields[_LABEL], fields[0], *_known_of(fields)))
    names = [f"{ATTRIBUTE}{name}" for name in _ATTRIBUTES]
    return pd.DataFrame(rows, columns=["text", "label", "subject", *names], dtype="str")


def _known_of(fields):
    """The values of the attributes of a row."""
    for column, values in _ATTRIBUTES.values():
        value = fields[column]
        yield value.removeprefix("0") if values is None else values.get(value, "")


def repair(text: str) -> str:
    r"""Undoes what the making of the file did to a text.

    Lines were joined by `á`, `÷`, `¦` or the delimiter `|`. Quotes were escaped as `\"`, the
    opening one as `\` alone, and such a text kept the last of the quotes around it. General
    statements, as opposed to events, were put in brackets.
    """
    text = text[:MAX_CHARACTERS]
    if "\\" in text:
        text = text.rstrip("á| ").removesuffix('"').replace('\\"', '"').replace("\\", '"')
    for mark in "á÷¦|":
        text = text.replace(mark, " ")
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].strip()
    return " ".join(text.split())


def is_no_answer(text: str) -> bool:
    """Says whether a repaired text tells of nothing, as in «No response.»"""
    return _NO_ANSWER.match(text.strip(". ")) is not None
