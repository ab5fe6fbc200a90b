"""Languages without blanks between words, and with letters that Python knows as marks."""

import re

import numpy as np
import pytest

from emotion_keras.data import load_corpus, prepare
from emotion_keras.inputs.normalization import count_words
from emotion_keras.models.baselines import BASELINES

# Two words that tell the emotion, and others that do not, in sentences without blanks.
LANGUAGES = [
    pytest.param(("高兴", "害怕"), "我在家里今天朋友来了然后我们", "", id="Chinese"),
    pytest.param(
        ("うれしい", "こわい"), "きょうはいえでともだちがきて", "", id="Japanese syllables"
    ),
    pytest.param(("ดีใจ", "กลัว"), "วันนี้ที่บ้านเพื่อนมาหาฉัน", "", id="Thai"),
    pytest.param(("รัก", "เศร้า"), "วันนี้ที่บ้านเพื่อนมาหาฉัน", "", id="Thai with other words"),
    pytest.param(("खुशी", "डर"), "आज घर में दोस्त आया और हम", " ", id="Hindi, with blanks"),
    pytest.param(("joy", "fear"), "we at home with a friend then", " ", id="English"),
]


def sentences(words, others, blank, size, seed):
    """Texts of one of two words among others in random order, and which word it is."""
    chance = np.random.default_rng(seed)
    parts = others.split() if blank else re.findall("..", others)
    made, labels = [], chance.integers(2, size=size)
    for label in labels:
        chosen = chance.permutation(parts)[:5].tolist()
        chosen.insert(chance.integers(6), words[label])
        made.append(blank.join(chosen))
    return made, labels


@pytest.mark.parametrize("model", ["tfidf_logistic", "tfidf_svm"])
@pytest.mark.parametrize(("words", "others", "blank"), LANGUAGES)
def test_a_word_that_tells_all_is_seen(model, words, others, blank):
    texts, labels = sentences(words, others, blank, 80, seed=0)
    unseen, truth = sentences(words, others, blank, 80, seed=1)
    estimator = BASELINES[model]().build(0).fit(texts, labels)
    assert (estimator.predict(unseen) == truth).mean() > 0.95


def test_words_of_latin_letters_are_those_of_scikit_learn():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["I'm 42, naïve; don't_stop (a b cd) e-mail Straße 5€", "ПРИВЕТ мир x yz", "été à la"]
    vectorizer = BASELINES["tfidf_logistic"]().build(0)[0]
    plain = TfidfVectorizer(ngram_range=(1, 2), strip_accents="unicode")
    assert set(vectorizer.fit(texts).vocabulary_) == set(plain.fit(texts).vocabulary_)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("我很高兴", 4, id="Chinese"),
        pytest.param("iPhone 很好用", 4, id="a Latin word among Chinese"),
        pytest.param("สวัสดี", 6, id="Thai, by characters"),
        pytest.param("naïve café", 2, id="accents"),
        pytest.param("안녕 하세요", 2, id="Korean, which has blanks"),
        pytest.param("", 0, id="nothing"),
    ],
)
def test_words_are_counted(text, count):
    assert count_words(text) == count


def test_the_user_is_told(tmp_path):
    path = tmp_path / "a.csv"
    rows = "".join(f"我很高兴{n},乐\n我害怕{n},怕\n" for n in range(9))
    path.write_text(f"text,label\n{rows}", encoding="utf-8")
    messages = []
    corpus = load_corpus(path, notify=messages.append)
    assert any("without blanks between words" in message for message in messages)
    # Four characters and a digit, or three and a digit.
    assert prepare(corpus)[1].to_dict()["words"]["most"] == 5
    path.write_text("text,label\nI said 你好,joy\nI hid,fear\n", encoding="utf-8")
    messages.clear()
    load_corpus(path, notify=messages.append)
    assert messages == []
