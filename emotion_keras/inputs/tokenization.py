"""Tokenizers: from texts to `Sequences` of token ids."""

import os
from pathlib import Path

import numpy as np
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from emotion_keras.data.sequences import Sequences

# Encoded texts are large objects: a part at a time is turned into plain numbers.
_TEXTS_AT_ONCE = 20_000


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

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()

    @classmethod
    def train(cls, texts, vocabulary_size):
        """Learns lower-case word pieces (Schuster and Nakajima 2012) from texts.

        Args:
            texts: Strings.
            vocabulary_size: Integer, number of pieces at most.

        Returns:
            A tokenizer that puts `[CLS]` before a text and `[SEP]` after it.
        """
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
        learner = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
        learner.normalizer = normalizers.BertNormalizer(lowercase=True)
        learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        # The library numbers the pieces that go on within a word in random order, which decides
        # between pieces of equal frequency; put first like special tokens, they have a fixed one.
        characters = sorted(set().union(*map(learner.normalizer.normalize_str, texts)))
        inner = [
            c for c in characters if learner.pre_tokenizer.pre_tokenize_str(f"a{c}")[0][0] != "a"
        ]
        trainer = trainers.WordPieceTrainer(
            vocab_size=vocabulary_size,
            min_frequency=2,
            special_tokens=[*special, *(f"##{c}" for c in inner)],
            show_progress=False,
        )
        learner.train_from_iterator(texts, trainer)
        tokenizer = tokenizers.Tokenizer(models.WordPiece(learner.get_vocab(), unk_token="[UNK]"))
        tokenizer.normalizer, tokenizer.pre_tokenizer = learner.normalizer, learner.pre_tokenizer
        tokenizer.decoder = decoders.WordPiece()
        tokenizer.add_special_tokens(special)
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
        )
        return cls(tokenizer)

    @classmethod
    def load(cls, directory):
        """Loads `tokenizer.json` from a folder."""
        return cls(tokenizers.Tokenizer.from_file(os.fspath(Path(directory) / cls.FILE)))

    def save(self, directory):
        """Writes `tokenizer.json` to a folder."""
        self._tokenizer.save(os.fspath(Path(directory) / self.FILE))

    @property
    def vocabulary_size(self):
        """Number of tokens."""
        return self._tokenizer.get_vocab_size()

    @property
    def hidden_id(self):
        """Id of the token that stands for any other: the mask, or else the unknown token."""
        mask = self._tokenizer.token_to_id("[MASK]")
        return self._tokenizer.token_to_id("[UNK]") if mask is None else mask

    @property
    def special_ids(self):
        """Ids of padding and of the marks of a text's start and end."""
        return [self._tokenizer.token_to_id(name) for name in ("[PAD]", "[CLS]", "[SEP]")]

    def encode(self, texts, sequence_length):
        """Encodes texts.

        Args:
            texts: Sequence of strings.
            sequence_length: Integer; a longer text is cut, its `[SEP]` stays.

        Returns:
            `Sequences` of int32 token ids.
        """
        self._tokenizer.enable_truncation(sequence_length)
        parts = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            part = list(texts[start : start + _TEXTS_AT_ONCE])
            encoded = self._tokenizer.encode_batch_fast(part)
            parts.append(Sequences.from_list([encoding.ids for encoding in encoded]))
        return Sequences.concatenate(parts)


class PresetTokenizer:
    """The tokenizer of a keras-hub preset, for presets without a `tokenizer.json`.

    Args:
        preprocessor: `keras_hub.models.TextClassifierPreprocessor`.
    """

    FOLDER = "preprocessor"

    def __init__(self, preprocessor):
        self._preprocessor = preprocessor

    def save(self, directory):
        """Writes the tokenizer as a keras-hub preset to the folder `preprocessor`."""
        self._preprocessor.save_to_preset(os.fspath(Path(directory) / self.FOLDER))

    @property
    def vocabulary_size(self):
        """Number of tokens."""
        return self._preprocessor.tokenizer.vocabulary_size()

    @property
    def hidden_id(self):
        """See `WordPieceTokenizer.hidden_id`; `None` where the preset has no such token."""
        tokenizer = self._preprocessor.tokenizer
        mask = getattr(tokenizer, "mask_token_id", None)
        return getattr(tokenizer, "unk_token_id", None) if mask is None else mask

    @property
    def special_ids(self):
        """Ids of padding and of the marks of a text's start and end."""
        tokenizer = self._preprocessor.tokenizer
        names = ("pad", "start", "end", "cls", "sep")
        ids = [getattr(tokenizer, f"{name}_token_id", None) for name in names]
        return sorted({token_id for token_id in ids if token_id is not None})

    def encode(self, texts, sequence_length):
        """Encodes texts; see `WordPieceTokenizer.encode`."""
        self._preprocessor.sequence_length = sequence_length
        parts = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            batch = self._preprocessor(list(texts[start : start + _TEXTS_AT_ONCE]))
            token_ids = np.asarray(batch["token_ids"])
            mask = np.asarray(batch["padding_mask"]).astype(bool)
            offsets = np.concatenate([[0], np.cumsum(mask.sum(axis=1))])
            parts.append(Sequences(token_ids[mask].astype("int32"), offsets))
        return Sequences.concatenate(parts)
