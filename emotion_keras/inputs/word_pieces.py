"""Word pieces: from texts to `Sequences` of token ids, without Keras."""

import functools
import itertools
from collections.abc import Sequence
from typing import Self

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from emotion_keras.inputs.library_tokenizer import LibraryTokenizer

# More texts make the learning of word pieces longer and the pieces no better.
_TEXTS_TO_LEARN_FROM = 100_000
# Words whose pieces are kept: enough for all that are frequent, and a small part of the memory.
_WORDS_KEPT = 500_000
SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
# Punctuation that BERT's rules make tokens of their own wherever it stands, the frequent kinds.
_PUNCTUATION = ",.!?'\""


class WordPieceTokenizer(LibraryTokenizer):
    """A tokenizer of word pieces, with BERT's rules of what a word is.

    Args:
        tokenizer: `tokenizers.Tokenizer`.

    Example:

    >>> tokenizer = WordPieceTokenizer.train(["the cat sat", "the dog sat"], vocabulary_size=100)
    >>> len(tokenizer.encode(["the cat"], sequence_length=16))
    1
    """

    kind = "word_pieces"

    def __init__(self, tokenizer: tokenizers.Tokenizer):
        super().__init__(tokenizer)
        self._words = _Words(tokenizer)

    @classmethod
    def train(cls, texts: Sequence[str], vocabulary_size: int) -> Self:
        """Learns lower-case word pieces (Schuster and Nakajima 2012) from texts.

        Args:
            texts: Sequence of strings; of more than 100,000, that many at even distances are used.
            vocabulary_size: Integer, number of pieces at most.

        Returns:
            A tokenizer that puts `[CLS]` before a text and `[SEP]` after it.
        """
        learner = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
        learner.normalizer = normalizers.BertNormalizer(lowercase=True)
        learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        distance = max(1, -(-len(texts) // _TEXTS_TO_LEARN_FROM))
        texts = texts[::distance]
        # The library numbers the pieces that go on within a word in random order, which decides
        # between pieces of equal frequency; put first like special tokens, they have a fixed one.
        characters = sorted(set().union(*map(learner.normalizer.normalize_str, texts)))
        inner = [
            c for c in characters if learner.pre_tokenizer.pre_tokenize_str(f"a{c}")[0][0] != "a"
        ]
        trainer = trainers.WordPieceTrainer(
            vocab_size=vocabulary_size,
            min_frequency=2,
            special_tokens=[*SPECIAL_TOKENS, *(f"##{c}" for c in inner)],
            show_progress=False,
        )
        learner.train_from_iterator(texts, trainer)
        return cls._of_vocabulary(learner.get_vocab())

    @classmethod
    def of_words(cls, words: Sequence[str]) -> Self:
        """A tokenizer whose tokens are whole words; any other word is unknown.

        Args:
            words: List of strings; of one that is there twice, the first counts.

        Returns:
            A tokenizer that gives the word at position `i` the id `i + 4`, after those of `[PAD]`,
            `[UNK]`, `[CLS]` and `[SEP]`.
        """
        vocabulary = {word: i + len(SPECIAL_TOKENS) for i, word in reversed([*enumerate(words)])}
        return cls._of_vocabulary(vocabulary | {name: i for i, name in enumerate(SPECIAL_TOKENS)})

    @classmethod
    def of_pieces(cls, pieces: Sequence[str], *, lowercase: bool, strip_accents: bool) -> Self:
        """A tokenizer of word pieces that were learned elsewhere.

        Args:
            pieces: List of strings by id, with `[PAD]`, `[UNK]`, `[CLS]` and `[SEP]` among them.
            lowercase: Whether the pieces are of lower-case texts.
            strip_accents: Whether they are of texts without accents.

        Returns:
            A tokenizer that puts `[CLS]` before a text and `[SEP]` after it.
        """
        vocabulary = {piece: i for i, piece in enumerate(pieces)}
        return cls._of_vocabulary(vocabulary, lowercase, strip_accents)

    @classmethod
    def _of_vocabulary(cls, vocabulary, lowercase=True, strip_accents=True):
        tokenizer = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(
            lowercase=lowercase, strip_accents=strip_accents
        )
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        tokenizer.add_special_tokens(SPECIAL_TOKENS)
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
        )
        return cls(tokenizer)

    def _encode(self, texts, sequence_length):
        if not self._cuts_like_bert:
            return super()._encode(texts, sequence_length)
        (before, after), token_ids = self._around, map(self._words.encode, texts)
        size = sequence_length - len(before) - len(after)
        return [[*before, *ids[:size], *after] for ids in token_ids]

    def _groups(self, encoding, positions):
        # BERT's rules have made words of all that stands between blanks and punctuation.
        for word, group in itertools.groupby(positions, encoding.word_ids.__getitem__):
            if word is None:
                yield from ([position] for position in group)
            else:
                yield list(group)

    @functools.cached_property
    def _mask_id(self):
        # BERT's own vocabularies have one that keras-hub's presets do not list as special.
        named = self._tokenizer.token_to_id("[MASK]")
        return super()._mask_id if named is None else named

    @functools.cached_property
    def _cuts_like_bert(self):
        """Whether a text's tokens are those of its words one by one, between special ones."""
        tokenizer = self._tokenizer
        added = "".join(t.content for t in tokenizer.get_added_tokens_decoder().values())
        return (
            isinstance(tokenizer.normalizer, normalizers.BertNormalizer)
            and isinstance(tokenizer.pre_tokenizer, pre_tokenizers.BertPreTokenizer)
            and not set(added) & {" ", *_PUNCTUATION}
        )


class _Words(dict):
    """The ids of words' pieces, kept from the first time that a word is met.

    Most words of a text have been met before: to look them up is several times as fast as to have
    the library normalize and cut each text, and gives the same.
    """

    def __init__(self, tokenizer):
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, word):
        ids = tuple(self._tokenizer.encode(word, add_special_tokens=False).ids)
        if len(self) < _WORDS_KEPT:
            self[word] = ids
        return ids

    def encode(self, text):
        for character in _PUNCTUATION:
            text = text.replace(character, f" {character} ")
        return list(itertools.chain.from_iterable(map(self.__getitem__, text.split(" "))))
