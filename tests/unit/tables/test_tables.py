"""Reading of tables: what is detected, what is guessed and what is refused."""

import hashlib
import sys

import pandas as pd
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inputs import TextInput
from emotion_keras.tables import open_table, read_table, scan


def read(path, **columns):
    return read_table(open_table(scan(path)), path, TextInput, **columns)


def rows(table):
    return list(zip(table["text"], table["label"], strict=True))


def test_scan_gives_checksum_of_the_bytes(write):
    content = b"\xef\xbb\xbftext,label\na,joy\n"
    source = scan(write("a.csv", content))
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert source.beginning == "text,label\na,joy\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_detected(write, delimiter):
    others = ",;|".replace(delimiter, "")
    lines = [["text", "label"], [f"a{others}b{others}c", "joy"], ["d", "fear"]]
    path = write("a.csv", "".join(f"{delimiter.join(line)}\n" for line in lines))
    assert rows(read(path)) == [(f"a{others}b{others}c", "joy"), ("d", "fear")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(write, end):
    path = write("a.csv", end.join(["text,label", "a,joy", "b,fear", ""]))
    assert rows(read(path)) == [("a", "joy"), ("b", "fear")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encoding_is_detected(write, encoding):
    path = write("a.csv", "text,label\n“café”,joy\n".encode(encoding))
    assert rows(read(path)) == [("“café”", "joy")]


def test_encoding_is_judged_by_the_whole_file(write):
    # The first byte that is not UTF-8 comes after several blocks of a megabyte.
    path = write("a.csv", b"text,label\n" + b"plain,joy\n" * 300_000 + b"caf\xe9,fear\n")
    table = read(path)
    assert len(table) == 300_001
    assert rows(table)[-1] == ("café", "fear")


def test_character_across_two_blocks(write):
    # The two bytes of é are the last of one block and the first of the next.
    header = b"text,label\n"
    content = header + b"x" * ((1 << 20) - len(header) - 1) + "é,joy\n".encode()
    assert scan(write("a.csv", content)).encoding.name == "utf-8"


def test_quotes_line_breaks_and_words_that_pandas_takes_for_missing(write):
    path = write("a.csv", 'text,label\n"one\ntwo, ""three""",joy\nNA,None\n')
    assert rows(read(path)) == [('one\ntwo, "three"', "joy"), ("NA", "None")]


def test_row_that_ends_early_has_an_empty_label(write):
    assert rows(read(write("a.csv", "text,label\na\nb,joy\n"))) == [("a", ""), ("b", "joy")]


def test_columns_are_guessed_by_usual_names_in_any_case(write):
    path = write("a.csv", "Emotion, Sentence ,extra\njoy,a,1\n")
    assert rows(read(path)) == [("a", "joy")]


def test_columns_can_be_named(write):
    path = write("a.csv", "body,text,mood,who\na,b,joy,ann\n")
    table = read(path, column="body", label_column="mood", group_column="who")
    assert table.to_dict("records") == [{"text": "a", "label": "joy", "subject": "ann"}]


def test_json_lines(write):
    path = write(
        "a.jsonl",
        '{"text": "a\\u2028b", "label": 1}\n\n{"label": "joy", "text": null}\n{"text": "c"}\n',
    )
    assert rows(read(path)) == [("a\u2028b", "1"), ("", "joy"), ("c", "")]


def test_json_lines_with_half_a_character(write):
    path = write("a.ndjson", '{"text": "a \\ud83d", "label": "joy"}\n')
    assert rows(read(path)) == [("a \ufffd", "joy")]


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    pd.DataFrame({"n": [1, 2], "text": ["a", None], "label": [0, 1]}).to_parquet(path)
    assert rows(read(path)) == [("a", "0"), ("", "1")]
    assert scan(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_parquet_without_pyarrow(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match="pip install pyarrow"):
        read(write("a.parquet", b"PAR1"))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(UserError, match=r"No such file: .*none\.csv.*Received: data="):
        scan(tmp_path / "none.csv")
    with pytest.raises(UserError, match="folder, not a file"):
        scan(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b" \n\n", "nothing but blanks"),
        ("a.csv", b"text,label\n", "a header and no rows"),
        ("a.csv", b"text,label\na,joy\nb\0c,joy\n", "line 3: a NUL byte"),
        (
            "a.csv",
            "text,label\na,joy\n".encode("utf-16-le"),
            "UTF-16-LE without a byte order mark.*--encoding utf-16-le",
        ),
        (
            "a.csv",
            b"text,label\na,joy\n\xe9\x81,joy\n",
            "line 3: this is not UTF-8.*name its encoding",
        ),
        ("a.csv", b"id,text,mood\n1,a,joy\n", "label.*none has a usual name.*id, text, mood"),
        ("a.csv", b"text,content,label\na,b,joy\n", r"several could hold it \(text, content\)"),
        ("a.csv", b'text,label\n"a\nb",joy\nc,joy,d\n', "line 4: 3 fields.*header has 2"),
        ("a.csv", b"text,label\na,joy,d\n", "line 2: 3 fields.*header has 2"),
        ("a.csv", b'text,label\na,joy\n"b,joy\nc,fear\n', "line 3: a quote opens"),
        ("a.jsonl", b'{"text": "a", "label": 1}\n{"text": \n', "line 2: not JSON"),
        ("a.jsonl", b"[1]\n", r"line 1: a JSON object was expected.*Received: '\[1\]'"),
        ("a.parquet", b"no", "not a Parquet file"),
        ("a.doc", b"PK", r"'\.doc' is not known. Accepted: \.csv"),
        ("a.xlsx", b"PK", "cannot be read as a workbook"),
    ],
)
def test_bad_files(write, name, content, message):
    if name == "a.parquet":
        pytest.importorskip("pyarrow")
    with pytest.raises(UserError, match=message) as caught:
        read(write(name, content))
    assert name in str(caught.value)


def test_column_that_is_not_there(write):
    path = write("a.csv", "text,label\na,joy\n")
    with pytest.raises(UserError, match="no column 'mood'. Its columns: text, label.*Received"):
        read(path, label_column="mood")
    with pytest.raises(UserError, match="no column 'labels'. Did you mean label[?] Its columns"):
        read(path, label_column="labels")
    with pytest.raises(UserError, match="the same column"):
        read(path, label_column="text")
    with pytest.raises(UserError, match="several columns 'text'"):
        read(write("b.csv", "text,text,label\na,b,joy\n"), column="text")
