"""Labelling of files: what is kept, what is refused, and that each row is answered once."""

import errno
import itertools
import json
import os
from pathlib import Path

import pytest
from filelock import FileLock

from emotion_keras.command.entry import run_command
from emotion_keras.errors import UserError
from emotion_keras.inference import labelling
from emotion_keras.inference.labelling import label_file

ROOT = Path(__file__).parents[3]
COLUMNS = ["mood", "length", "words"]


def predict(texts):
    """A number of words, but for an empty text, and the words as an explanation."""
    return {
        "mood": ["joy" if text else "none" for text in texts],
        "length": [len(text) / 2 if text else None for text in texts],
        "words": [[{"word": word} for word in text.split()] if text else None for text in texts],
    }


def label(source, output, predict=predict, **options):
    given = {"columns": COLUMNS, "settings": {"model": 1}, "rows_at_a_time": 2, **options}
    return label_file(predict, source, output, notify=lambda message: None, **given)


def read_parquet(path):
    return pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()


def write_parquet(path, columns, **options):
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(columns), path, **options)
    return path


# The same small table in each format, and what is expected of it in each, written by hand.
CSV = 'id,text,note\n007,"a, b",NA\n8,,\n9,"say ""hi""\nyou"\n'
TSV = 'id\ttext\tnote\n007\ta, b\tNA\n8\t\t\n9\t"say ""hi""\nyou"\n'
JSON_LINES = (
    '{"id": 7, "text": "a, b", "note": {"k": [1, null]}}\n'
    '{"id": 8.5, "text": null}\n'
    "\n"
    '{"id": 9, "text": "say \\"hi\\"\\nyou", "late": true}\n'
)
WORDS = [
    '"[{""word"": ""a,""}, {""word"": ""b""}]"',
    '"[{""word"": ""say""}, {""word"": ""\\""hi\\""""}, {""word"": ""you""}]"',
]
NESTED = [
    '[{"word": "a,"}, {"word": "b"}]',
    '[{"word": "say"}, {"word": "\\"hi\\""}, {"word": "you"}]',
]
TEXTS = ["a, b", 'say "hi"\nyou']
ANSWERS = [
    {"mood": "joy", "length": 2.0, "words": NESTED[0]},
    {"mood": "none", "length": None, "words": None},
    {"mood": "joy", "length": 6.0, "words": NESTED[1]},
]
DELIMITED_TO_CSV = (
    "id,text,note,mood,length,words\n"
    f'007,"a, b",NA,joy,2.0,{WORDS[0]}\n'
    "8,,,none,,\n"
    f'9,"say ""hi""\nyou",,joy,6.0,{WORDS[1]}\n'
)
DELIMITED_TO_TSV = (
    "id\ttext\tnote\tmood\tlength\twords\n"
    f"007\ta, b\tNA\tjoy\t2.0\t{WORDS[0]}\n"
    "8\t\t\tnone\t\t\n"
    f'9\t"say ""hi""\nyou"\t\tjoy\t6.0\t{WORDS[1]}\n'
)
DELIMITED_TO_JSON_LINES = (
    '{"id": "007", "text": "a, b", "note": "NA", '
    f'"mood": "joy", "length": 2.0, "words": {NESTED[0]}}}\n'
    '{"id": "8", "text": "", "note": "", "mood": "none", "length": null, "words": null}\n'
    '{"id": "9", "text": "say \\"hi\\"\\nyou", "note": "", '
    f'"mood": "joy", "length": 6.0, "words": {NESTED[1]}}}\n'
)
DELIMITED_TO_PARQUET = [
    {"id": "007", "text": TEXTS[0], "note": "NA"} | ANSWERS[0],
    {"id": "8", "text": "", "note": ""} | ANSWERS[1],
    {"id": "9", "text": TEXTS[1], "note": ""} | ANSWERS[2],
]
EXPECTED = {
    ("a.csv", ".csv"): DELIMITED_TO_CSV,
    ("a.csv", ".tsv"): DELIMITED_TO_TSV,
    ("a.csv", ".jsonl"): DELIMITED_TO_JSON_LINES,
    ("a.csv", ".parquet"): DELIMITED_TO_PARQUET,
    ("a.tsv", ".csv"): DELIMITED_TO_CSV,
    ("a.tsv", ".tsv"): DELIMITED_TO_TSV,
    ("a.tsv", ".jsonl"): DELIMITED_TO_JSON_LINES,
    ("a.tsv", ".parquet"): DELIMITED_TO_PARQUET,
    ("a.jsonl", ".csv"): (
        "id,text,note,late,mood,length,words\n"
        f'7,"a, b","{{""k"": [1, null]}}",,joy,2.0,{WORDS[0]}\n'
        "8.5,,,,none,,\n"
        f'9,"say ""hi""\nyou",,true,joy,6.0,{WORDS[1]}\n'
    ),
    ("a.jsonl", ".tsv"): (
        "id\ttext\tnote\tlate\tmood\tlength\twords\n"
        f'7\ta, b\t"{{""k"": [1, null]}}"\t\tjoy\t2.0\t{WORDS[0]}\n'
        "8.5\t\t\t\tnone\t\t\n"
        f'9\t"say ""hi""\nyou"\t\ttrue\tjoy\t6.0\t{WORDS[1]}\n'
    ),
    ("a.jsonl", ".jsonl"): (
        '{"id": 7, "text": "a, b", "note": {"k": [1, null]}, '
        f'"mood": "joy", "length": 2.0, "words": {NESTED[0]}}}\n'
        '{"id": 8.5, "text": null, "mood": "none", "length": null, "words": null}\n'
        '{"id": 9, "text": "say \\"hi\\"\\nyou", "late": true, '
        f'"mood": "joy", "length": 6.0, "words": {NESTED[1]}}}\n'
    ),
    ("a.jsonl", ".parquet"): [
        {"id": 7.0, "text": TEXTS[0], "note": '{"k": [1, null]}', "late": None} | ANSWERS[0],
        {"id": 8.5, "text": None, "note": None, "late": None} | ANSWERS[1],
        {"id": 9.0, "text": TEXTS[1], "note": None, "late": True} | ANSWERS[2],
    ],
    ("a.parquet", ".csv"): (
        "id,text,note,mood,length,words\n"
        f'7,"a, b","[1, 2]",joy,2.0,{WORDS[0]}\n'
        "8,,,none,,\n"
        f'9,"say ""hi""\nyou",[],joy,6.0,{WORDS[1]}\n'
    ),
    ("a.parquet", ".tsv"): (
        "id\ttext\tnote\tmood\tlength\twords\n"
        f"7\ta, b\t[1, 2]\tjoy\t2.0\t{WORDS[0]}\n"
        "8\t\t\tnone\t\t\n"
        f'9\t"say ""hi""\nyou"\t[]\tjoy\t6.0\t{WORDS[1]}\n'
    ),
    ("a.parquet", ".jsonl"): (
        '{"id": 7, "text": "a, b", "note": [1, 2], '
        f'"mood": "joy", "length": 2.0, "words": {NESTED[0]}}}\n'
        '{"id": 8, "text": null, "note": null, "mood": "none", "length": null, "words": null}\n'
        '{"id": 9, "text": "say \\"hi\\"\\nyou", "note": [], '
        f'"mood": "joy", "length": 6.0, "words": {NESTED[1]}}}\n'
    ),
    ("a.parquet", ".parquet"): [
        {"id": 7, "text": TEXTS[0], "note": [1, 2]} | ANSWERS[0],
        {"id": 8, "text": None, "note": None} | ANSWERS[1],
        {"id": 9, "text": TEXTS[1], "note": []} | ANSWERS[2],
    ],
}


@pytest.fixture
def inputs(write, tmp_path):
    """Makes one of the small tables by its name."""

    def make(name):
        if name == "a.parquet":
            columns = {
                "id": [7, 8, 9],
                "text": [TEXTS[0], None, TEXTS[1]],
                "note": [[1, 2], None, []],
            }
            return write_parquet(tmp_path / name, columns)
        return write(name, {"a.csv": CSV, "a.tsv": TSV, "a.jsonl": JSON_LINES}[name])

    return make


def content(path):
    return read_parquet(path) if path.suffix == ".parquet" else path.read_bytes().decode()


@pytest.mark.parametrize(("name", "ending"), EXPECTED)
def test_formats(inputs, tmp_path, name, ending):
    source, output = inputs(name), tmp_path / f"out{ending}"
    assert label(source, output) == {"rows": 3, "labelled": 3, "empty": 1}
    assert content(output) == EXPECTED[name, ending]
    assert sorted(tmp_path.iterdir()) == sorted([source, output])


def test_types_of_parquet_are_kept(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    columns = {
        "text": pyarrow.array(["a", None, "b"], pyarrow.large_string()),
        "time": pyarrow.array([1, None, 1_577_836_800_123_456_789], pyarrow.timestamp("ns")),
        "kind": pyarrow.array(["u", "v", "u"]).dictionary_encode(),
        "bytes": [b"\xff", b"x", None],
        "small": pyarrow.array([1, None, 3], pyarrow.int8()),
    }
    source = write_parquet(tmp_path / "a.parquet", columns)
    label(source, tmp_path / "b.parquet")
    found = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "b.parquet")
    assert found.select(list(columns)).equals(pyarrow.table(columns))
    label(source, tmp_path / "b.jsonl")
    last = json.loads((tmp_path / "b.jsonl").read_text().splitlines()[-1])
    assert last["time"] == "2020-01-01T00:00:00.123456789"


def test_columns_of_json_in_parquet_have_the_narrowest_type_that_holds_all(write, tmp_path):
    source = write(
        "a.jsonl",
        '{"text": "a", "whole": 1, "long": 9007199254740993, "huge": 99999999999999999999}\n'
        '{"text": "b", "mixed": 1}\n{"text": "c", "mixed": "x", "long": 2, "never": null}\n'
        '{"text": "d", "inexact": 9007199254740993}\n{"text": "e", "inexact": 0.5}\n',
    )
    label(source, tmp_path / "b.parquet")
    rows = read_parquet(tmp_path / "b.parquet")
    assert [rows[0][name] for name in ("whole", "long")] == [1, 9007199254740993]
    assert rows[0]["huge"] == "99999999999999999999"
    assert [row["mixed"] for row in rows] == [None, "1", "x", None, None]
    assert [row["inexact"] for row in rows[3:]] == ["9007199254740993", "0.5"]
    assert rows[2]["never"] is None


def test_new_columns_that_begin_with_nothing_get_the_type_of_what_follows(write, tmp_path):
    def late(texts):
        return {"flag": [None if text in "abcd" else "odd" for text in texts]}

    source = write("a.csv", "text\na\nb\nc\nd\ne\n")
    label(source, tmp_path / "b.parquet", late, columns=["flag"])
    assert [row["flag"] for row in read_parquet(tmp_path / "b.parquet")] == [None] * 4 + ["odd"]


HOSTILE = [
    '"quoted"',
    "a;b,c\td|e",
    "=cmd|' /C calc'!A0",
    "two\nlines\r\nand\rmore",
    " blanks around ",
    "NA",
    "007",
    "-",
    "\u2028\u2029\x85\x0b\x0c",
    "emoji 😀, עברית",
    "long " * 100_000,
    "'",
    "\\",
    "",
]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_hostile_cells_come_back_as_they_were_and_reach_the_model(write, tmp_path, ending):
    def quoted(cell):
        return '"' + cell.replace('"', '""') + '"'

    source = write("a.csv", "text,note\n" + "".join(f"{quoted(c)},{quoted(c)}\n" for c in HOSTILE))
    seen = []

    def listen(texts):
        seen.extend(texts)
        return {"mood": texts}

    first, again = tmp_path / f"b{ending}", tmp_path / "c.jsonl"
    label(source, first, listen, columns=["mood"])
    assert seen == HOSTILE
    label(first, again, lambda texts: {"again": texts}, columns=["again"])
    rows = [json.loads(line) for line in again.read_text().split("\n")[:-1]]
    assert [[row[name] for name in ("text", "note", "mood", "again")] for row in rows] == [
        [cell] * 4 for cell in HOSTILE
    ]


def test_characters_that_a_format_cannot_hold_are_replaced(write, tmp_path):
    source = write("a.jsonl", '{"text": "half \\ud83d", "note": "nul \\u0000"}\n')
    seen = []

    def listen(texts):
        seen.extend(texts)
        return {"mood": ["joy"]}

    for ending in (".jsonl", ".csv", ".parquet"):
        label(source, tmp_path / f"b{ending}", listen, columns=["mood"])
    assert seen == ["half \ufffd"] * 3
    assert json.loads((tmp_path / "b.jsonl").read_text())["text"] == "half \ud83d"
    assert (tmp_path / "b.csv").read_text() == 'text,note,mood\nhalf \ufffd,"nul \ufffd",joy\n'
    assert read_parquet(tmp_path / "b.parquet")[0]["note"] == "nul \0"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_encoding_and_delimiter_are_detected_and_the_delimiter_is_kept(
    write, tmp_path, encoding, delimiter
):
    ending = ".txt" if delimiter == "\t" else ".csv"
    source = write(f"a{ending}", f"text{delimiter}n\r\ncafé{delimiter}1\r\n".encode(encoding))
    label(source, tmp_path / f"b{ending}", lambda texts: {"mood": texts}, columns=["mood"])
    expected = f"text{delimiter}n{delimiter}mood\ncafé{delimiter}1{delimiter}café\n"
    assert (tmp_path / f"b{ending}").read_bytes().decode() == expected


def test_blanks_before_quotes_are_no_part_of_cells(write, tmp_path):
    source = write("a.csv", 'n, text\n1, "b, c"\n2, d\n')
    label(source, tmp_path / "b.csv", lambda texts: {"mood": texts}, columns=["mood"])
    assert (tmp_path / "b.csv").read_text() == 'n,text,mood\n1,"b, c","b, c"\n2,d,d\n'


def test_columns_without_a_name_are_kept_in_a_delimited_file_alone(write, tmp_path):
    source = write("a.csv", "text,,\na,1,2\n")
    label(source, tmp_path / "b.csv", lambda texts: {"mood": texts}, columns=["mood"])
    assert (tmp_path / "b.csv").read_text() == "text,,,mood\na,1,2,a\n"
    with pytest.raises(UserError, match=r"\.jsonl holds one.*Received: ''"):
        label(source, tmp_path / "b.jsonl")


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_table_without_rows(write, tmp_path, ending):
    output = tmp_path / f"b{ending}"
    assert label(write("a.csv", "text,n\n"), output)["rows"] == 0
    empty = {".csv": "text,n,mood,length,words\n", ".jsonl": "", ".parquet": []}
    assert content(output) == empty[ending]


def test_text_column_can_be_named_and_holds_numbers_too(write, tmp_path):
    source = write("a.jsonl", '{"body": 7, "text": "a"}\n{"body": true}\n{"text": "b"}\n')
    label(source, tmp_path / "b.csv", lambda t: {"mood": t}, columns=["mood"], column="body")
    assert [line.split(",")[-1] for line in (tmp_path / "b.csv").read_text().splitlines()] == [
        "mood",
        "7",
        "true",
        "",
    ]


def never(texts):
    raise AssertionError("nothing is to be labelled")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text\na\nb\n", None),
        ("a.csv", "text,mood\na,b\n", "names that the new ones get: mood.*--prefix.*text, mood"),
        ("a.csv", "note\na\n", "none has a usual name.*--text-column"),
        ("a.csv", "text,n\na,1\n\nb,2,3\n", "a.csv, line 4: 3 fields, where the header has 2"),
        ("a.csv", 'text,n\n"a\nb",1\n"c,2\nd,3\n', "a.csv, line 4: a quote opens"),
        ("a.csv", b"text,n\na\0,1\n", "line 2: a NUL byte"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', "a.jsonl, line 2: not JSON"),
        ("a.jsonl", f'{{"text": {"[" * 100_000}\n', "a.jsonl, line 1: not JSON"),
        ("a.jsonl", '{"text": "a"}\n["b"]\n', "line 2: a JSON object was expected"),
        ("a.parquet", "no", "not a Parquet file"),
        ("a.xlsx", "no", "cannot be read as a workbook"),
        ("a.doc", "no", r"'\.doc' is not known"),
        ("a.jsonl", '{"text": "a"}\n{"text": ["b"]}\n', "line 2: 'text' is a list or an object"),
        ("a.csv", "", "is empty"),
    ],
)
def test_what_is_wrong_with_the_input_is_told_before_anything_is_labelled(
    write, tmp_path, name, content, message
):
    source = write(name, content)
    if message is None:
        with pytest.raises(AssertionError):
            label(source, tmp_path / "out.csv", never)
        return
    with pytest.raises(UserError, match=message):
        label(source, tmp_path / "out.csv", never)
    assert list(tmp_path.iterdir()) == [source]


def test_too_long_a_line_is_not_taken_into_memory(write, tmp_path, monkeypatch):
    for module in ("source", "delimited"):
        monkeypatch.setattr(f"emotion_keras.tables.{module}.MOST_CHARACTERS", 1000)
    for name, first in (("a.csv", "text"), ("a.jsonl", '{"text": "a"}')):
        with pytest.raises(UserError, match="line 2 is longer than 1,000 characters"):
            label(write(name, f"{first}\n{'x' * 1001}"), tmp_path / "out.csv", never)
    quote = 'text\n"a\n' + "b\n" * 1000
    with pytest.raises(UserError, match="line 2: field larger than field limit"):
        label(write("a.csv", quote), tmp_path / "out.csv", never)


def test_too_many_keys_are_no_columns(write, tmp_path):
    source = write("a.jsonl", "".join(f'{{"text": "a", "{n}": 1}}\n' for n in range(10_001)))
    with pytest.raises(UserError, match="more than 10,000 different keys"):
        label(source, tmp_path / "out.csv", never)


def test_missing_input_and_bad_outputs(write, tmp_path):
    source = write("a.csv", "text\na\n")
    with pytest.raises(UserError, match="No such file.*Received: input="):
        label(tmp_path / "none.csv", tmp_path / "out.csv", never)
    with pytest.raises(UserError, match="Workbooks are read, not written.*out.xlsx"):
        label(source, tmp_path / "out.xlsx", never)
    with pytest.raises(UserError, match=r"'\.doc' is not known"):
        label(source, tmp_path / "out.doc", never)
    with pytest.raises(UserError, match="cannot be written.*Choose another place"):
        label(source, source / "out.csv", never)
    with pytest.raises(UserError, match="exists already, and is not overwritten"):
        label(source, source, never)


def test_answers_of_another_number_are_no_answers(write, tmp_path):
    source = write("a.csv", "text\na\nb\n")
    for answers in ({"mood": ["joy"]}, {}, {"mood": ["joy"] * 2, "more": ["x"] * 2}):
        with pytest.raises(ValueError, match="Of 2 texts 2 answers were expected"):
            label(source, tmp_path / "out.csv", lambda texts, a=answers: a, columns=["mood"])


# --- going on ---


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


SEVEN = "text,n\n" + "".join(f"{'word ' * n},{n}\n" for n in range(7))


def killed_at(texts):
    if "word word word word " in texts:
        raise Killed
    return predict(texts)


def whole(source, tmp_path, ending):
    output = tmp_path / f"whole{ending}"
    label(source, output)
    return content(output)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_going_on_after_a_kill_at_each_moment(write, tmp_path, monkeypatch, ending):
    source = write("a.csv", SEVEN)
    expected = whole(source, tmp_path, ending)
    steps = {name: getattr(os, name) for name in ("fsync", "replace", "unlink")}
    # Each time everything continues from where another step of the disk was the last, done or not.
    for moment in itertools.count():
        folder = tmp_path / str(moment)
        output = folder / f"out{ending}"
        counter = itertools.count()

        def step(function, *arguments, counter=counter, moment=moment, **options):
            number = next(counter)
            if number == moment // 2 and moment % 2 == 0:
                raise Killed
            function(*arguments, **options)
            if number == moment // 2:
                raise Killed

        with monkeypatch.context() as patch:
            for name, function in steps.items():
                patch.setattr(os, name, lambda *a, f=function, s=step, **o: s(f, *a, **o))
            try:
                label(source, output)
                break
            except Killed:
                pass
        assert not output.exists() or content(output) == expected
        label(source, output, resume=True)
        assert content(output) == expected
        assert list(folder.iterdir()) == [output]
    assert moment > 20


@pytest.mark.parametrize("rows_at_a_time", [1, 3])
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_only_what_is_missing_is_labelled(write, tmp_path, ending, rows_at_a_time):
    source = write("a.csv", SEVEN)
    expected, output = whole(source, tmp_path, ending), tmp_path / f"out{ending}"
    with pytest.raises(Killed):
        label(source, output, killed_at)
    assert not output.exists()
    seen = []

    def listen(texts):
        seen.extend(texts)
        return predict(texts)

    counts = label(source, output, listen, resume=True, rows_at_a_time=rows_at_a_time)
    assert seen == ["word " * n for n in range(4, 7)]
    assert counts == {"rows": 7, "labelled": 3, "empty": 1}
    assert content(output) == expected


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_going_on_with_other_inputs(write, tmp_path, name):
    texts = ["word " * n for n in range(7)]
    if name == "a.parquet":
        source = write_parquet(tmp_path / name, {"text": texts}, row_group_size=3)
    else:
        source = write(name, "".join(f"{json.dumps({'text': text})}\n" for text in texts))
    expected = whole(source, tmp_path, ".csv")
    with pytest.raises(Killed):
        label(source, tmp_path / "out.csv", killed_at)
    label(source, tmp_path / "out.csv", resume=True)
    assert content(tmp_path / "out.csv") == expected


@pytest.fixture
def begun(write, tmp_path):
    source, output = write("a.csv", SEVEN), tmp_path / "out.csv"
    with pytest.raises(Killed):
        label(source, output, killed_at)
    return source, output


def test_what_was_begun_is_not_begun_again_unasked(begun):
    with pytest.raises(
        UserError, match="4 rows.*--resume continues.*delete .*json, .*out.csv.part"
    ):
        label(*begun, never)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": {"model": 2}}, 'other settings.*Before: {"model": 1}. Received: {"model": 2'),
        ({"column": "n"}, "another column.*To start again, delete"),
        ({"columns": ["mood"]}, "other new columns"),
    ],
)
def test_other_work_is_not_gone_on_with(begun, options, message):
    with pytest.raises(UserError, match=message):
        label(*begun, never, resume=True, **options)


def test_another_input_is_not_gone_on_with(begun):
    source, output = begun
    source.write_text(SEVEN.replace("word,", "ward,").replace(",6", ",7"))
    with pytest.raises(UserError, match="another input, or the input was changed"):
        label(source, output, never, resume=True)


def test_an_input_that_changes_meanwhile(write, tmp_path):
    source = write("a.csv", SEVEN)

    def meddle(texts):
        os.utime(source, (1, 1))
        return predict(texts)

    with pytest.raises(UserError, match="was changed while it was labelled"):
        label(source, tmp_path / "out.csv", meddle)
    assert not (tmp_path / "out.csv").exists()


def test_part_that_is_not_what_the_journal_says(begun):
    source, output = begun
    os.truncate(f"{output}.part", 10)
    with pytest.raises(UserError, match="shorter than it was"):
        label(source, output, never, resume=True)
    output.with_name("out.csv.progress.json").unlink()
    with pytest.raises(UserError, match="out.csv.part is in the way"):
        label(source, output, never, resume=True)


def test_what_is_complete_is_left_as_it_is(write, tmp_path):
    source, output = write("a.csv", SEVEN), tmp_path / "out.csv"
    assert label(source, output, resume=True)["labelled"] == 7
    messages = []
    options = {"columns": COLUMNS, "settings": {}, "notify": messages.append}
    assert label_file(never, source, output, resume=True, **options)["labelled"] == 0
    assert "complete already" in messages[0]
    with pytest.raises(UserError, match="exists already"):
        label(source, output, never)


def test_output_that_came_meanwhile_is_not_overwritten(begun):
    source, output = begun
    output.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        label(source, output, never, resume=True)
    assert output.read_text() == "mine"


def test_one_process_at_a_time(write, tmp_path):
    source, output = write("a.csv", SEVEN), tmp_path / "out.csv"
    with FileLock(f"{output}.lock"), pytest.raises(UserError, match="Another process"):
        label(source, output, never)


def test_full_disk(write, tmp_path, monkeypatch):
    source, output = write("a.csv", SEVEN), tmp_path / "out.csv"
    calls = itertools.count()

    def full(descriptor):
        if next(calls) == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match="No space left.*2 rows are labelled.*--resume"):
            label(source, output)
    label(source, output, resume=True)
    assert content(output) == whole(source, tmp_path, ".csv")


def test_little_space_is_told_of(write, tmp_path, monkeypatch):
    messages = []
    usage = type("Usage", (), {"free": 3})()
    monkeypatch.setattr(labelling.shutil, "disk_usage", lambda path: usage)
    options = {"columns": COLUMNS, "settings": {}, "notify": messages.append}
    label_file(predict, write("a.csv", SEVEN), tmp_path / "out.csv", **options)
    assert "GB left" in messages[0]


def test_ctrl_c_says_how_to_go_on(write, tmp_path, capsys):
    def stop(texts):
        if "word word " in texts:
            raise KeyboardInterrupt
        return predict(texts)

    source = write("a.csv", SEVEN)
    assert run_command(lambda: label(source, tmp_path / "out.csv", stop)) == 2
    said = capsys.readouterr().err
    assert "Stopped. 2 of 7 rows are labelled. The same command with --resume" in said


def test_progress_is_silent_for_short_work_outside_of_a_terminal(write, tmp_path, capsys):
    label(write("a.csv", SEVEN), tmp_path / "out.csv")
    assert capsys.readouterr() == ("", "")


def test_progress_says_how_much_is_left(write, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("emotion_keras.command.live_line._SECONDS_IN_A_LOG", 0)
    label(write("a.csv", SEVEN), tmp_path / "out.csv")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("2 of 7 rows; about ") and lines[-1].startswith("7 of 7 rows")
    monkeypatch.setenv("FORCE_COLOR", "1")
    label(tmp_path / "a.csv", tmp_path / "out2.csv")
    assert "of 7 rows" in capsys.readouterr().err
