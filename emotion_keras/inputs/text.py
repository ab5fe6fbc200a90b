"""Text: what a text is, its tokens, and the vectors of its tokens. No Keras before it is needed."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.inputs.base import Input
from emotion_keras.inputs.normalization import (
    MAX_CHARACTERS,
    clean_text,
    count_words,
    fold_text,
    has_words,
    normalize_marks,
    unspaced_share,
)
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.inputs.text_encoders import TextEncoder, find_encoder
from emotion_keras.inputs.text_noise import KINDS
from emotion_keras.record.options import COUNT, COUNT_OR_NONE, PART, Limit, Options, option

if TYPE_CHECKING:
    from emotion_keras.inputs.embedded import Embedded
    from emotion_keras.inputs.pretrained import Tokenizer
    from emotion_keras.inputs.text_encoders import Pretrained

# How many texts say whether a language has blanks, and the share of such letters that is much.
_TEXTS_LOOKED_AT, _MUCH_UNSPACED = 1000, 0.3
# Numbers and single letters say little about whether two texts are nearly the same.
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, kw_only=True)
class TextOptions(Options):
    """How texts become tokens, and tokens vectors."""

    encoder: str = option(
        "minilm",
        "`scratch` learns word pieces and their vectors from the training split; `embeddings` "
        "starts from MiniLM's whole table of word-piece vectors (cut to the pieces of the training "
        "split it validates 0.7 points of macro F1 worse on ISEAR); `glove`, or the path of a file "
        "of word vectors, from these; `minilm` is the whole pretrained MiniLM encoder, `e5` "
        "multilingual-e5-small, for a hundred languages, and `mpnet` all-mpnet-base-v2, which is "
        "five times as large; or the name of a keras-hub preset or, with `hf://` before it, of a "
        "checkpoint on Hugging Face, or the folder of one.",
        is_basic=True,
    )
    sequence_length: int = option(
        96,
        "Longest text in tokens; of longer ones the end is cut off.",
        # A text is at least the special tokens of its start and end, and a token.
        Limit("3 or more", lambda value: value >= 3),
        is_basic=True,
    )
    vocabulary_size: int = option(
        8000,
        "Number of word pieces that `scratch` learns at most.",
        # Four tokens stand for no piece of a word.
        Limit("5 or more", lambda value: value >= 5),
    )
    embedding_dim: int = option(128, "Width of the vectors, except a pretrained encoder's.", COUNT)
    token_dropout: float = option(0.0, "Share of tokens that are hidden while training.", PART)
    encoder_dropout: float = option(0.1, "Dropout within a pretrained BERT encoder.", PART)
    cut_vocabulary: bool = option(
        False,
        "Whether to leave out the vectors of tokens that the training split does not need of a "
        "pretrained encoder's table: of `e5`, whose table is four fifths of it. Other words are "
        "then cut into smaller pieces.",
    )
    freeze_embeddings: bool = option(
        True, "Whether a pretrained table of token vectors stays as it is."
    )
    freeze_encoder: bool = option(
        False,
        "Whether a pretrained encoder stays as it is: its outputs are computed once, and an epoch "
        "takes seconds.",
        is_basic=True,
    )
    frozen_layers: int = option(
        0,
        "Number of a pretrained encoder's lowest blocks that stay as they are, with all below "
        "them: their outputs are computed once.",
        COUNT_OR_NONE,
    )
    drawn_layers: int = option(
        0,
        "Number of a pretrained encoder's highest blocks that begin with new weights (Zhang et al. "
        "2021).",
        COUNT_OR_NONE,
    )
    mix_pieces: bool = option(
        False,
        "Whether a token's vector is the mean of what a pretrained encoder makes of it and of its "
        "own vector in the encoder's table.",
    )


class TextInput(Input):
    """Texts: cleaned strings, cut into the tokens that an encoder has vectors of.

    Args:
        tokenizer: `LibraryTokenizer` or `PresetTokenizer`.
        options: `TextOptions`.
        encoder: What `find_encoder` gave for them, if it is there already.

    Example:

    >>> text = TextInput.learn(["We laughed.", "They hid."], encoder="scratch")
    >>> text.units(["We hid."])
    [[('[CLS]', 1), ('We', 2), ('hid', 3), ('.', 1), ('[SEP]', 1)]]
    """

    name = "text"
    singular = "text"
    plural = "texts"
    size_unit = "words"
    column_names = (
        "text",
        "sentence",
        "content",
        "sit",
        "situation",
        "utterance",
        "tweet",
        "message",
        "comment",
        "review",
        "document",
    )
    samples = (
        "I passed the exam that I had been so afraid of.",
        "The brakes failed on the way down, and nobody heard me.",
        "He read my letters aloud at dinner!",
        "My grandmother's house was sold; I never said goodbye.",
        "There was a hair in the soup.",
        "Late.",
    )
    steps = {"clean": clean_text, "normalize_punctuation": normalize_marks}
    noises = KINDS
    options_class = TextOptions
    default_encoder = "minilm"
    feature = "token_ids"
    options: TextOptions

    @classmethod
    def read(cls, value: Any) -> str:
        from emotion_keras.tables.cells import as_text

        return as_text(value)

    @classmethod
    def prepare(cls, cells: Iterable[str], preparation: Mapping[str, Any]) -> list[str]:
        return super().prepare(map(_without_surrogates, cells), preparation)

    @classmethod
    def is_cut(cls, cell: str) -> bool:
        return len(cell) > MAX_CHARACTERS

    @classmethod
    def flaw(cls, cell: str) -> str:
        return "" if has_words(cell) else "empty"

    @classmethod
    def fold(cls, cell: str) -> str:
        return fold_text(cell)

    @classmethod
    def elements(cls, cell: str) -> Sequence[str]:
        return _WORD.findall(cell.lower())

    @classmethod
    def size(cls, cell: str) -> int:
        return count_words(cell)

    @classmethod
    def pieces(cls, cell: str) -> list[str]:
        from tokenizers.pre_tokenizers import BertPreTokenizer

        return [piece for piece, _ in BertPreTokenizer().pre_tokenize_str(cell)]

    @classmethod
    def is_mark(cls, unit: str) -> bool:
        return not has_words(unit)

    @classmethod
    def doubts(cls, cells: Sequence[str]) -> Iterable[str]:
        from emotion_keras.tables.encodings import is_garbled

        texts = list(cells[:_TEXTS_LOOKED_AT])
        if garbled := [text for text in texts if is_garbled(text)]:
            yield (
                f"{len(garbled):,} of the first {len(texts):,} texts look as if UTF-8 had been "
                f"taken for Windows-1252 when the file was made, such as {garbled[0][:60]!r}. Make "
                "the file again from its source, or repair it, with the package ftfy for one."
            )
        share = unspaced_share(texts)
        if share > _MUCH_UNSPACED:
            yield (
                f"of the first texts' letters, {100 * share:.0f} % are of a script without blanks "
                "between words, such as Chinese, Japanese or Thai. Each of them counts as a word, "
                "for TF-IDF, too; but noise by words takes what stands between blanks for one "
                "word: use noise by characters."
            )

    @classmethod
    def find_encoder(cls, name: str) -> TextEncoder:
        return find_encoder(name)

    def __init__(
        self, tokenizer: "Tokenizer", options: TextOptions, encoder: TextEncoder | None = None
    ):
        self.tokenizer = tokenizer
        self.options = options
        self.sequence_length = options.sequence_length
        self.needs_keras = tokenizer.needs_keras
        self.is_frozen = options.freeze_encoder or options.frozen_layers > 0
        self._encoder = encoder or find_encoder(options.encoder)

    @classmethod
    def learn(cls, cells: Sequence[str], options: Options | None = None, **given: Any) -> Self:
        options = cast(TextOptions, options or TextOptions(**given))
        encoder = find_encoder(options.encoder)
        if options.freeze_encoder and not encoder.can_be_frozen:
            raise UserError(
                "Only a pretrained encoder can be frozen: leave out `--freeze-encoder`, or choose "
                "minilm, e5, mpnet, a keras-hub preset or a preset's folder. "
                f"Received: encoder={options.encoder!r}"
            )
        for name in ("frozen_layers", "drawn_layers", "mix_pieces"):
            if getattr(options, name) and (encoder.kind != "pretrained" or options.freeze_encoder):
                raise UserError(
                    f"Only a pretrained encoder that is not frozen as a whole has such layers: "
                    f"leave out `--{name.replace('_', '-')}`. Received: "
                    f"encoder={options.encoder!r}, freeze_encoder={options.freeze_encoder}"
                )
        if options.frozen_layers and options.mix_pieces:
            raise UserError(
                "What the lowest layers give is computed once, without the vectors that they began "
                f"with: leave out `--mix-pieces`. Received: frozen_layers={options.frozen_layers}"
            )
        if options.frozen_layers and options.token_dropout:
            raise UserError(
                "What the lowest layers give is computed once, and so no tokens can be hidden: set "
                f"token_dropout=0. Received: frozen_layers={options.frozen_layers}, "
                f"token_dropout={options.token_dropout:g}"
            )
        tokenizer = encoder.make_tokenizer(cells, options.vocabulary_size)
        if options.cut_vocabulary:
            tokenizer = cls._cut_vocabulary(tokenizer, cells, encoder)
        return cls(tokenizer, options, encoder)

    @staticmethod
    def _cut_vocabulary(tokenizer, cells, encoder):
        if encoder.kind != "pretrained" or tokenizer.needs_keras:
            raise UserError(
                "Only the vocabulary of an encoder of BERT's kind can be cut: leave out "
                "`--cut-vocabulary`, or choose minilm, e5, mpnet or the folder of such a "
                f"checkpoint. Received: encoder={encoder.name!r}"
            )
        return tokenizer.cut(cells)

    def encode(self, cells: Sequence[str], longest: int | None = None) -> Sequences:
        return self.tokenizer.encode(cells, longest or self.sequence_length)

    def _cut(self, cell: str) -> list[list[int]]:
        return self.tokenizer.windows(cell, self.sequence_length)

    def are_silent(self, sequences: Sequences) -> np.ndarray:
        is_silent = np.isin(sequences.values, self.tokenizer.silent_ids)
        return np.logical_and.reduceat(is_silent, sequences.offsets[:-1])

    def embed(self, load_weights: bool = True, dtype: str = "float32") -> "Embedded":
        import keras

        from emotion_keras.inputs.embedded import Embedded

        token_ids = keras.Input((None,), dtype="int32", name=self.feature)
        padding_mask = keras.Input((None,), dtype="int32", name="padding_mask")
        vectors, pooled, read = self._encoder.embed(
            self._drop_tokens(token_ids),
            padding_mask,
            self.tokenizer,
            self.options,
            load_weights,
            dtype,
        )
        inputs = {self.feature: token_ids, "padding_mask": padding_mask}
        return Embedded(inputs, vectors, padding_mask, pooled, special=self.special_ends, read=read)

    def precompute(
        self,
        splits: Mapping[str, Sequences],
        compute: Callable[[Any, str, Sequences], Sequences],
    ) -> tuple[Any, dict[str, Sequences]]:
        if self.options.freeze_encoder or not self.options.frozen_layers:
            return super().precompute(splits, compute)
        from emotion_keras.inputs.frozen_layers import LowerLayers, UpperLayers

        parts = self.tokenizer, cast("Pretrained", self._encoder), self.options
        lower = LowerLayers(self.name, self.feature, *parts)
        computed = {name: compute(lower, name, sequences) for name, sequences in splits.items()}
        dim = next(iter(computed.values())).values.shape[-1]
        return UpperLayers(dim, self.special_ends, *parts), computed

    def _drop_tokens(self, token_ids):
        from emotion_keras.inputs.text_embedding import drop_tokens

        if not self.options.token_dropout:
            return token_ids
        if self.tokenizer.hidden_id is None:
            raise UserError(
                "The encoder's vocabulary has neither a mask nor an unknown token to hide tokens "
                f"with: set token_dropout=0. Received: encoder={self.options.encoder!r}"
            )
        return drop_tokens(token_ids, self.tokenizer, self.options.token_dropout)

    def units(self, cells: Sequence[str]) -> list[list[tuple[str, int]]]:
        return self.tokenizer.words(cells, self.sequence_length)

    @property
    def special_units(self) -> set[str]:
        return {unit for unit, _ in self.units([""])[0]}

    @property
    def special_ends(self) -> tuple[int, int]:
        # A single special token stands before the text, of several the last one after it.
        number = len(self.encode([""]).values)
        return (number - 1, 1) if number > 1 else (number, 0)

    def save(self, directory: Path) -> None:
        folder = directory / self.name
        folder.mkdir(exist_ok=True)
        self.tokenizer.save(folder)

    def state(self) -> dict:
        return {"tokenizer": self.tokenizer.kind}

    @classmethod
    def load(cls, directory: Path, options: Options, state: dict | None, remedy: str) -> Self:
        folder = directory / cls.name
        if state is None:  # Made before records said it, with its files beside the record.
            folder = directory
            is_of_preset = (folder / "preprocessor").exists()
            state = {"tokenizer": "preset" if is_of_preset else "word_pieces"}
        tokenizer = _tokenizer_class(state["tokenizer"])
        with record.loading(folder / tokenizer.FILE, remedy):
            return cls(tokenizer.load(folder), cast(TextOptions, options))


def _tokenizer_class(kind):
    """The class of a tokenizer, by its `kind`."""
    if kind == "preset":
        from emotion_keras.inputs.preset_tokenizer import PresetTokenizer

        return PresetTokenizer
    from emotion_keras.inputs.library_tokenizer import LibraryTokenizer
    from emotion_keras.inputs.word_pieces import WordPieceTokenizer

    return {of.kind: of for of in (LibraryTokenizer, WordPieceTokenizer)}[kind]


def _without_surrogates(text):
    # Half a surrogate pair is no character, and nothing can encode it.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
