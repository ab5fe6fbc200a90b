"""A text in which a model finds no word to read gets no emotion, however it is written."""

import numpy as np
import pytest

from emotion_keras.data import load_corpus, prepare
from emotion_keras.inference.base import Model
from emotion_keras.inference.outputs import Outputs
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inputs import TextInput
from emotion_keras.inputs.normalization import has_words
from emotion_keras.inputs.text import TextOptions
from emotion_keras.inputs.word_pieces import WordPieceTokenizer
from emotion_keras.targets import SingleLabel

WITHOUT = [
    pytest.param("", id="nothing"),
    pytest.param(" \t\r\n", id="blanks"),
    pytest.param("\u00a0\u2003\u3000\u2028", id="blanks of other widths"),
    pytest.param("\u200b\u200c\u200d\u2060\ufeff", id="zero-width characters"),
    pytest.param("\u200e\u202e\u00ad", id="marks of direction and a soft hyphen"),
    pytest.param("\u3164\u115f\uffa0\u2800", id="letters that are blank"),
    pytest.param("\x00\x07\x1b", id="control characters"),
    pytest.param("!!!", id="exclamation marks"),
    pytest.param("...", id="dots"),
    pytest.param("\u2026", id="an ellipsis"),
    pytest.param("?", id="a question mark"),
    pytest.param("\u2014", id="a dash"),
    pytest.param("\u060c", id="an Arabic comma"),
    pytest.param("\u3002\uff01\u300c\u300d", id="Chinese marks"),
    pytest.param("\u00a1\u00bf", id="Spanish marks"),
    pytest.param("---- ____ ****", id="lines"),
    pytest.param(":-) ;)", id="faces of punctuation"),
    pytest.param("+ = < > | ~ ^ ` $ \u20ac", id="signs"),
    pytest.param("\u0301\u0308", id="accents without letters"),
    pytest.param("\ufffd\ufffd", id="what could not be decoded"),
    pytest.param("&nbsp;&hellip;", id="HTML of a blank and dots"),
    pytest.param('""', id="quotes around nothing"),
    pytest.param("\U0001f3fd", id="a colour of skin alone"),
]
WITH = [
    pytest.param("no", id="a word"),
    pytest.param("!!! no ...", id="a word among marks"),
    pytest.param("a", id="a letter"),
    pytest.param("42", id="digits"),
    pytest.param("\u0664\u0662", id="Arabic digits"),
    pytest.param("\u0641\u0631\u062d", id="a word in Arabic"),
    pytest.param("\u559c", id="a Chinese character"),
    pytest.param("\U0001f600", id="an emoji"),
    pytest.param("\u2764\ufe0f", id="a heart"),
    pytest.param("\U0001fae8", id="an emoji of 2022"),
    pytest.param("\U0001f469\u200d\U0001f680", id="an emoji of several"),
    pytest.param("<3", id="a heart of a sign and a digit"),
    pytest.param("caf\u00e9", id="an accent"),
]


class Marks(Model):
    """A network that is sure of the first label for every token it is asked about."""

    modality = TextInput
    target = SingleLabel(["joy", "fear"])
    can_explain = True
    num_parallel = 1

    def __init__(self, words):
        tokenizer = WordPieceTokenizer.of_words([*words, *"!?.,:;)-$=+<>|~^`'\"*_"])
        self.input = TextInput(tokenizer, TextOptions(sequence_length=6))
        self.asked = []

    def outputs(self, sequences, explain=False):
        self.asked += sequences.lengths.tolist()
        lengths = sequences.lengths
        # What a window says goes by its first word, so that windows differ.
        first = sequences.values[sequences.offsets[:-1] + 1] % 2
        probabilities = np.stack([0.9 - 0.5 * first, 0.1 + 0.5 * first], axis=1)
        tokens = [np.full(length, 0.5) for length in lengths]
        return Outputs(probabilities, tokens, [np.ones((length, 2)) for length in lengths])


def make(model, normalize=True):
    return Predictor(
        model,
        name="marks",
        temperature=1.0,
        preparation={"clean": True, "normalize_punctuation": normalize},
    )


@pytest.mark.parametrize("text", WITHOUT)
def test_it_gets_no_emotion(text):
    model = Marks(["no"])
    first, second = make(model)([text, "no"], explain=True)
    empty = {"label": "", "confidence": None, "probabilities": None, "flag": "empty", "words": []}
    empty |= {"rest": None, "score": None}
    assert first == empty and second["flag"] == ""
    assert model.asked == [3]


@pytest.mark.parametrize("text", WITH)
def test_what_has_a_word_is_told_from_it(text):
    assert has_words(text)


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        pytest.param("qwfp zxcv", "empty", id="words that are all unknown"),
        pytest.param("qwfp!!! ...", "empty", id="unknown words and marks that are known"),
        pytest.param("qwfp no", "", id="one known word of two"),
        pytest.param("\U0001f600", "empty", id="an emoji that the tokenizer does not know"),
        pytest.param("\U0001f602!", "", id="an emoji that it knows"),
        pytest.param("[UNK] [PAD]", "empty", id="special tokens that somebody typed"),
        pytest.param("! ! ! ! ! ! no", "empty", id="a word behind all that is read"),
        pytest.param("no ! ! ! ! ! !", "truncated", id="a word before what is left out"),
    ],
)
def test_what_the_model_does_not_know_is_no_word(text, flag):
    assert make(Marks(["no", "\U0001f602"]), normalize=False)(text)["flag"] == flag


@pytest.mark.parametrize(
    ("text", "flag", "windows"),
    [
        pytest.param("! ? ! ? ! ? no", "split", 1, id="a word in the second window"),
        pytest.param("no yes no yes no", "split", 2, id="words in both"),
        pytest.param("! ? ! ? ! ? ! ?", "empty", 0, id="marks in all"),
        pytest.param("qwfp " * 9, "empty", 0, id="unknown words in all"),
    ],
)
def test_windows_without_words_have_no_say(text, flag, windows):
    model = Marks(["no", "yes"])
    answer = make(model, normalize=False)([text, "no"], long="split")[0]
    assert (answer["flag"], len(model.asked) - 1) == (flag, windows)


def test_a_mean_over_windows_is_that_of_those_with_words():
    model = Marks(["no", "yes"])
    # Of four tokens between the marks «no» begins the first window, «!» the second, «yes» the last.
    ids = [model.input.encode([word], 9).values[1] % 2 for word in ("no", "yes")]
    shares = [0.9 - 0.5 * number for number in ids]
    answer = make(model, normalize=False)("no yes no yes ! ? ! ? yes", long="split")
    expected = (6 * shares[0] + 3 * shares[1]) / 9
    assert answer["probabilities"]["joy"] == pytest.approx(expected)


def test_a_model_without_tokenizer_answers_what_has_letters():
    class Baseline(Model):
        modality, input, outputs = TextInput, None, None
        target = SingleLabel(["joy", "fear"])
        can_explain = False

        def probabilities(self, texts):
            return np.array([[0.75, 0.25] for _ in texts])

    assert make(Baseline()).predict(["!!!", "qwfp", "...", "\U0001f600"]) == ["", "joy", "", "joy"]


@pytest.mark.parametrize("text", [*WITHOUT[7:17]])
def test_training_leaves_it_out(text, tmp_path):
    rows = [*(f"we sang {i},joy" for i in range(3)), *(f"it hid {i},fear" for i in range(3))]
    quoted = text.replace('"', '""')
    content = "text,label\n" + "\n".join([*rows, f'"{quoted}",joy']) + "\n"
    (tmp_path / "texts.csv").write_text(content, encoding="utf-8")
    corpus, audit = prepare(load_corpus(str(tmp_path / "texts.csv")))
    removed = [step["removed"] for step in audit.to_dict()["steps"]]
    assert {"empty text": {"joy": 1}} in removed and len(corpus) == 6
