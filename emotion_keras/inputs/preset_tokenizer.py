"""Tokenizers of keras-hub that know no word pieces: from texts to `Sequences` of token ids."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import keras
import keras_hub
import numpy as np

from emotion_keras.inputs.library_tokenizer import TEXTS_AT_ONCE, cut_windows
from emotion_keras.inputs.sequences import Sequences


class PresetTokenizer:
    """The tokenizer of a keras-hub preset, of byte pairs or SentencePiece.

    Args:
        preprocessor: `keras_hub.models.TextClassifierPreprocessor`.
    """

    FOLDER = "preprocessor"
    FILE = f"{FOLDER}/preprocessor.json"
    kind = "preset"
    needs_keras = True

    def __init__(self, preprocessor: keras_hub.models.TextClassifierPreprocessor):
        self._preprocessor = preprocessor

    @classmethod
    def load(cls, directory: str | Path) -> Self:
        """Loads what `save` wrote to a folder."""
        # keras-hub itself loads a preset only whole, with the encoder that this one is without.
        preset = Path(directory) / cls.FOLDER
        config = json.loads((Path(directory) / cls.FILE).read_text(encoding="utf-8"))
        preprocessor = keras.saving.deserialize_keras_object(config)
        preprocessor.tokenizer.load_preset_assets(os.fspath(preset))
        return cls(preprocessor)

    def save(self, directory: str | Path) -> None:
        """Writes the tokenizer as a keras-hub preset to the folder `preprocessor`."""
        self._preprocessor.save_to_preset(os.fspath(Path(directory) / self.FOLDER))

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens."""
        return self._preprocessor.tokenizer.vocabulary_size()

    @property
    def hidden_id(self) -> int | None:
        """See `LibraryTokenizer.hidden_id`; `None` where the preset has no such token."""
        tokenizer = self._preprocessor.tokenizer
        mask = getattr(tokenizer, "mask_token_id", None)
        return getattr(tokenizer, "unk_token_id", None) if mask is None else mask

    @property
    def special_ids(self) -> list[int]:
        """Ids of padding and of the special tokens before and after a text."""
        tokenizer = self._preprocessor.tokenizer
        names = ("pad", "start", "end", "cls", "sep")
        ids = [getattr(tokenizer, f"{name}_token_id", None) for name in names]
        return sorted({token_id for token_id in ids if token_id is not None})

    @property
    def silent_ids(self) -> list[int]:
        """Ids of tokens that say nothing: special ones, and unknown words."""
        unknown = getattr(self._preprocessor.tokenizer, "unk_token_id", None)
        return [*self.special_ids, *([] if unknown is None else [unknown])]

    def encode(self, texts: Sequence[str], sequence_length: int) -> Sequences:
        """Encodes texts; see `LibraryTokenizer.encode`."""
        self._preprocessor.sequence_length = sequence_length
        parts = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            batch = self._preprocessor(list(texts[start : start + TEXTS_AT_ONCE]))
            token_ids = np.asarray(batch["token_ids"])
            mask = np.asarray(batch["padding_mask"]).astype(bool)
            offsets = np.concatenate([[0], np.cumsum(mask.sum(axis=1))])
            parts.append(Sequences(token_ids[mask].astype("int32"), offsets))
        return Sequences.concatenate(parts)

    def windows(self, text: str, sequence_length: int) -> list[list[int]]:
        """Cuts a text of any length; see `LibraryTokenizer.windows`."""
        special = self.encode([""], sequence_length).values.tolist()
        # A single special token stands before the text, of several the last one after it.
        after = special[1:][-1:]
        inner = np.asarray(self._preprocessor.tokenizer(text)).tolist()
        return cut_windows(inner, special[: len(special) - len(after)], after, sequence_length)

    def words(self, texts: Sequence[str], sequence_length: int) -> list[list[tuple[str, int]]]:
        """The words that tokens stand for; see `LibraryTokenizer.words`.

        A preset does not say where in a text its tokens stand: a word is what they spell.
        """
        id_to_token = self._preprocessor.tokenizer.id_to_token
        special = set(self.special_ids)
        sequences = self.encode(texts, sequence_length)
        of_texts = np.split(sequences.values, sequences.offsets[1:-1])
        return [_spell([(id_to_token(i), i in special) for i in ids.tolist()]) for ids in of_texts]


# What tokens begin with that begin a word: SentencePiece's mark, and that of byte-level pairs.
_WORD_STARTS = ("\u2581", "\u0120")


def _spell(tokens):
    """Merges pairs of a token and whether it is special to pairs of a word and its tokens."""
    words = []
    after_special = True
    for token, is_special in tokens:
        if token.startswith(_WORD_STARTS) or is_special or after_special:
            words.append((token.lstrip("".join(_WORD_STARTS)) or token, 1))
        else:
            word, number = words[-1]
            words[-1] = word + token, number + 1
        after_special = is_special
    return words
