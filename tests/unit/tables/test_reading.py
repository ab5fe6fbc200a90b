"""Files as users have them, and what is read of them: no row and no letter is lost without a word.

Each table below lists what a user has and what comes of it, worked out by hand. `rows` gives the
cells that `fit` reads and the texts that `predict` answers, which must be the same.
"""

import bz2
import datetime
import decimal
import gzip
import io
import json
import lzma
import os
import threading
import zipfile

import numpy as np
import pandas as pd
import pytest

from emotion_keras import tables
from emotion_keras.data import load_corpus, prepare, split
from emotion_keras.data.corpus import number_cells
from emotion_keras.data.options import DataOptions
from emotion_keras.errors import UserError
from emotion_keras.inference.labelling import label_file
from emotion_keras.inputs import TextInput
from emotion_keras.inputs.word_vectors import read_word_vectors
from emotion_keras.studies.contenders import make_tasks

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def loaded(path, **options):
    """The corpus that `fit` reads, and its messages."""
    messages = []
    corpus = load_corpus(path, notify=messages.append, **options)
    return corpus, messages


def answered(path, tmp_path, **options):
    """The texts that `predict` answers, in order, and its messages."""
    seen, messages = [], []

    def predict(texts):
        seen.extend(texts)
        return {"answer": texts}

    label_file(
        predict,
        path,
        tmp_path / "answers.jsonl",
        columns=["answer"],
        settings={},
        notify=messages.append,
        **options,
    )
    written = (tmp_path / "answers.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    (tmp_path / "answers.jsonl").unlink()
    assert [json.loads(line)["answer"] for line in written] == seen
    return seen, messages


def texts_of(path, tmp_path, **options):
    """The texts of a table, which `fit` and `predict` must read alike."""
    corpus, _ = loaded(path, **options)
    seen, _ = answered(path, tmp_path, **options)
    assert corpus.examples["text"].tolist() == seen
    return seen


TABLE = "text,label\n{},joy\nplain,fear\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        pytest.param("café", "utf-8", id="UTF-8"),
        pytest.param("café", "utf-8-sig", id="UTF-8 with a mark, as Excel writes it"),
        pytest.param("café 😀", "utf-16", id="UTF-16 with a mark, Excel's «Unicode text»"),
        pytest.param("café 😀", "utf-32", id="UTF-32 with a mark"),
        pytest.param("naïve “quoted” – it’s 5 €", "cp1252", id="English from Windows"),
        pytest.param("J’ai été très ému, où que ce soit", "cp1252", id="French from Windows"),
        pytest.param("Ich war fröhlich, hörte und aß", "cp1252", id="German from Windows"),
        pytest.param("¿Qué pasó mañana con los niños?", "cp1252", id="Spanish from Windows"),
        pytest.param("Não sei, você está feliz, coração", "cp1252", id="Portuguese from Windows"),
        pytest.param("Jag blev så glad på sjön, smörgås", "cp1252", id="Swedish from Windows"),
    ],
)
def test_encodings_that_are_found(write, tmp_path, text, encoding):
    path = write("a.csv", TABLE.format(f'"{text}"').encode(encoding))
    assert texts_of(path, tmp_path) == [text, "plain"]
    _, messages = loaded(path)
    is_said = any("Windows-1252" in message and "--encoding" in message for message in messages)
    assert is_said == (encoding == "cp1252")


LEGACY = [
    pytest.param(
        "Я был очень счастлив, когда приехала сестра", "cp1251", id="Russian from Windows"
    ),
    pytest.param("Я был очень счастлив, когда приехала сестра", "koi8-r", id="Russian from Unix"),
    pytest.param("Я рад", "cp1251", id="two words of Russian"),
    pytest.param("Я", "cp1251", id="one letter of Russian"),
    pytest.param("Ήμουν πολύ χαρούμενος όταν ήρθε", "cp1253", id="Greek"),
    pytest.param("Kız kardeşim geldiğinde mutlu oldum", "cp1254", id="Turkish"),
    pytest.param("Byłem szczęśliwy, gdy przyjechała", "cp1250", id="Polish"),
    pytest.param("Byl jsem velmi šťastný, když přijela", "cp1250", id="Czech"),
    pytest.param("Nagyon örültem a nővérem füvének, fű és kő", "cp1250", id="Hungarian"),
    pytest.param("Am râs şi am mâncat, fericită că a venit", "cp1250", id="Romanian"),
    pytest.param("Mes juokėmės ir valgėme pyragą šiandien", "cp1257", id="Lithuanian"),
    pytest.param("הייתי שמח מאוד כאשר אחותי הגיעה", "cp1255", id="Hebrew"),
    pytest.param("كنت سعيدا جدا عندما وصلت أختي", "cp1256", id="Arabic"),
    pytest.param("ฉันมีความสุขมากเมื่อน้องสาวมา", "cp874", id="Thai"),
    pytest.param("我妹妹来的时候我非常高兴", "gb18030", id="Chinese, simplified"),
    pytest.param("我妹妹來的時候我非常高興", "big5", id="Chinese, traditional"),
    pytest.param("妹が来たとき、とても嬉しかった", "cp932", id="Japanese from Windows"),
    pytest.param("妹が来たとき、とても嬉しかった", "euc-jp", id="Japanese from Unix"),
    pytest.param("妹が来たとき", "iso2022_jp", id="Japanese by mail"),
    pytest.param("여동생이 왔을 때 나는 매우 기뻤다", "cp949", id="Korean"),
    pytest.param("J'ai été très ému, où est-il", "mac_roman", id="French from an old Mac"),
    pytest.param("schön für mich", "cp850", id="German from DOS"),
]


@pytest.mark.parametrize(("text", "encoding"), LEGACY)
def test_encodings_that_are_asked_for_and_never_guessed(write, tmp_path, text, encoding):
    path = write("a.csv", TABLE.format(f'"{text}"').encode(encoding))
    with pytest.raises(UserError, match="a.csv.*--encoding"):
        load_corpus(path)
    with pytest.raises(UserError, match="a.csv.*--encoding"):
        answered(path, tmp_path)
    assert texts_of(path, tmp_path, encoding=encoding) == [text, "plain"]


@pytest.mark.parametrize(
    ("content", "texts", "lines"),
    [
        pytest.param(
            "id,text,label\n1,café,joy\n2,na".encode() + b"\xefve,fear\n",
            ["café", "na\ufffdve"],
            "3",
            id="one bad byte among UTF-8",
        ),
        pytest.param(
            b"\xef\xbb\xbftext,label\ngood,joy\ncaf\xe9,fear\n",
            ["good", "caf\ufffd"],
            "3",
            id="one bad byte behind the mark of UTF-8",
        ),
        pytest.param(
            "text,label\né,fröhlich\nè,".encode() + b"fr\xf6hlich\n",
            ["é", "è"],
            "3",
            id="one bad byte in a label",
        ),
        pytest.param(
            "text,label\né ü,joy\ncut ".encode() + b"\xe2\x82,fear\n",
            ["é ü", "cut \ufffd"],
            "3",
            id="a character cut in the middle",
        ),
    ],
)
def test_utf_8_but_for_some_bytes_stays_utf_8_and_the_lines_are_named(
    write, tmp_path, content, texts, lines
):
    path = write("a.csv", content)
    assert texts_of(path, tmp_path) == texts
    for _, messages in (loaded(path), answered(path, tmp_path)):
        assert any(f"({lines})" in message and "UTF-8" in message for message in messages)
    corpus, _ = loaded(path)
    assert corpus.reading["damaged_lines"] == 1
    assert corpus.reading["first_damaged"] == [int(lines)]


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        pytest.param("é\n", "latin-99", "no such encoding", id="an encoding that is none"),
        pytest.param("é\n", "rot13", "no such encoding", id="a codec that is no encoding"),
        pytest.param("é\n", "undefined", "no such encoding", id="a codec that always fails"),
        pytest.param("é\n", "cp1252\0", "no such encoding", id="a NUL in the name"),
        pytest.param("é\n", "ascii", "line 1: this is not ascii", id="another encoding than it is"),
        pytest.param(b"a\n\xff\n", "utf-8", "line 2: this is not utf-8", id="UTF-8 insisted on"),
        pytest.param(
            "text\nca".encode("utf-16")[:-1], None, "UTF-16.*cut", id="UTF-16 that is cut"
        ),
        pytest.param(
            "text\nab\ncd\n".encode("utf-16-be"), None, "--encoding utf-16-be", id="UTF-16, no mark"
        ),
        pytest.param(
            "text\nab\ncd\n".encode("utf-32-le"), None, "--encoding utf-32-le", id="UTF-32, no mark"
        ),
        pytest.param(
            "text\né\n".encode() + b"\xe9t\xe9 \xe0 \xe8\n",
            None,
            "put together",
            id="two encodings",
        ),
        pytest.param(b"text\na\0b\n", None, "line 2: a NUL byte", id="a NUL byte"),
    ],
)
def test_encodings_that_are_refused(write, tmp_path, content, encoding, message):
    path = write("a.csv", content)
    with pytest.raises(UserError, match=message):
        answered(path, tmp_path, encoding=encoding)


TAB = "id\ttext\tlabel\n"


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        pytest.param(
            TAB + '1\t"I said\tjoy\n2\tno\tjoy\n3\tshe "said"\tjoy\n4\tback"\tjoy\n5\tend\tfear\n',
            ['"I said', "no", 'she "said"', 'back"', "end"],
            id="a quote that opens in one row and closes in another",
        ),
        pytest.param(
            TAB + '1\t"I said\tjoy\n2\tback"\tfear\n',
            ['"I said', 'back"'],
            id="two quotes that would make one row of two",
        ),
        pytest.param(
            TAB + '1\t"Come in!"\tjoy\n2\tI left\tfear\n',
            ['"Come in!"', "I left"],
            id="a text that somebody said",
        ),
        pytest.param(
            TAB + '1\t"\tjoy\n2\tinch 5"\tfear\n', ['"', 'inch 5"'], id="a quote alone, an inch"
        ),
        pytest.param(
            '"id"\t"text"\t"label"\n"1"\t"a"\t"joy"\n"2"\t"b"\t"fear"\n',
            ["a", "b"],
            id="a file that is quoted throughout",
        ),
        pytest.param(
            '"id"\t"text"\t"label"\n1\t"a"\t"joy"\n2\t"b"\t"fear"\n',
            ["a", "b"],
            id="all texts quoted, numbers not",
        ),
        pytest.param(
            TAB + '1\t"say ""hi"""\tjoy\n2\tplain\tfear\n',
            ['say "hi"', "plain"],
            id="quotes around what needs them alone, as pandas writes it",
        ),
        pytest.param(
            TAB + '1\t"two\nlines"\tjoy\n2\tplain\tfear\n',
            ["two\nlines", "plain"],
            id="a line break in quotes",
        ),
        pytest.param(
            TAB + '1\t"a\ttab"\tjoy\n2\tplain\tfear\n', ["a\ttab", "plain"], id="a tab in quotes"
        ),
        pytest.param(
            TAB + "1\tit's 5' 6\"\tjoy\n2\tb\tfear\n", ["it's 5' 6\"", "b"], id="feet and inches"
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotes_between_tabs(write, tmp_path, content, texts, end):
    path = write("a.tsv", content.replace("\n", end))
    assert [text.replace(end, "\n") for text in texts_of(path, tmp_path)] == texts


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(
            'id,text,label\n1,"I said,joy\n2,no,joy\n3,she "said",joy\n4,back",fear\n',
            "line 2: a quote closes before the cell ends",
            id="a quote that opens in one row and closes in another",
        ),
        pytest.param(
            'text,label\na,joy\n"b,joy\nc,fear\n', "line 3: a quote opens", id="a quote left open"
        ),
        pytest.param(
            "text,label\na\rb,joy\nc,fear\n", "line 2: a carriage return", id="a return in a cell"
        ),
        pytest.param("text,label\na,b,joy\n", "line 2: 3 fields", id="a comma without quotes"),
        pytest.param("text,label\n\n\na,b,joy\n", "line 4: 3 fields", id="behind empty lines"),
    ],
)
def test_broken_quotes_in_csv_are_named(write, tmp_path, content, problem):
    path = write("a.csv", content)
    with pytest.raises(UserError, match=problem):
        load_corpus(path)
    with pytest.raises(UserError, match=problem):
        answered(path, tmp_path)


def test_lines_that_quotes_join_are_counted_and_named(write, tmp_path):
    path = write("a.csv", 'text,label\na,joy\n"b\nc\nd",fear\n"e\nf",joy\n')
    corpus, messages = loaded(path)
    assert corpus.reading["rows"] == 3
    # Lines 3 to 5 are one row, and so are 6 and 7: three lines are joined to the ones before.
    assert corpus.reading["joined_lines"] == 3
    assert corpus.reading["first_joined"] == [3, 5]
    for said in (messages, answered(path, tmp_path)[1]):
        assert any("join 3 lines" in message and "lines 3 to 5" in message for message in said)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        pytest.param(
            "a.csv",
            "text\nfirst\n\nthird\n\n\nsixth\n",
            ["first", "", "third", "", "", "sixth"],
            id="one column with empty lines",
        ),
        pytest.param(
            "a.csv", 'text\nfirst\n""\nthird\n', ["first", "", "third"], id="quotes around nothing"
        ),
        pytest.param(
            "a.csv",
            "text,label\nfirst,joy\n\n,\nlast,fear\n",
            ["first", "", "", "last"],
            id="two columns with an empty line and a row of commas",
        ),
        pytest.param(
            "a.tsv", "text\tlabel\na\tjoy\n\nb\tfear\n", ["a", "", "b"], id="tabs and an empty line"
        ),
        pytest.param("a.csv", "\n\ntext,label\na,joy\n", ["a"], id="empty lines before the header"),
        pytest.param("a.csv", "text,label\na,joy\n\n\n", ["a"], id="empty lines at the end"),
        pytest.param("a.csv", "text,label\na,joy", ["a"], id="no line end at the end"),
        pytest.param("a.csv", "text,label\n  ,joy\nb,joy\n", ["  ", "b"], id="a row of blanks"),
        pytest.param("a.csv", "text,label\na\nb,joy\n", ["a", "b"], id="a row that ends early"),
        pytest.param(
            "a.csv", 'text,label\n"a\n\nb",joy\n', ["a\n\nb"], id="an empty line within quotes"
        ),
    ],
)
def test_every_row_that_a_spreadsheet_shows_is_answered(write, tmp_path, name, content, texts, end):
    path = write(name, content.replace("\n", end))
    seen, _ = answered(path, tmp_path)
    assert [text.replace(end, "\n") for text in seen] == texts


def test_rows_are_numbered_as_in_a_spreadsheet(write):
    corpus, _ = loaded(write("a.csv", "text,label\na,joy\n\nc,fear\n"))
    prepared, audit = prepare(corpus)
    assert prepared.examples["id"].tolist() == ["1", "3"]
    assert audit.to_dict()["num_in"] == 3


@pytest.mark.parametrize(
    ("line", "text", "label"),
    [
        pytest.param('{"text": "a", "label": NaN}', "a", "", id="NaN as a label"),
        pytest.param('{"text": NaN, "label": "joy"}', "", "joy", id="NaN as a text"),
        pytest.param('{"text": "a", "label": null}', "a", "", id="null as a label"),
        pytest.param('{"text": null, "label": "joy"}', "", "joy", id="null as a text"),
        pytest.param('{"label": "joy"}', "", "joy", id="no text at all"),
        pytest.param('{"text": "a"}', "a", "", id="no label at all"),
        pytest.param('{"text": "nan", "label": "NaN"}', "nan", "NaN", id="the words nan and NaN"),
        pytest.param('{"text": "null", "label": "None"}', "null", "None", id="null and None"),
        pytest.param('{"text": 0, "label": 0}', "0", "0", id="the number zero"),
        pytest.param('{"text": "a", "label": false}', "a", "false", id="false"),
        pytest.param('{"text": "a", "label": 1.5}', "a", "1.5", id="a fraction"),
        pytest.param(
            '{"text": "a", "label": 9007199254740993}', "a", "9007199254740993", id="a long number"
        ),
    ],
)
@pytest.mark.parametrize("place", ["first", "last"])
def test_missing_values_of_json(write, tmp_path, line, text, label, place):
    others = ['{"text": "x", "label": "anger"}', '{"text": "y", "label": "fear"}']
    lines = [line, *others] if place == "first" else [*others, line]
    path = write("a.jsonl", "\n".join(lines) + "\n")
    position = 0 if place == "first" else 2
    corpus, _ = loaded(path)
    assert corpus.examples["text"][position] == text
    assert corpus.examples["label"][position] == label
    assert ("" in corpus.labels) is False
    assert texts_of(path, tmp_path)[position] == text


@pytest.mark.parametrize("word", ["NA", "None", "null", "NaN", "n/a", "N/A", "nan", "NULL", "-"])
def test_words_that_pandas_takes_for_missing_are_texts_and_labels(write, tmp_path, word):
    path = write("a.csv", f"text,label\n{word},{word}\nb,joy\n")
    assert texts_of(path, tmp_path) == [word, "b"]
    assert word in loaded(path)[0].labels


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        pytest.param(["a", None, ""], ["a", "", ""], id="strings and nothing"),
        pytest.param([1.5, np.nan, 2.0], ["1.5", "", "2.0"], id="fractions and NaN"),
        pytest.param(pyarrow.array([1, None, 3], pyarrow.int64()), ["1", "", "3"], id="integers"),
        pytest.param([True, None, False], ["true", "", "false"], id="true and false"),
        pytest.param([b"caf\xc3\xa9", None, b"x"], ["café", "", "x"], id="bytes that are UTF-8"),
        pytest.param(
            pyarrow.array(["a", None, "a"]).dictionary_encode(), ["a", "", "a"], id="categories"
        ),
        pytest.param(
            pyarrow.array(["a", "b", None], pyarrow.large_string()), ["a", "b", ""], id="l"
        ),
        pytest.param(
            [decimal.Decimal("1.50"), None, decimal.Decimal("2.00")],
            ["1.50", "", "2.00"],
            id="decimals",
        ),
        pytest.param(
            [datetime.date(2024, 2, 29), None, datetime.date(2024, 3, 1)],
            ["2024-02-29", "", "2024-03-01"],
            id="dates",
        ),
        pytest.param(
            pyarrow.array([0, None, 1_000_000], pyarrow.timestamp("us")),
            ["1970-01-01T00:00:00", "", "1970-01-01T00:00:01"],
            id="times, and NaT",
        ),
        pytest.param(pyarrow.nulls(3), ["", "", ""], id="a column of nothing"),
    ],
)
def test_a_cell_of_parquet_means_the_same_in_every_command(tmp_path, values, texts):
    path = tmp_path / "a.parquet"
    table = {"body": values, "text": ["x", "y", "z"], "mood": ["joy", "fear", "joy"]}
    parquet.write_table(pyarrow.table(table), path)
    corpus, _ = loaded(path, text_column="body", label_column="mood")
    assert corpus.examples["text"].tolist() == texts
    assert answered(path, tmp_path, column="body")[0] == texts
    corpus, _ = loaded(path, text_column="text", label_column="body")
    assert corpus.examples["label"].tolist() == texts


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param([["joy"], ["fear", "joy"]], "list<.*one value a row", id="lists of labels"),
        pytest.param([{"a": 1}, {"a": 2}], "struct<.*one value a row", id="structures"),
        pytest.param([b"\xff\xfe", b"x"], "row 1.*'body'.*not UTF-8", id="bytes that are no text"),
    ],
)
def test_cells_of_parquet_that_are_no_text_are_refused(tmp_path, values, message):
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"body": values, "text": ["x", "y"]}), path)
    with pytest.raises(UserError, match=message):
        load_corpus(path, text_column="body", label_column="text")
    with pytest.raises(UserError, match=message):
        load_corpus(path, text_column="text", label_column="body")
    with pytest.raises(UserError, match=message):
        answered(path, tmp_path, column="body")


@pytest.mark.parametrize("index", ["author", None, ["author", "text"]], ids=str)
def test_an_index_that_pandas_stored_is_a_column(tmp_path, index):
    frame = pd.DataFrame({"author": ["ann", "bob"], "text": ["x", "y"], "label": ["joy", "fear"]})
    path = tmp_path / "a.parquet"
    (frame.set_index(index) if index else frame.iloc[::-1].iloc[::-1]).to_parquet(path)
    corpus, _ = loaded(path, group_column="author")
    assert corpus.examples["subject"].tolist() == ["ann", "bob"]
    assert corpus.examples["text"].tolist() == ["x", "y"]
    assert texts_of(path, tmp_path) == ["x", "y"]


COMPOSED, DECOMPOSED = "col\u00e8re", "cole\u0300re"


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_one_label_in_two_forms_of_unicode_is_one(tmp_path, name):
    labels, texts = [COMPOSED, DECOMPOSED, "joie"], ["a", "b", "c"]
    path = tmp_path / name
    frame = pd.DataFrame({"text": texts, "label": labels})
    if name.endswith("parquet"):
        frame.to_parquet(path)
    elif name.endswith("jsonl"):
        frame.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        frame.to_csv(path, index=False, sep="\t" if name.endswith("tsv") else ",")
    corpus, _ = loaded(path)
    assert corpus.labels == (COMPOSED, "joie")
    assert prepare(corpus, labels=f"{DECOMPOSED},joie")[0].labels == (COMPOSED, "joie")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(f"Une {COMPOSED}", f"une {DECOMPOSED}", id="composed and decomposed"),
        pytest.param("ﬁne day", "fine day", id="a ligature"),
        pytest.param("Ａ ｂ", "a b", id="letters of full width"),
        pytest.param("a\u00a0b", "A  b", id="a blank that does not break"),
        pytest.param("STRASSE", "straße", id="a sharp s"),
        pytest.param("\u1e9b\u0323", "\u017f\u0323\u0307", id="marks in another order"),
    ],
)
def test_texts_that_read_alike_are_repeats(first, second):
    numbers, _ = number_cells(TextInput, [first, second, "other"])
    assert numbers.tolist() == [0, 0, 1]


def test_a_text_reaches_the_model_in_one_form_of_unicode(write):
    corpus, _ = loaded(write("a.csv", f"text,label\n{DECOMPOSED},joy\nb,fear\n"))
    assert prepare(corpus)[0].examples["text"].tolist() == [COMPOSED, "b"]


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        pytest.param("cafÃ© at noon", True, id="an accent in two letters"),
        pytest.param("itâ€™s late", True, id="an apostrophe in three"),
        pytest.param("naïve café, it’s 5 €", False, id="right letters"),
        pytest.param("SÃO PAULO, Ângela", False, id="Portuguese capitals"),
        pytest.param("привет 😀", False, id="letters of no code page"),
    ],
)
def test_texts_that_were_garbled_before_are_named(write, text, is_named):
    _, messages = loaded(write("a.csv", f'text,label\n"{text}",joy\nb,fear\n'))
    assert any("taken for Windows-1252" in message for message in messages) == is_named


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        pytest.param(["joy", "Joy"], ["'Joy' (1)", "'joy' (1)"], id="case"),
        pytest.param(["very sad", "very  sad"], ["'very  sad'", "'very sad'"], id="two blanks"),
        pytest.param(["verysad", "very sad"], ["'very sad'", "'verysad'"], id="a blank"),
        pytest.param(["joy", "ｊｏｙ"], ["'joy'", "'ｊｏｙ'"], id="letters of full width"),
        pytest.param(["a\u00a0b", "a b"], ["'a b'"], id="a blank that does not break"),
        pytest.param(["joy", "jo\u200by"], ["'joy'"], id="a blank of no width"),
        pytest.param(["joy", "fear"], [], id="different labels"),
    ],
)
def test_labels_that_look_alike_are_named(write, labels, named):
    rows = "".join(f"text {number},{label}\n" for number, label in enumerate(labels))
    corpus, messages = loaded(write("a.csv", f"text,label\n{rows}"))
    assert len(corpus.labels) == 2
    assert any("differ in case or blanks" in message for message in messages) == bool(named)
    for name in named:
        assert any(name in message for message in messages)


def test_a_label_of_what_is_not_seen_is_none(write):
    corpus, _ = loaded(write("a.csv", "text,label\na,\u200b\nb,\u00a0\nc,joy\n"))
    assert corpus.examples["label"].tolist() == ["", "", "joy"]


def test_blanks_around_labels_are_no_part_of_them(write):
    assert loaded(write("a.csv", "text,label\na, joy\nb,joy \nc,fear\n"))[0].labels == (
        "fear",
        "joy",
    )


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        pytest.param(
            '{"text": "a"}\n{"text": "b", "label": "joy"}\n{"text": "c", "label": "fear"}\n',
            {},
            id="the first object lacks the label",
        ),
        pytest.param(
            '{"id": 1}\n{"text": "b", "label": "joy"}\n{"text": "c", "label": "fear"}\n',
            {},
            id="the first object lacks text and label",
        ),
        pytest.param(
            '{"text": "a", "label": "joy"}\n{"text": "b", "label": "fear", "who": "x"}\n'
            '{"text": "c", "label": "fear"}\n',
            {"group_column": "who"},
            id="the group comes late",
        ),
    ],
)
def test_columns_of_json_are_those_of_all_lines(write, tmp_path, content, columns):
    corpus, _ = loaded(write("a.jsonl", content), **columns)
    assert len(corpus) == 3
    assert {"joy", "fear"} == set(corpus.labels)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(
            '{"text": "a", "text": "b"}', "line 2: the key 'text' stands twice", id="twice"
        ),
        pytest.param('{"text": ["a", "b"], "label": "x"}', "line 2: 'text' is a list", id="a list"),
        pytest.param(
            '{"text": {"a": 1}, "label": "x"}', "line 2: 'text' is a list", id="an object"
        ),
        pytest.param('{"text": "a", "label": ["x"]}', "line 2: 'label' is a list", id="two labels"),
        pytest.param('["a", "joy"]', "line 2: a JSON object was expected", id="an array"),
        pytest.param("{'text': 'a'}", "line 2: not JSON", id="single quotes"),
    ],
)
def test_json_that_is_refused(write, line, message):
    path = write("a.jsonl", f'{{"text": "x", "label": "joy"}}\n{line}\n')
    with pytest.raises(UserError, match=message):
        load_corpus(path)


PLAIN = b"text,label\na,joy\nb,fear\n"


def zstandard(content):
    return pyarrow.compress(content, codec="zstd", asbytes=True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.csv.gz", gzip.compress(PLAIN), id="gzip"),
        pytest.param("a.csv.bz2", bz2.compress(PLAIN), id="bzip2"),
        pytest.param("a.csv.xz", lzma.compress(PLAIN), id="xz"),
        pytest.param("a.csv.zst", zstandard(PLAIN), id="Zstandard"),
        pytest.param("a.csv", gzip.compress(PLAIN), id="gzip under a plain name"),
        pytest.param("a.gz", gzip.compress(PLAIN), id="gzip, the name says no format"),
        pytest.param("a.tsv.gz", gzip.compress(PLAIN.replace(b",", b"\t")), id="tabs within gzip"),
        pytest.param(
            "a.csv.gz", gzip.compress(PLAIN[:14]) + gzip.compress(PLAIN[14:]), id="two of gzip"
        ),
        pytest.param(
            "a.jsonl.gz",
            gzip.compress(b'{"text": "a", "label": "joy"}\n{"text": "b", "label": "fear"}\n'),
            id="JSON Lines within gzip",
        ),
        pytest.param(
            "a.csv.gz",
            gzip.compress("text,label\na,joy\nb,fear\n".encode("utf-16")),
            id="UTF-16 within gzip",
        ),
    ],
)
def test_compressed_tables(write, tmp_path, name, content):
    path = write(name, content)
    assert texts_of(path, tmp_path) == ["a", "b"]
    assert loaded(path)[0].labels == ("fear", "joy")
    assert loaded(path)[0].name == "a"


def zipped(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "text,label\na,joy\n")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("a.csv", zipped("a.csv"), "is a ZIP archive", id="an archive named CSV"),
        pytest.param("a.zip", zipped("a.csv"), "'.zip' is not known", id="an archive"),
        pytest.param("a.csv", zipped("xl/workbook.xml"), "a workbook", id="a workbook named CSV"),
        pytest.param(
            "a.csv",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99),
            "in .xls",
            id="an old workbook",
        ),
        pytest.param("a.csv", b"PAR1" + bytes(99), "rename it", id="Parquet named CSV"),
        pytest.param("a.csv", b"%PDF-1.7\n%\xe2\xe3\n", "a PDF document", id="a PDF"),
        pytest.param(
            "a.csv",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "git lfs pull",
            id="a pointer of Git LFS",
        ),
        pytest.param(
            "a.parquet",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "git lfs pull",
            id="a pointer in place of Parquet",
        ),
        pytest.param(
            "a.csv.gz", gzip.compress(PLAIN)[:-9], "damaged or cut", id="gzip that is cut"
        ),
        pytest.param("a.csv.xz", lzma.compress(PLAIN)[:-9], "damaged or cut", id="xz that is cut"),
        pytest.param("a.csv.zst", zstandard(PLAIN)[:-5], "damaged or cut", id="zst that is cut"),
        pytest.param("a.csv.gz", b"\x1f\x8bnonsense", "damaged or cut", id="nonsense within gzip"),
        pytest.param("a.csv.gz", PLAIN, None, id="a plain file named gz"),
        pytest.param(
            "a.parquet.gz", gzip.compress(b"PAR1"), "Unpack it first", id="Parquet within gzip"
        ),
        pytest.param(
            "a.csv.gz", gzip.compress(gzip.compress(PLAIN)), "compressed twice", id="gzip twice"
        ),
        pytest.param("a.xlsx", zipped("a.csv"), "cannot be read as a workbook", id="no workbook"),
        pytest.param("a.json", b"[]", "'.json' is not known", id="an ending that is not known"),
        pytest.param("a\n.csv", b"", "is empty", id="an empty file of an odd name"),
    ],
)
def test_what_is_something_else_is_named(write, tmp_path, name, content, message):
    pytest.importorskip("python_calamine", reason="reading workbooks needs python-calamine")
    path = write(name, content)
    if message is None:
        assert texts_of(path, tmp_path) == ["a", "b"]
        return
    with pytest.raises(UserError, match=message):
        load_corpus(path)
    with pytest.raises(UserError, match=message):
        answered(path, tmp_path)


def test_a_workbook(tmp_path):
    pytest.importorskip("python_calamine", reason="reading workbooks needs python-calamine")
    openpyxl = pytest.importorskip("openpyxl", reason="writing a workbook needs openpyxl")
    book = openpyxl.Workbook()
    rows = [["text", "label", "who"], ["a", "joy", 7], [None, None, None], ["c", 2.5, "x"]]
    for row in rows:
        book.active.append(row)
    book.create_sheet("notes").append(["text"])
    path = tmp_path / "a.xlsx"
    book.save(path)
    corpus, messages = loaded(path, group_column="who")
    assert corpus.examples["text"].tolist() == ["a", "", "c"]
    assert corpus.examples["label"].tolist() == ["joy", "", "2.5"]
    assert corpus.examples["subject"].tolist() == ["7", "row 2", "x"]
    assert any("'Sheet'" in message and "notes" in message for message in messages)
    assert texts_of(path, tmp_path) == ["a", "", "c"]


PIPED = [
    pytest.param(PLAIN, id="CSV"),
    pytest.param(PLAIN.replace(b",", b"\t"), id="tabs"),
    pytest.param(gzip.compress(PLAIN), id="gzip"),
    pytest.param(
        b'{"text": "a", "label": "joy"}\n{"text": "b", "label": "fear"}\n', id="JSON Lines"
    ),
]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("content", PIPED)
@pytest.mark.parametrize("read", [loaded, answered])
def test_a_named_pipe(tmp_path, content, read):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(content,))
    writer.start()
    found, _ = read(path) if read is loaded else read(path, tmp_path)
    writer.join()
    texts = found.examples["text"].tolist() if read is loaded else found
    assert texts == ["a", "b"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_that_is_used_again_gives_what_is_new(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    for content, texts in ((PLAIN, ["a", "b"]), (PLAIN.replace(b"a,", b"c,"), ["c", "b"])):
        writer = threading.Thread(target=path.write_bytes, args=(content,))
        writer.start()
        assert loaded(path)[0].examples["text"].tolist() == texts
        writer.join()


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="this system has no such devices")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/random"])
def test_a_device_is_refused(tmp_path, device):
    for read in (loaded, lambda path: answered(path, tmp_path)):
        with pytest.raises(UserError, match="is a device"):
            read(device)


@pytest.mark.parametrize("content", PIPED)
def test_a_name_without_an_ending(write, tmp_path, content):
    assert texts_of(write("table", content), tmp_path) == ["a", "b"]


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="this system has no /dev/fd")
def test_what_a_shell_writes_as_a_process_between_brackets(tmp_path):
    reader, writer = os.pipe()
    os.write(writer, PLAIN)
    os.close(writer)
    assert answered(f"/dev/fd/{reader}", tmp_path)[0] == ["a", "b"]
    os.close(reader)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_study_refuses_what_can_be_read_once_alone(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    data = DataOptions.make(**{"data": str(path)})
    with pytest.raises(UserError, match="a pipe can be read once alone.*Received: data="):
        make_tasks(
            ["majority"],
            data,
            seeds=1,
            precision="auto",
            settings={},
            cache={},
            notify=print,
        )


def test_a_column_without_a_name(write):
    path = write("a.csv", ",text,label\nann,x,joy\nbob,y,fear\n")
    assert loaded(path, group_column="")[0].examples["subject"].tolist() == ["ann", "bob"]
    with pytest.raises(UserError, match="several columns ''"):
        load_corpus(write("b.csv", ",,text,label\na,b,x,joy\n"), group_column="")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.csv", "text" + ",x" * 50_000 + "\n" + "a\n" * 300, id="CSV"),
        pytest.param(
            "a.jsonl",
            json.dumps({"text": "a", **dict.fromkeys(map(str, range(9_000)))})
            + '\n{"text": "a"}' * 999,
            id="JSON Lines",
        ),
    ],
)
def test_parts_of_a_wide_table_hold_few_rows(write, name, content):
    table = tables.open_table(tables.scan(write(name, content)))
    parts = [len(part) for part in table.parts(0, 100_000)]
    assert max(parts) * len(table.columns) < 5_000_000
    assert sum(parts) == table.num_rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"joy 0.1 0.2\ncaf\xe9 0.3 0.4\n", "line 2 is not UTF-8", id="a bad byte"),
        pytest.param(b"joy 0.1 0.2\nfear 0.3\n", "line 2 is no word with 2", id="a short line"),
        pytest.param(b"", "no word", id="an empty file"),
    ],
)
def test_word_vectors_that_are_refused(write, content, message):
    with pytest.raises(UserError, match=message):
        read_word_vectors(write("vectors.txt", content))


@pytest.mark.parametrize(
    ("content", "kept", "dropped"),
    [
        pytest.param(
            "text,label\na,joy\n\nb,fear\n,joy\nc,\n", 2, 3, id="missing texts and labels"
        ),
        pytest.param("text,label\na,joy\nA ,joy\nb,fear\n", 2, 1, id="a repeat"),
        pytest.param("text,label\na,joy\na,fear\nb,fear\nc,joy\n", 2, 2, id="a text of two labels"),
    ],
)
def test_an_audit_adds_up(write, content, kept, dropped):
    corpus, _ = loaded(write("a.csv", content))
    _, audit = prepare(corpus)
    found = audit.to_dict()
    removed = [n for step in found["steps"] for by in step["removed"].values() for n in by.values()]
    assert found["reading"]["rows"] == found["num_in"] == kept + dropped
    assert found["num_out"] == kept
    assert sum(removed) == dropped


def test_a_share_that_is_next_to_nothing(write):
    corpus, _ = loaded(write("a.csv", "text,label\na,joy\nb,fear\nc,joy\nd,fear\n"))
    with pytest.raises(UserError, match="Too few texts.*about 1000000000 different texts"):
        split(corpus, test_size=1e-320)


@pytest.mark.parametrize("several", [False, True])
def test_labels_that_seem_to_be_several_in_one_are_named(tmp_path, several):
    path = tmp_path / "a.csv"
    path.write_text("text,label\none,joy|fear\ntwo,joy\nthree,joy | awe\nfour,no|way\n")
    corpus, messages = loaded(path, target="multi" if several else "single")
    (message,) = messages
    assert "'joy | awe' (1), 'joy|fear' (1)." in message and "no|way" not in message
    assert "--target multi --label-separator '|'" in message
    assert set(corpus.labels) == {"joy", "joy|fear", "joy | awe", "no|way"}
    read, messages = loaded(path, label_separator="|")
    assert read.labels == ("awe", "fear", "joy", "no", "way") and not messages
