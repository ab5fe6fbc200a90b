"""Tokenizers: what they learn, cut, keep and mark."""

import random

import keras_hub
import numpy as np
import pytest
import tokenizers

from emotion_keras import record
from emotion_keras.data import situations
from emotion_keras.inputs.pretrained import load_tokenizer
from emotion_keras.inputs.text_encoders import find_encoder
from emotion_keras.inputs.word_pieces import WordPieceTokenizer

TEXTS = [
    "We laughed at home, and laughing friends came.",
    "They hid at home when the storm came!",
    "She shouted; he shouted back at home.",
] * 3


def to_lists(sequences):
    return [row.tolist() for row in np.split(sequences.values, sequences.offsets[1:-1])]


def tokens(tokenizer, text, sequence_length=64):
    (ids,) = to_lists(tokenizer.encode([text], sequence_length))
    return [tokenizer._tokenizer.id_to_token(i) for i in ids]


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer.train(TEXTS, vocabulary_size=200)


def test_padding_is_id_0_and_marks_surround_a_text(tokenizer):
    assert tokenizer._tokenizer.token_to_id("[PAD]") == 0
    assert tokens(tokenizer, "") == ["[CLS]", "[SEP]"]
    assert tokens(tokenizer, "we laughed") == ["[CLS]", "we", "laughed", "[SEP]"]


def test_case_accents_and_blanks_do_not_matter(tokenizer):
    assert tokens(tokenizer, "  WÉ  laughed\n") == tokens(tokenizer, "we laughed")


def test_an_unseen_word_is_made_of_pieces(tokenizer):
    pieces = tokens(tokenizer, "laughs")[1:-1]
    assert len(pieces) > 1
    assert "".join(piece.removeprefix("##") for piece in pieces) == "laughs"


def test_an_unseen_character_is_unknown(tokenizer):
    assert tokens(tokenizer, "喜")[1:-1] == ["[UNK]"]


@pytest.mark.parametrize("length", [2, 4, 7])
def test_a_long_text_is_cut_and_its_end_mark_stays(tokenizer, length):
    whole, cut = tokens(tokenizer, TEXTS[0]), tokens(tokenizer, TEXTS[0], length)
    assert cut == [*whole[: length - 1], "[SEP]"]


def test_a_huge_text_is_cut(tokenizer):
    sequences = tokenizer.encode(["laughed " * 15_000, "x" * 100_000], 64)
    assert sequences.lengths.tolist() == [64, 3]


def test_texts_are_encoded_one_by_one_in_their_order(tokenizer):
    together = to_lists(tokenizer.encode([*TEXTS, "", "Wé"], 64))
    assert together == [to_lists(tokenizer.encode([t], 64))[0] for t in [*TEXTS, "", "Wé"]]
    assert tokenizer.encode(TEXTS, 64).values.dtype == np.int32


def test_the_vocabulary_is_no_larger_than_asked():
    assert WordPieceTokenizer.train(TEXTS, vocabulary_size=60).vocabulary_size == 60


def test_learning_twice_gives_the_same_pieces():
    found = [WordPieceTokenizer.train(TEXTS, 90)._tokenizer.to_str() for _ in range(5)]
    assert len(set(found)) == 1


def test_save_and_load(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    loaded = WordPieceTokenizer.load(tmp_path)
    assert loaded.vocabulary_size == tokenizer.vocabulary_size
    assert to_lists(loaded.encode(TEXTS, 64)) == to_lists(tokenizer.encode(TEXTS, 64))


@pytest.mark.parametrize(
    "alphabet", ["aB1 .,'!?\"[]SEP##-_@", "éÉ喜 \u3000\t\n\u00ad\u200bß😀a. ", None]
)
@pytest.mark.parametrize("which", ["tokenizer", "minilm"])
def test_texts_are_cut_as_the_library_cuts_them(which, alphabet, request):
    found = request.getfixturevalue(which)
    tokenizer = found.tokenizer if which == "minilm" else found
    rng = random.Random(0)
    alphabet = alphabet or [chr(number) for number in range(1, 128)]
    texts = ["".join(rng.choices(alphabet, k=rng.randrange(40))) for _ in range(2000)]
    texts += ["a" * 101, "[CLS] a [SEP] b[MASK]c", "", " "]
    library = tokenizers.Tokenizer.from_str(tokenizer._tokenizer.to_str())
    library.enable_truncation(12)
    library.no_padding()
    assert to_lists(tokenizer.encode(texts, 12)) == [e.ids for e in library.encode_batch(texts)]


def test_special_and_hidden_tokens(tokenizer, minilm):
    assert tokenizer.special_ids == [0, 2, 3]
    assert tokenizer.hidden_id == 1
    # BERT's ids of [PAD], [CLS], [SEP] and [MASK].
    assert minilm.tokenizer.special_ids == [0, 101, 102]
    assert minilm.tokenizer.hidden_id == 103


def test_minilm_gives_the_published_ids(minilm):
    # From the package transformers, 5.23.0: AutoTokenizer of all-MiniLM-L6-v2.
    assert to_lists(minilm.encode(["Café", "I felt happy."])) == [
        [101, 7668, 102],
        [101, 1045, 2371, 3407, 1012, 102],
    ]


@pytest.mark.parametrize("preset", ["toy_bert", "toy_distilbert"])
def test_a_presets_tokenizer(preset, request):
    tokenizer = load_tokenizer(find_encoder(str(request.getfixturevalue(preset))))
    # The place in the list of ten words, between [CLS] and [SEP].
    expected = [[2, 5, 6, 3], [2, 8, 1, 7, 3], [2, 5, 3]]
    texts = ["We laughed", "shouted unheard hid", "we"]
    assert to_lists(tokenizer.encode(texts, 16)) == expected
    assert to_lists(tokenizer.encode(["we hid we hid"], 4)) == [[2, 5, 7, 3]]
    assert tokenizer.vocabulary_size == 10
    assert set(tokenizer.special_ids) >= {0, 2, 3}
    assert tokenizer.hidden_id == 4


def test_a_presets_byte_pairs(toy_roberta):
    tokenizer = load_tokenizer(find_encoder(str(toy_roberta)))
    # <s>, "we", " hid", " lau", g, h, e, d, </s>; and a text cut to <s>, "we", " hid", </s>.
    assert to_lists(tokenizer.encode(["we hid laughed", "we"], 16)) == [
        [0, 24, 29, 30, 10, 11, 8, 7, 2],
        [0, 24, 2],
    ]
    assert to_lists(tokenizer.encode(["we hid we hid"], 4)) == [[0, 24, 29, 2]]
    assert tokenizer.vocabulary_size == 31
    assert set(tokenizer.special_ids) >= {0, 1, 2}
    assert tokenizer.hidden_id == 3


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("strip_accents", [True, False])
def test_word_pieces_are_cut_as_keras_hub_cuts_them(lowercase, strip_accents):
    texts = [row["text"] for row in record.read_rows(situations.path())[::5]]
    learned = WordPieceTokenizer.train(texts, vocabulary_size=1500)._tokenizer.get_vocab()
    pieces = [*sorted(learned, key=learned.get), "[MASK]", "Caf", "##\u00e9"]
    given = {"lowercase": lowercase, "strip_accents": strip_accents}
    peer = keras_hub.models.BertTokenizer(pieces, **given)
    texts += ["Caf\u00e9 cafe CAF\u00c9", "a\tb  c\n", "x-y (z) $3.50 `q` ~", "x" * 120, ""]
    expected = [[2, *np.asarray(peer(text)).tolist(), 3] for text in texts]
    assert to_lists(WordPieceTokenizer.of_pieces(pieces, **given).encode(texts, 10_000)) == expected
