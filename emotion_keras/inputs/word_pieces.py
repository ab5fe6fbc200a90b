"""Word pieces: from texts to `Sequences` of token ids, without Keras."""

import functools
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from emotion_keras.inputs.normalization import has_words
from emotion_keras.inputs.sequences import Sequences

# Encoded texts are large objects: a part at a time is turned into plain numbers.
TEXTS_AT_ONCE = 20_000
# More texts make the learning of word pieces longer and the pieces no better.
_TEXTS_TO_LEARN_FROM = 100_000
# Words whose pieces are kept: enough for all that are frequent, and a small part of the memory.
_WORDS_KEPT = 500_000
SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
# Punctuation that BERT's rules make tokens of their own wherever it stands, the frequent kinds.
_PUNCTUATION = ",.!?'\""


class WordPieceTokenizer:
    """A tokenizer of the Rust library `tokenizers`, in its own file format.

    Args:
        tokenizer: `tokenizers.Tokenizer`.

    Example:

    >>> tokenizer = WordPieceTokenizer.train(["the cat sat", "the dog sat"], vocabulary_size=100)
    >>> len(tokenizer.encode(["the cat"], sequence_length=16))
    1
    """

    FILE = "tokenizer.json"
    needs_keras = False

    def __init__(self, tokenizer: tokenizers.Tokenizer):
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
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

    @classmethod
    def load(cls, directory: str | Path) -> Self:
        """Loads `tokenizer.json` from a folder."""
        return cls(tokenizers.Tokenizer.from_file(os.fspath(Path(directory) / cls.FILE)))

    def save(self, directory: str | Path) -> None:
        """Writes `tokenizer.json` to a folder."""
        self._tokenizer.save(os.fspath(Path(directory) / self.FILE))

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens."""
        return self._tokenizer.get_vocab_size()

    @property
    def hidden_id(self) -> int:
        """Id of the token that stands for any other: the mask, or else the unknown token."""
        mask = self._tokenizer.token_to_id("[MASK]")
        return self._tokenizer.token_to_id("[UNK]") if mask is None else mask

    @property
    def special_ids(self) -> list[int]:
        """Ids of padding and of the special tokens before and after a text."""
        return [self._tokenizer.token_to_id(name) for name in ("[PAD]", "[CLS]", "[SEP]")]

    @functools.cached_property
    def silent_ids(self) -> list[int]:
        """Ids of tokens that say nothing: special ones, unknown words, and punctuation."""
        pieces = self._tokenizer.get_vocab().items()
        silent = [i for piece, i in pieces if not has_words(piece.removeprefix("##"))]
        return [*self.special_ids, self._tokenizer.token_to_id("[UNK]"), *silent]

    def encode(self, texts: Sequence[str], sequence_length: int) -> Sequences:
        """Encodes texts.

        Args:
            texts: Sequence of strings.
            sequence_length: Integer; a longer text is cut, its `[SEP]` stays.

        Returns:
            `Sequences` of int32 token ids.
        """
        encode = self._encode_words if self._cuts_like_bert else self._encode_texts
        parts = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            part = list(texts[start : start + TEXTS_AT_ONCE])
            parts.append(Sequences.from_list(encode(part, sequence_length)))
        return Sequences.concatenate(parts)

    def windows(self, text: str, sequence_length: int) -> list[list[int]]:
        """Cuts a text of any length into pieces that a model can read.

        Args:
            text: String.
            sequence_length: Integer, tokens of a window at most.

        Returns:
            List of lists of token ids, each with `[CLS]` before and `[SEP]` after.
        """
        start, *inner, end = self._tokenizer.encode(text).ids
        return cut_windows(inner, [start], [end], sequence_length)

    def words(self, texts: Sequence[str], sequence_length: int) -> list[list[tuple[str, int]]]:
        """The words that tokens stand for.

        Args:
            texts: Sequence of strings.
            sequence_length: See `encode`.

        Returns:
            List, by text, of lists of pairs of a word as it stands in the text, or a special token,
            and the number of its tokens; in the order of the tokens that `encode` gives.
        """
        return [
            [*_words_of(encoding, text, sequence_length)]
            for encoding, text in zip(self._tokenizer.encode_batch(list(texts)), texts, strict=True)
        ]

    @functools.cached_property
    def _cuts_like_bert(self):
        """Whether a text's tokens are `[CLS]`, those of its words one by one, and `[SEP]`."""
        tokenizer = self._tokenizer
        added = "".join(t.content for t in tokenizer.get_added_tokens_decoder().values())
        return (
            isinstance(tokenizer.normalizer, normalizers.BertNormalizer)
            and isinstance(tokenizer.pre_tokenizer, pre_tokenizers.BertPreTokenizer)
            and tokenizer.encode("").tokens == ["[CLS]", "[SEP]"]
            and not set(added) & {" ", *_PUNCTUATION}
        )

    def _encode_words(self, texts, sequence_length):
        start, end = self._start_and_end
        token_ids = map(self._words.encode, texts)
        return [[start, *ids[: sequence_length - 2], end] for ids in token_ids]

    @functools.cached_property
    def _start_and_end(self):
        return self._tokenizer.encode("").ids

    def _encode_texts(self, texts, sequence_length):
        encoded = self._tokenizer.encode_batch_fast(texts)
        return [_cut(encoding.ids, sequence_length) for encoding in encoded]


def cut_windows(
    inner: Sequence[int], before: Sequence[int], after: Sequence[int], sequence_length: int
) -> list[list[int]]:
    """Cuts token ids into lists of `sequence_length` at most, each between special tokens."""
    size = sequence_length - len(before) - len(after)
    starts = range(0, max(1, len(inner)), size)
    return [[*before, *inner[start : start + size], *after] for start in starts]


def _cut(tokens, sequence_length):
    """A text's first tokens and the special token at its end.

    The library itself would have to be set to a length, for all threads that use a tokenizer.
    """
    if len(tokens) <= sequence_length:
        return tokens
    return [*tokens[: sequence_length - 1], tokens[-1]]


def _words_of(encoding, text, sequence_length):
    positions = _cut([*range(len(encoding))], sequence_length)
    for word_id, group in itertools.groupby(positions, encoding.word_ids.__getitem__):
        positions = list(group)
        if word_id is None:  # One special token or more.
            yield from ((encoding.tokens[position], 1) for position in positions)
        else:
            start, end = encoding.offsets[positions[0]][0], encoding.offsets[positions[-1]][1]
            yield text[start:end], len(positions)


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
