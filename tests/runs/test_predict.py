"""The command that labels texts: where they come from, and where the answers go."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emotion_keras import record
from emotion_keras.inference.base import Model
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inputs import TextInput
from emotion_keras.predict import main
from emotion_keras.targets import SingleLabel

LABELS = ["joy", "fear", "anger"]

# Of 20 validation examples: from 0.65 on ten are answered, nine of them rightly.
THRESHOLDS = {
    "examples": {"val": 20, "test": 40},
    "steps": [
        {
            "min_confidence": 0.0,
            "accuracy": 0.4,
            "answered": {"val": 20, "test": 40},
            "right": {"val": 11, "test": 20},
        },
        {
            "min_confidence": 0.65,
            "accuracy": 0.66,
            "answered": {"val": 10, "test": 16},
            "right": {"val": 9, "test": 12},
        },
    ],
}


class Fake(Model):
    """Knows three words, and is not sure of others."""

    modality, input, outputs = TextInput, None, None
    target = SingleLabel(["joy", "fear", "anger"])
    can_explain = False

    def probabilities(self, texts):
        if "interrupt" in texts:
            raise KeyboardInterrupt
        known = {"party": [0.7, 0.2, 0.1], "storm": [0.1, 0.8, 0.1], "late": [0.2, 0.2, 0.6]}
        rows = [next((p for w, p in known.items() if w in t), [0.4, 0.3, 0.3]) for t in texts]
        return np.array(rows)


class Explaining(Predictor):
    """Says of every word that it is as open as it is long."""

    can_explain = True

    def __call__(self, texts, *, explain=False, **options):
        answers = super().__call__(texts, **options)
        for text, answer in zip(texts, answers, strict=True):
            if explain:
                words = text.split() if answer["label"] else []
                answer["words"] = [
                    {"word": word, "gate": len(word) / 10, "contribution": 0.25 - 0.25 * i}
                    for i, word in enumerate(words)
                ]
                answer |= {
                    "rest": 0.5,
                    "score": 0.5 + sum(w["contribution"] for w in answer["words"]),
                }
        return answers


@pytest.fixture(autouse=True)
def weights(monkeypatch, tmp_path_factory):
    """The model's weights, which nothing reads but what compares them."""
    monkeypatch.chdir(tmp_path_factory.mktemp("models"))
    path = Path("folder") / record.ONNX
    path.parent.mkdir()
    path.write_bytes(b"as trained")
    return path


@pytest.fixture(autouse=True)
def loaded(monkeypatch):
    predictor = Explaining(
        Fake(),
        name="fake",
        temperature=1.0,
        preparation={"clean": True, "normalize_punctuation": True},
        thresholds=lambda: THRESHOLDS,
    )
    monkeypatch.setattr(Predictor, "load", classmethod(lambda cls, directory: predictor))


def output(capsys):
    without_colours = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    return " ".join(without_colours.split())


def test_texts_of_the_command_line_are_shown_in_a_table(capsys, terminal):
    assert main(["folder", "a party", "", "a [bold] storm"]) == 0
    shown = output(capsys)
    assert "a party joy 70 fear 20, anger 10" in shown
    assert "(empty)" in shown
    assert "a [bold] storm fear 80 joy 10, anger 10" in shown


def test_a_long_text_is_cut_in_a_terminal(capsys, terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    assert main(["folder", "party " * 40]) == 0
    assert f"{('party ' * 40)[:199]}…" in capsys.readouterr().out


def test_for_another_program_texts_are_answered_as_lines_are(capsys, monkeypatch):
    texts = ["a party " * 40, "", "late\tagain"]
    assert main(["folder", *texts, "--min-confidence", "0.65"]) == 0
    found = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(texts) + "\n"))
    assert main(["folder", "--min-confidence", "0.65"]) == 0
    assert capsys.readouterr().out == found
    assert found.splitlines()[2] == "unsure\t60\tanger 60, joy 20, fear 20\tlate again"


def test_texts_may_stand_behind_options_and_begin_with_a_dash(capsys, terminal):
    assert main(["folder", "--top", "2", "a party", "--long=split", "- late"]) == 0
    shown = output(capsys)
    assert "a party joy 70 fear 20" in shown and "anger 10" not in shown
    assert "- late anger 60 joy 20" in shown


def test_lines_of_standard_input_are_answered_line_by_line(monkeypatch, capsys):
    lines = "a party\n\na storm\tby night\n" + "late\n" * 300
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert main(["folder"]) == 0
    found = capsys.readouterr().out.splitlines()
    assert len(found) == 303
    assert found[0].split("\t") == ["joy", "70", "fear 20, anger 10", "a party"]
    assert found[1].split("\t") == ["(empty)", "", "", ""]
    assert found[2].split("\t") == ["fear", "80", "joy 10, anger 10", "a storm by night"]
    assert all(line.startswith("anger\t60") for line in found[3:])


def test_no_texts_at_a_terminal_are_told(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert main(["folder"]) == 2
    assert "There are no texts" in capsys.readouterr().err


def test_a_file_keeps_its_columns_and_gets_new_ones(tmp_path):
    (tmp_path / "in.csv").write_text('id,text\n007,"a party, late"\n008,\n')
    arguments = ["folder", "--input", str(tmp_path / "in.csv"), "--output"]
    assert main([*arguments, str(tmp_path / "out.csv")]) == 0
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "id,text,label,confidence,probability:joy,probability:fear,probability:anger,flag",
        '007,"a party, late",joy,0.7,0.7,0.2,0.1,',
        "008,,,,,,,empty",
    ]
    assert main([*arguments, str(tmp_path / "top.jsonl"), "--top", "2", "--prefix", "by_"]) == 0
    first, second = map(json.loads, (tmp_path / "top.jsonl").read_text().splitlines())
    assert first == {
        **{"id": "007", "text": "a party, late", "by_label": "joy", "by_confidence": 0.7},
        **{"by_label_2": "fear", "by_confidence_2": 0.2, "by_flag": ""},
    }
    assert (second["by_label"], second["by_label_2"], second["by_flag"]) == ("", None, "empty")


def test_a_label_below_the_threshold_is_unsure_and_all_else_stays(tmp_path, capsys, terminal):
    (tmp_path / "in.csv").write_text("text\na party\nlate\nnothing\n.\n")
    arguments = ["folder", "--input", str(tmp_path / "in.csv"), "--min-confidence", "0.6"]
    assert main([*arguments, "--output", str(tmp_path / "out.csv")]) == 0
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "text,label,confidence,guess,probability:joy,probability:fear,probability:anger,flag",
        "a party,joy,0.7,joy,0.7,0.2,0.1,",
        "late,anger,0.6,anger,0.2,0.2,0.6,",  # Just sure enough.
        "nothing,unsure,0.4,joy,0.4,0.3,0.3,",
        ".,,,,,,,empty",
    ]
    assert main([*arguments, "--output", str(tmp_path / "top.jsonl"), "--top", "2"]) == 0
    *_, row, _ = map(json.loads, (tmp_path / "top.jsonl").read_text().splitlines())
    assert (row["label"], row["guess"], row["label_2"]) == ("unsure", "joy", "fear")
    assert main(["folder", "nothing", "--min-confidence", "0.6"]) == 0
    assert "nothing unsure 40 joy 40, fear 30, anger 30" in output(capsys)


def test_answers_at_another_threshold_are_not_put_together(tmp_path, capsys):
    rows = ["a party"] * 4096 + ["interrupt"]
    (tmp_path / "in.csv").write_text("\n".join(["text", *rows]) + "\n")
    arguments = ["folder", "--input", str(tmp_path / "in.csv"), "--output", str(tmp_path / "a.csv")]
    assert main([*arguments, "--min-confidence", "0.6"]) == 2
    assert main([*arguments, "--min-confidence", "0.8", "--resume"]) == 2
    assert "begun with other settings" in " ".join(capsys.readouterr().err.split())


def test_a_threshold_can_be_asked_for_by_accuracy(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("a party\nlate\n"))
    assert main(["folder", "--target-accuracy", "0.6"]) == 0
    printed = capsys.readouterr()
    assert [line.split("\t")[0] for line in printed.out.splitlines()] == ["joy", "unsure"]
    assert printed.err.strip() == (
        "Answers from a confidence of 65.0 % on: of the test split 40.0 % of the texts are "
        "answered, and 75.0 % of these answers are right."
    )


def test_an_accuracy_that_is_not_reached_is_refused(capsys):
    assert main(["folder", "a party", "--target-accuracy", "0.9"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "the model is not that good, or the validation split of 20 texts is too small" in said
    assert "At best 9 of 10 answers are right, which makes 0.66 sure" in said


def test_a_label_that_is_called_unsure_is_not_mistaken(monkeypatch, capsys, terminal):
    monkeypatch.setattr(Fake, "target", SingleLabel(["joy", "unsure", "anger"]))
    assert main(["folder", "a party", "--min-confidence", "0.5"]) == 2
    assert "A label of this model is called 'unsure'" in " ".join(capsys.readouterr().err.split())
    assert main(["folder", "storm"]) == 0
    assert "storm unsure 80" in output(capsys)


def test_answers_of_other_weights_are_not_put_together(tmp_path, weights, capsys, monkeypatch):
    rows = ["a party"] * 4096 + ["interrupt"]
    (tmp_path / "in.csv").write_text("\n".join(["text", *rows]) + "\n")
    arguments = ["folder", "--input", str(tmp_path / "in.csv"), "--output", str(tmp_path / "a.csv")]
    assert main(arguments) == 2
    assert "4,096 of 4,097 rows are labelled" in capsys.readouterr().err
    weights.write_bytes(b"trained once more")
    assert main([*arguments, "--resume"]) == 2
    assert "begun with other settings" in " ".join(capsys.readouterr().err.split())
    weights.write_bytes(b"as trained")
    weights.parent.rename("elsewhere")
    monkeypatch.setattr(Fake, "probabilities", lambda self, texts: [[0.7, 0.2, 0.1] for _ in texts])
    assert main(["elsewhere", *arguments[1:], "--resume"]) == 0
    assert len(pd.read_csv(tmp_path / "a.csv")) == len(rows)


def test_explanations_are_columns_too(tmp_path):
    (tmp_path / "in.csv").write_text("text\na party\n")
    arguments = ["folder", "--explain", "--input", str(tmp_path / "in.csv"), "--output"]
    assert main([*arguments, str(tmp_path / "out.csv")]) == 0
    (row,) = pd.read_csv(tmp_path / "out.csv").to_dict("records")
    assert json.loads(row["words"]) == [
        {"word": "a", "gate": 0.1, "contribution": 0.25},
        {"word": "party", "gate": 0.5, "contribution": 0.0},
    ]
    assert (row["rest"], row["score"]) == (0.5, 0.75)


def test_texts_that_are_no_file_can_be_written_as_one(tmp_path):
    assert main(["folder", "a party", "late", "--output", str(tmp_path / "out.jsonl")]) == 0
    rows = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert [(row["text"], row["label"]) for row in rows] == [("a party", "joy"), ("late", "anger")]


def test_explained_words_are_shown_with_their_sum(capsys, terminal):
    assert main(["folder", "a party late", "--explain"]) == 0
    shown = output(capsys)
    assert "a++ party late-- joy 70" in shown
    assert "Score +0.50 = words +0.00, rest +0.50" in shown
    assert "was not measured" in shown


def test_the_gate_is_shown_where_it_is_asked_for(capsys, terminal):
    assert main(["folder", "a party late", "--explain-by", "gate"]) == 0
    shown = output(capsys)
    assert "a₁ party₅ late₄ joy 70" in shown and "not for which label it speaks" in shown


def test_lines_have_the_explanation_as_json(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a party\n"))
    assert main(["folder", "--explain"]) == 0
    *_, explanation = capsys.readouterr().out.strip().split("\t")
    assert json.loads(explanation)["rest"] == 0.5
    assert json.loads(explanation)["words"][1] == {"word": "party", "gate": 0.5, "contribution": 0}


def test_a_page_of_explained_texts_is_safe(tmp_path):
    path = tmp_path / "page.html"
    assert main(["folder", "<script>party", "", "--explain", "--output", str(path)]) == 0
    page = path.read_text()
    assert "<script" not in page and "&lt;script&gt;party" in page
    assert "<bdi>joy</bdi>, 70 %" in page and "no text" in page
    assert "<bdi>fear</bdi> 20 %, <bdi>anger</bdi> 10 %" in page
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_says_what_an_unsure_answer_would_have_been(tmp_path):
    path = tmp_path / "page.html"
    arguments = ["folder", "nothing", "a party", "--explain", "--min-confidence", "0.5"]
    assert main([*arguments, "--output", str(path)]) == 0
    page = path.read_text()
    assert "<h2><bdi>unsure</bdi>, perhaps <bdi>joy</bdi>, 40 %</h2>" in page
    assert "<h2><bdi>joy</bdi>, 70 %</h2>" in page


def test_a_page_has_the_same_scale_for_all_texts_and_says_whether_words_matter(tmp_path):
    path = tmp_path / "page.html"
    arguments = ["folder", "a party late", "--output", str(path)]
    assert main([*arguments, "--explain"]) == 0
    page = path.read_text()
    assert '<bdi class="word for2" title="a: contribution +0.250, gate 0.100">a</bdi>' in page
    assert '<bdi class="word" title="party: contribution +0.000, gate 0.500">party</bdi>' in page
    assert '<bdi class="word against2" title="late: contribution −0.250, gate 0.400">' in page
    assert "Score +0.50 = words +0.00, rest +0.50" in page
    assert "Whether predictions rest on the words that it points at was not measured." in page
    path.unlink()
    assert main([*arguments, "--explain-by", "gate"]) == 0
    page = path.read_text()
    assert 'class="word gated" style="--open: 0.10" title="a: contribution +0.250' in page
    assert "for2" not in page.split("</style>")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["folder", "a", "--input", "x.csv"], "no two of these"),
        (["folder", "--text", "a", "--input", "x.csv"], "no two of these"),
        (["folder", "--input", "x.csv"], "--output"),
        (["folder", "a", "--resume"], "are for `--input`"),
        (["folder", "a", "--output", "x.html"], "with `--explain`"),
        (["folder", "a", "--top", "0"], "at least 1"),
        (["folder", "a", "--top", "many"], "whole number"),
        (["folder", "a", "--long", "fold"], "truncate, split"),
        (["folder", "a", "--min-confidence", "70"], "a share from 0 to 1"),
        (["folder", "a", "--min-confidence", "0.7", "--target-accuracy", "0.9"], "not both"),
        (["folder", "a", "--depth", "3"], "no such option"),
        ([], "required: run"),
        (["best", "a", "--runs-dir", "/nowhere"], "no finished run"),
    ],
)
def test_wrong_use_ends_with_2_and_a_message(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_file_that_has_such_columns_is_told_of_the_prefix(tmp_path, capsys):
    (tmp_path / "in.csv").write_text("text,label\na party,joy\n")
    arguments = ["--input", str(tmp_path / "in.csv"), "--output", str(tmp_path / "out.csv")]
    assert main(["folder", *arguments]) == 2
    assert "--prefix" in capsys.readouterr().err
