"""What a model of several labels answers: to Python, in a terminal, in files and over HTTP."""

import asyncio
import csv

import httpx
import numpy as np
import pytest

from emotion_keras import predict as command
from emotion_keras import record
from emotion_keras.inference.base import Model
from emotion_keras.inference.outputs import Outputs
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inputs import TextInput
from emotion_keras.inputs.text import TextOptions
from emotion_keras.inputs.word_pieces import WordPieceTokenizer
from emotion_keras.service.app import make_app
from emotion_keras.targets import MultiLabel

# Odds of 4 to 1 and 1 to 4 become at a temperature of 2 those of 2 to 1 and 1 to 2.
ROWS = {"we": [0.8, 0.2, 0.2], "hid": [0.2, 0.8, 0.2], "both": [0.8, 0.8, 0.2], "no": [0.2] * 3}
TEXTS = ["we", "both", "no", " "]
LABELS = ["joy", "joy,fear", "(none)", ""]


class Words(Model):
    """A network that goes by the first word of a text; each of its words adds 1 to each score."""

    modality = TextInput
    target = MultiLabel(["joy", "fear", "shame"], thresholds=[0.5, 0.7, 0.3])
    can_explain = True

    def __init__(self):
        tokenizer = WordPieceTokenizer.of_words([*ROWS, "."])
        self.input = TextInput(tokenizer, TextOptions(sequence_length=6))

    def outputs(self, sequences, explain=False):
        words = np.array(list(ROWS))
        first = sequences.values[sequences.offsets[:-1] + 1]
        known = self.input.encode(list(ROWS))
        ids = known.values[known.offsets[:-1] + 1]
        rows = np.array([ROWS[words[ids == one][0]] for one in first], "float32")
        lengths = sequences.lengths
        tokens = [np.full(length, 0.5) for length in lengths]
        return Outputs(rows, tokens, [np.ones((length, 3)) for length in lengths])


@pytest.fixture
def predictor(monkeypatch):
    made = Predictor(
        Words(),
        name="words",
        temperature=2.0,
        preparation={"clean": True, "normalize_punctuation": True},
    )
    monkeypatch.setattr(Predictor, "load", lambda directory, parallel=False: made)
    return made


def test_labels_hold_by_thresholds_of_what_the_model_gives(predictor):
    answers = predictor(TEXTS)
    assert [answer["label"] for answer in answers] == LABELS == predictor.predict(TEXTS)
    assert [answer["labels"] for answer in answers] == [["joy"], ["joy", "fear"], [], []]
    # At a temperature of 2, 0.8 is 2/3, which lies below the threshold of fear: 0.7 is of 0.8.
    assert answers[1]["probabilities"] == pytest.approx(
        {"joy": 2 / 3, "fear": 2 / 3, "shame": 1 / 3}
    )
    # All three are right, each by its own probability.
    sure = [answer["confidence"] for answer in answers]
    assert sure[:3] == pytest.approx([8 / 27, 8 / 27, 8 / 27]) and sure[3] is None


def test_the_most_probable_label_is_explained_and_named(predictor):
    answers = predictor(["hid we", "no", ""], explain=True)
    assert [answer["explained"] for answer in answers] == ["fear", "joy", ""]
    hid = answers[0]
    # The score is the log odds of 0.8, 4 to 1; two words add 1 each, the rest is what remains.
    assert hid["score"] == pytest.approx(np.log(4))
    assert [word["contribution"] for word in hid["words"]] == [1, 1]
    assert hid["rest"] == pytest.approx(np.log(4) - 2)


def test_below_a_confidence_the_labels_are_a_guess(predictor):
    (answer,) = predictor(["both"], min_confidence=0.5)
    assert (answer["label"], answer["guess"]) == ("unsure", "joy,fear")


def test_a_line_names_the_labels_and_the_probability_of_each(predictor, capsys):
    command.predict("run", ["both", ""], notify=print)
    first, second = capsys.readouterr().out.splitlines()
    assert first.split("\t") == ["joy, fear", "30", "joy 67, fear 67, shame 33", "both"]
    assert second.startswith("(empty)")


@pytest.mark.parametrize(
    "options, columns",
    [
        ({}, ["probability:joy", "probability:fear", "probability:shame", "flag"]),
        ({"top": 2}, ["label_1", "confidence_1", "label_2", "confidence_2", "flag"]),
        (
            {"top": 1, "explain": True},
            ["label_1", "confidence_1", "flag", "explained", "words", "rest", "score"],
        ),
    ],
)
def test_a_file_has_a_column_of_labels(predictor, tmp_path, options, columns):
    (tmp_path / "a.csv").write_text("text\nboth\n\nno\n")
    (tmp_path / record.ONNX).touch()
    files = {"input": str(tmp_path / "a.csv"), "output": str(tmp_path / "b.csv")}
    command.predict(tmp_path, [], notify=lambda message: None, **files, **options)
    with open(tmp_path / "b.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["text", "label", "confidence", *columns]
    assert [row[1] for row in rows if row[0]] == ["joy,fear", "(none)"]
    if "top" in options:
        assert rows[0][3:5] == ["joy", "0.666667"]


def test_a_page_names_all_labels_and_the_one_that_it_explains(predictor, tmp_path):
    options = {"output": str(tmp_path / "a.html"), "explain": True}
    command.predict("run", ["both hid"], notify=lambda message: None, **options)
    page = (tmp_path / "a.html").read_text()
    assert "<bdi>joy, fear</bdi>, 30 %" in page
    assert "Score of joy +1.39 = words +2.00, rest −0.61" in page
    assert page.index("<bdi>joy</bdi> 67 %") < page.index("<bdi>shame</bdi> 33 %")


def test_the_service_answers_with_a_list_of_labels(predictor):
    async def ask():
        transport = httpx.ASGITransport(make_app(predictor))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            answer = await client.post("/predict", json={"texts": TEXTS, "explain": True})
            return answer.json()["predictions"], (await client.get("/")).text

    answers, page = asyncio.run(ask())
    assert [one["labels"] for one in answers] == [["joy"], ["joy", "fear"], [], []]
    assert [one["explained"] for one in answers] == ["joy", "joy", "joy", ""]
    assert "underlined are those that hold" in page and "reaches the threshold" in page
