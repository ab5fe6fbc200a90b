"""Tokenizers of the Rust library `tokenizers`: from texts to `Sequences`, without Keras."""

import functools
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import tokenizers

from emotion_keras.inputs.normalization import has_words, is_unspaced
from emotion_keras.inputs.sequences import Sequences

# Encoded texts are large objects: a part at a time is turned into plain numbers.
TEXTS_AT_ONCE = 20_000
# What stands before a piece that begins a word, or in BERT's pieces before one that does not.
_WORD_START, _WORD_INSIDE = "\u2581", "##"
# Parts of the names of special tokens that stand for a part of a text, rather than around it.
_MASK, _UNKNOWN = "mask", "unk"


class LibraryTokenizer:
    """A tokenizer of the Rust library `tokenizers`, in its own file format.

    Which tokens are special is the tokenizer's own knowledge, whatever their names.

    Args:
        tokenizer: `tokenizers.Tokenizer`.
    """

    FILE = "tokenizer.json"
    kind = "library"
    needs_keras = False

    def __init__(self, tokenizer: tokenizers.Tokenizer):
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

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
    def hidden_id(self) -> int | None:
        """Id of the token that stands for any other: the mask, or else the unknown token."""
        return self._unknown_id if self._mask_id is None else self._mask_id

    @functools.cached_property
    def special_ids(self) -> list[int]:
        """Ids of padding and of the special tokens before and after a text."""
        return sorted(
            token_id
            for token_id, name in self._special.items()
            if token_id != self._unknown_id and not _stands_for_text(name)
        )

    @functools.cached_property
    def silent_ids(self) -> list[int]:
        """Ids of tokens that say nothing: special ones, unknown words, and punctuation."""
        pieces = self._tokenizer.get_vocab().items()
        silent = [i for piece, i in pieces if not has_words(_bare(piece))]
        unknown = [] if self._unknown_id is None else [self._unknown_id]
        return [*self.special_ids, *unknown, *silent]

    def encode(self, texts: Sequence[str], sequence_length: int) -> Sequences:
        """Encodes texts.

        Args:
            texts: Sequence of strings.
            sequence_length: Integer; a longer text is cut, the special token at its end stays.

        Returns:
            `Sequences` of int32 token ids.
        """
        parts = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            part = list(texts[start : start + TEXTS_AT_ONCE])
            parts.append(Sequences.from_list(self._encode(part, sequence_length)))
        return Sequences.concatenate(parts)

    def windows(self, text: str, sequence_length: int) -> list[list[int]]:
        """Cuts a text of any length into pieces that a model can read.

        Args:
            text: String.
            sequence_length: Integer, tokens of a window at most.

        Returns:
            List of lists of token ids, each with the special tokens before and after a text.
        """
        before, after = self._around
        inner = self._tokenizer.encode(text, add_special_tokens=False).ids
        return cut_windows(inner, before, after, sequence_length)

    def words(self, texts: Sequence[str], sequence_length: int) -> list[list[tuple[str, int]]]:
        """The words that tokens stand for.

        Args:
            texts: Sequence of strings.
            sequence_length: See `encode`.

        Returns:
            List, by text, of lists of pairs of a word as it stands in the text, or a special token,
            and the number of its tokens; in the order of the tokens that `encode` gives.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        return [
            [*self._words_of(encoding, text, sequence_length)]
            for encoding, text in zip(encodings, texts, strict=True)
        ]

    def find(self, pieces: Sequence[str]) -> list[int]:
        """The ids of tokens that it has."""
        return [self._tokenizer.token_to_id(piece) for piece in pieces]

    @property
    def pieces(self) -> list[str]:
        """All tokens by id."""
        return [self._tokenizer.id_to_token(i) for i in range(self.vocabulary_size)]

    def cut(self, texts: Sequence[str]) -> Self:
        """A tokenizer of the tokens that texts are made of, which it cuts into the same tokens.

        Beside these it has the special tokens, and each character of the texts as a token of its
        own where there is such a token, so that few other words are unknown to it.
        """
        used = {i for text in texts for i in self._tokenizer.encode(text).ids}
        pieces = self.pieces
        spelled = {"", *(character for i in used for character in _bare(pieces[i]))}
        kept = used | set(self._special)
        kept |= {
            i for i, piece in enumerate(pieces) if len(_bare(piece)) < 2 and _bare(piece) in spelled
        }
        if self._unknown_id is not None:
            kept.add(self._unknown_id)
        numbers = {old: new for new, old in enumerate(sorted(kept))}
        return type(self)(_renumbered(self._tokenizer, numbers))

    def _encode(self, texts, sequence_length):
        encoded = self._tokenizer.encode_batch_fast(texts)
        return [self._cut(encoding.ids, sequence_length) for encoding in encoded]

    def _cut(self, tokens, sequence_length):
        """A text's first tokens and the special ones at its end.

        The library itself would have to be set to a length, for all threads that use a tokenizer.
        """
        if len(tokens) <= sequence_length:
            return tokens
        num_after = len(self._around[1])
        return [*tokens[: sequence_length - num_after], *tokens[len(tokens) - num_after :]]

    def _words_of(self, encoding, text, sequence_length):
        groups = self._groups(encoding, self._cut([*range(len(encoding))], sequence_length))
        for group in groups:
            if encoding.word_ids[group[0]] is None:
                yield from ((encoding.tokens[position], 1) for position in group)
            else:
                start, end = encoding.offsets[group[0]][0], encoding.offsets[group[-1]][1]
                # A blank alone may be a token.
                yield text[start:end].strip() or encoding.tokens[group[0]], len(group)

    def _groups(self, encoding, positions) -> Iterator[list[int]]:
        """Positions of tokens by word.

        A stretch without blanks is several words where punctuation is in it, as BERT's rules have
        it too, or letters of a script that is written without blanks.
        """
        group: list[int] = []
        for position in positions:
            if group and self._is_new(encoding, group[-1], position):
                yield group
                group = []
            group.append(position)
        if group:
            yield group

    def _is_new(self, encoding, before, position):
        words = encoding.word_ids
        if words[before] is None or words[before] != words[position]:
            return True
        first, second = _bare(encoding.tokens[before]), _bare(encoding.tokens[position])
        return bool(first) and not (_is_part(first) and _is_part(second))

    @functools.cached_property
    def _around(self):
        """Ids of the special tokens before a text, and of those after it."""
        is_special = self._tokenizer.encode("a").special_tokens_mask
        ids = self._tokenizer.encode("").ids
        num_before = is_special.index(0)
        return ids[:num_before], ids[num_before:]

    @functools.cached_property
    def _special(self):
        """The special tokens, by id."""
        added = self._tokenizer.get_added_tokens_decoder().items()
        return {i: token.content for i, token in added if token.special}

    @functools.cached_property
    def _mask_id(self):
        # The library knows no role for it: that its name says so is all that a file can tell.
        return next((i for i, name in self._special.items() if _MASK in name.lower()), None)

    @functools.cached_property
    def _unknown_id(self):
        model = _described(self._tokenizer)["model"]
        if model.get("unk_token") is not None:
            return self._tokenizer.token_to_id(model["unk_token"])
        return model.get("unk_id")


def cut_windows(
    inner: Sequence[int], before: Sequence[int], after: Sequence[int], sequence_length: int
) -> list[list[int]]:
    """Cuts token ids into lists of `sequence_length` at most, each between special tokens."""
    size = sequence_length - len(before) - len(after)
    starts = range(0, max(1, len(inner)), size)
    return [[*before, *inner[start : start + size], *after] for start in starts]


def _bare(piece):
    """What of a text a token stands for."""
    return piece.removeprefix(_WORD_INSIDE).replace(_WORD_START, "")


def _stands_for_text(name):
    return _MASK in name.lower() or _UNKNOWN in name.lower()


def _is_part(piece):
    return has_words(piece) and not is_unspaced(piece)


def _described(tokenizer) -> dict[str, Any]:
    return json.loads(tokenizer.to_str())


def _renumbered(tokenizer, numbers):
    """A tokenizer of some of the tokens of another.

    Args:
        tokenizer: `tokenizers.Tokenizer` of word pieces or of Unigram.
        numbers: Dictionary of new ids by old ones.
    """
    described = _described(tokenizer)
    model = described["model"]
    if isinstance(model["vocab"], dict):
        kept = {piece: numbers[i] for piece, i in model["vocab"].items() if i in numbers}
        model["vocab"] = kept
    else:
        model["vocab"] = [model["vocab"][i] for i in sorted(numbers) if i < len(model["vocab"])]
        model["unk_id"] = numbers[model["unk_id"]]
    for token in described["added_tokens"]:
        token["id"] = numbers[token["id"]]
    around = described["post_processor"]
    for token in around.get("special_tokens", {}).values():
        token["ids"] = [numbers[i] for i in token["ids"]]
    for name in ("cls", "sep"):
        if name in around:
            around[name][1] = numbers[around[name][1]]
    return tokenizers.Tokenizer.from_str(json.dumps(described))
