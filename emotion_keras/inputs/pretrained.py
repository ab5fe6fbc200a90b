"""What is loaded of pretrained encoders: their layers with their weights, and their tokenizers."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import keras
import keras_hub
import numpy as np
from safetensors.numpy import load_file

from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.inputs.library_tokenizer import LibraryTokenizer
from emotion_keras.inputs.preset_tokenizer import PresetTokenizer
from emotion_keras.inputs.text_encoders import CONFIG, ENCODERS, TOKENIZER, WEIGHTS, Pretrained
from emotion_keras.inputs.word_pieces import WordPieceTokenizer
from emotion_keras.layers import BiasedTransformerEncoder, RelativePositionBias

Tokenizer = LibraryTokenizer | PresetTokenizer


class Parts(NamedTuple):
    """What an encoder of BERT's kind is made of, with its weights.

    Args:
        tokens: Float array `(vocabulary_size, dim)`, the table of token vectors.
        positions: Float array `(max_length, dim)`, what is added to them by position.
        norm: Weights of the normalization of their sum.
        blocks: List of the weights of Transformer blocks; `None` of one that has none yet.
        pooler: Weights of the dense layer that makes the pooled output of the first token's
            vector; `None` where it has none yet.
        num_heads: Attention heads of a block.
        intermediate_dim: Width of a block's feed-forward layer.
        activation: Activation of the feed-forward layers.
        epsilon: Epsilon of all normalizations.
        position_bias: Float array `(num_buckets, num_heads)`, weights of `RelativePositionBias`;
            `None` where the blocks take no bias.
    """

    tokens: np.ndarray
    positions: np.ndarray
    norm: list[np.ndarray]
    blocks: Sequence[list[np.ndarray] | None]
    pooler: list[np.ndarray] | None
    num_heads: int
    intermediate_dim: int
    activation: Any
    epsilon: float
    position_bias: np.ndarray | None = None


def load_parts(encoder: Pretrained, load_weights: bool = True) -> Parts | keras_hub.models.Backbone:
    """Loads a pretrained encoder.

    Args:
        encoder: `Pretrained`, what `find_encoder` returned.
        load_weights: Boolean; without, its weights are as an untrained encoder's.

    Returns:
        `Parts` of an encoder of BERT's kind, and of any other the `keras_hub.models.Backbone`; in
        float32.

    Raises:
        UserError: If there is no such encoder, or it cannot be loaded.
    """
    names = (CONFIG, WEIGHTS) if load_weights else (CONFIG,)
    with _loading(encoder, *names) as folder:
        config = _config(folder)
        if config.get("model_type") == "mpnet":
            return mpnet_parts(config, load_file(folder / WEIGHTS) if load_weights else None)
        backbone = keras_hub.models.Backbone.from_preset(
            str(folder or encoder.name), load_weights=load_weights, dtype="float32"
        )
    if not isinstance(backbone, keras_hub.models.BertBackbone):
        return backbone
    # keras-hub builds every BERT with the approximate GELU that Google's was trained with;
    # checkpoints from Hugging Face were trained with the exact one.
    return bert_parts(backbone, exact_gelu=config.get("hidden_act") == "gelu")


def load_tokenizer(encoder: Pretrained) -> Tokenizer:
    """Loads the tokenizer of a pretrained encoder; see `load_parts`.

    Returns:
        `WordPieceTokenizer` where the encoder reads word pieces, `LibraryTokenizer` where it reads
        those of Unigram and comes as Hugging Face has it, else `PresetTokenizer`.
    """
    with _loading(encoder, TOKENIZER) as folder:
        kind = _tokenizer_kind(folder / TOKENIZER) if folder else None
        if folder and kind in _OF_LIBRARY:
            return _OF_LIBRARY[kind].load(folder)
        preprocessor = keras_hub.models.TextClassifierPreprocessor.from_preset(
            str(folder or encoder.name)
        )
    tokenizer = preprocessor.tokenizer
    if isinstance(tokenizer, keras_hub.tokenizers.WordPieceTokenizer) and tokenizer.split:
        # The same pieces, from a file that an exported model is read with.
        return WordPieceTokenizer.of_pieces(
            tokenizer.get_vocabulary(),
            lowercase=tokenizer.lowercase,
            strip_accents=tokenizer.strip_accents,
        )
    return PresetTokenizer(preprocessor)


def rows_of(tokenizer: Tokenizer, encoder: Pretrained) -> list[int]:
    """Which rows of an encoder's table of token vectors a cut tokenizer has tokens for.

    Args:
        tokenizer: What `LibraryTokenizer.cut` made of the encoder's tokenizer.
        encoder: `Pretrained`.
    """
    whole = cast(LibraryTokenizer, load_tokenizer(encoder))
    return whole.find(cast(LibraryTokenizer, tokenizer).pieces)


@contextlib.contextmanager
def _loading(encoder, *names):
    """Opens an encoder's files, and says what works where loading them fails."""
    try:
        with encoder.opened(*names) as folder:
            yield folder
    except UserError:
        raise
    except Exception as error:  # keras-hub and its download clients raise errors of many kinds.
        raise UserError(_unavailable(encoder, error)) from error


def _config(folder):
    path = folder and folder / CONFIG
    return json.loads(path.read_text(encoding="utf-8")) if path and path.is_file() else {}


# By the kind of model that a file of the library `tokenizers` holds.
_OF_LIBRARY: dict[Any, type[LibraryTokenizer]] = {
    "WordPiece": WordPieceTokenizer,
    "Unigram": LibraryTokenizer,
}


def _tokenizer_kind(path):
    # keras-hub gives another file of its presets the same name.
    if not path.is_file():
        return None
    return json.loads(path.read_text(encoding="utf-8")).get("model", {}).get("type")


def _unavailable(encoder, error):
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    reason = reason.partition(". A preset must be")[0]  # keras-hub's list is about all its models.
    meant = did_you_mean(encoder.name, ENCODERS)
    return (
        f"The pretrained encoder cannot be loaded: {reason.rstrip('.')}.{meant}\n"
        f"Accepted without network: {', '.join(ENCODERS)}, or the path of a preset's folder or of "
        "a file of word vectors; with network: the name of a keras-hub preset such as "
        "bert_tiny_en_uncased, or hf://intfloat/multilingual-e5-small for one on Hugging Face. "
        f"Received: encoder={encoder.name!r}"
    )


def bert_parts(backbone: keras_hub.models.BertBackbone, exact_gelu: bool) -> Parts:
    """Takes a BERT apart.

    Segment ids, which classifying one text never uses, are left out: the first segment's vector is
    added to the positions.

    Args:
        backbone: `keras_hub.models.BertBackbone`.
        exact_gelu: Boolean, whether to use the exact GELU.
    """
    segment = backbone.segment_embedding.get_weights()[0][0]
    return Parts(
        tokens=backbone.token_embedding.get_weights()[0],
        positions=backbone.position_embedding.get_weights()[0] + segment,
        norm=backbone.embeddings_layer_norm.get_weights(),
        blocks=[block.get_weights() for block in backbone.transformer_layers],
        pooler=backbone.pooled_dense.get_weights(),
        num_heads=backbone.num_heads,
        intermediate_dim=backbone.intermediate_dim,
        activation="gelu" if exact_gelu else backbone.transformer_layers[0].activation,
        epsilon=1e-12,
    )


def mpnet_parts(config: Mapping[str, Any], tensors: Mapping[str, np.ndarray] | None) -> Parts:
    """Reads an MPNet (Song et al. 2020), which keras-hub has none of.

    It is a BERT without segments, whose positions are counted from the number after the padding's
    id, and whose attention takes one bias of distances for all blocks.

    Args:
        config: What Hugging Face's `config.json` says.
        tensors: Arrays by their names there; `None` for an untrained encoder.
    """
    first_position = config["pad_token_id"] + 1
    dim, num_heads = config["hidden_size"], config["num_attention_heads"]
    sizes = {
        "num_heads": num_heads,
        "intermediate_dim": config["intermediate_size"],
        "activation": config["hidden_act"],
        "epsilon": config["layer_norm_eps"],
    }
    if tensors is None:
        return Parts(
            tokens=np.zeros((config["vocab_size"], dim), "float32"),
            positions=np.zeros((config["max_position_embeddings"] - first_position, dim)),
            norm=[np.ones(dim), np.zeros(dim)],
            blocks=[None] * config["num_hidden_layers"],
            pooler=None,
            position_bias=np.zeros((config["relative_attention_num_buckets"], num_heads)),
            **sizes,
        )
    # The names may begin with that of the model.
    prefix = "" if "embeddings.LayerNorm.weight" in tensors else "mpnet."

    def tensor(name):
        return tensors[f"{prefix}{name}"]

    def dense(name, kernel_shape=(dim, -1), bias_shape=(-1,)):
        kernel, bias = tensor(f"{name}.weight").T, tensor(f"{name}.bias")
        return [kernel.reshape(kernel_shape), bias.reshape(bias_shape)]

    def norm(name):
        return [tensor(f"{name}.weight"), tensor(f"{name}.bias")]

    def block(name):
        heads = (num_heads, dim // num_heads)
        attention = f"{name}.attention.attn"
        return [
            *dense(f"{attention}.q", (dim, *heads), heads),
            *dense(f"{attention}.k", (dim, *heads), heads),
            *dense(f"{attention}.v", (dim, *heads), heads),
            *dense(f"{attention}.o", (*heads, dim)),
            *norm(f"{name}.attention.LayerNorm"),
            *norm(f"{name}.output.LayerNorm"),
            *dense(f"{name}.intermediate.dense"),
            *dense(f"{name}.output.dense", (-1, dim)),
        ]

    return Parts(
        tokens=tensor("embeddings.word_embeddings.weight"),
        positions=tensor("embeddings.position_embeddings.weight")[first_position:],
        norm=norm("embeddings.LayerNorm"),
        blocks=[block(f"encoder.layer.{index}") for index in range(config["num_hidden_layers"])],
        pooler=dense("pooler.dense"),
        position_bias=tensor("encoder.relative_attention_bias.weight"),
        **sizes,
    )


class EncoderLayers:
    """The layers of an encoder, with its weights, to build models of all of them or of some.

    Args:
        parts: `Parts`.
        dropout: Float, dropout of the encoder.
        dtype: Name of the Keras dtype policy of all layers but the embedding.
        frozen_layers: Integer, number of the lowest blocks that are not trained, nor is what is
            below them.
        drawn_layers: Integer, number of the highest blocks that have new weights.

    Attributes:
        dim: Integer, length of a vector.
    """

    def __init__(
        self,
        parts: Parts,
        dropout: float,
        dtype: str = "float32",
        frozen_layers: int = 0,
        drawn_layers: int = 0,
    ):
        self._parts, self._num_frozen = parts, frozen_layers
        self._first_drawn = len(parts.blocks) - drawn_layers
        self.dim = parts.tokens.shape[1]
        # In float32: under mixed precision the whole table would be cast again for each batch.
        self._embedding = keras_hub.layers.TokenAndPositionEmbedding(
            vocabulary_size=len(parts.tokens),
            sequence_length=len(parts.positions),
            embedding_dim=self.dim,
            dtype="float32",
            name="encoder_embeddings",
        )
        self._norm = keras.layers.LayerNormalization(
            epsilon=parts.epsilon, dtype=dtype, name="encoder_embeddings_norm"
        )
        self._drop = keras.layers.Dropout(dropout, dtype=dtype, name="encoder_embeddings_dropout")
        self._position_bias = None
        block_class = keras_hub.layers.TransformerEncoder
        if parts.position_bias is not None:
            block_class = BiasedTransformerEncoder
            num_buckets, num_heads = parts.position_bias.shape
            self._position_bias = RelativePositionBias(
                num_heads, num_buckets, dtype="float32", name="encoder_position_bias"
            )
        self._blocks = [
            block_class(
                intermediate_dim=parts.intermediate_dim,
                num_heads=parts.num_heads,
                dropout=dropout,
                activation=parts.activation,
                layer_norm_epsilon=parts.epsilon,
                dtype=dtype,
                name=f"encoder_block_{index}",
            )
            for index in range(len(parts.blocks))
        ]
        # Zeros draw no random numbers: a model that uses no pooled output starts as if it were
        # absent.
        self._pooler = keras.layers.Dense(
            self.dim,
            activation="tanh",
            kernel_initializer="zeros",
            dtype=dtype,
            name="encoder_pooler",
        )

    def embed(self, token_ids: keras.KerasTensor, freeze_embeddings: bool) -> keras.KerasTensor:
        """The normalized vectors of tokens and positions.

        Args:
            token_ids: Symbolic int32 tensor `(batch, length)`.
            freeze_embeddings: Boolean, whether their tables stay as they are.

        Returns:
            Symbolic tensor `(batch, length, dim)`.
        """
        vectors = self._norm(self._embedding(token_ids))
        # Once a layer is built it hands this on to the layers within.
        self._embedding.trainable = not (freeze_embeddings or self._num_frozen)
        self._norm.trainable = not self._num_frozen
        self._embedding.set_weights([self._parts.tokens, self._parts.positions])
        self._norm.set_weights(self._parts.norm)
        return self._drop(vectors)

    def contextualize(
        self,
        vectors: keras.KerasTensor,
        padding_mask: keras.KerasTensor,
        first: int = 0,
        last: int | None = None,
    ) -> keras.KerasTensor:
        """Passes vectors through the blocks from number `first` to before number `last`.

        Args:
            vectors: Symbolic tensor `(batch, length, dim)`.
            padding_mask: Symbolic int32 tensor `(batch, length)`, 1 for what is real.
            first: Integer.
            last: Integer; unless given, those up to the highest are passed through.
        """
        inputs = {"padding_mask": padding_mask}
        if self._position_bias is not None:
            inputs["bias"] = self._position_bias(vectors)
            # All blocks have it in common.
            self._position_bias.trainable = not self._num_frozen
            self._position_bias.set_weights([self._parts.position_bias])
        for index in range(len(self._blocks))[first:last]:
            block, weights = self._blocks[index], self._parts.blocks[index]
            vectors = block(vectors, **inputs)
            block.trainable = index >= self._num_frozen
            if weights is not None and index < self._first_drawn:
                block.set_weights(weights)
        return vectors

    def pool(self, vectors: keras.KerasTensor) -> keras.KerasTensor:
        """The pooled output `(batch, dim)` of contextual vectors `(batch, length, dim)`."""
        pooled = self._pooler(vectors[:, 0])
        if self._parts.pooler is not None:
            self._pooler.set_weights(self._parts.pooler)
        return pooled
