"""The parts of a functional model that turn token ids into vectors."""

import keras
import keras_hub
import numpy as np
from keras import KerasTensor

from emotion_keras.errors import UserError
from emotion_keras.inputs.pretrained import (
    EncoderLayers,
    Parts,
    Tokenizer,
    load_parts,
    rows_of,
)
from emotion_keras.inputs.text import TextOptions
from emotion_keras.inputs.text_encoders import Pretrained, Vectors
from emotion_keras.layers import TokenDropout


def drop_tokens(token_ids: KerasTensor, tokenizer: Tokenizer, rate: float) -> KerasTensor:
    """Hides tokens while a model trains.

    Args:
        token_ids: Symbolic int32 tensor `(batch, length)`.
        tokenizer: Its `hidden_id` takes the place of a token, and its `special_ids` stay.
        rate: Share of the tokens to hide.

    Returns:
        Symbolic int32 tensor `(batch, length)`.
    """
    return TokenDropout(rate, tokenizer.hidden_id, tokenizer.special_ids, name="token_dropout")(
        token_ids
    )


def embed_from_scratch(
    token_ids: KerasTensor, vocabulary_size: int, options: TextOptions
) -> KerasTensor:
    """Vectors of tokens and positions that are learned from the start.

    Args:
        token_ids: Symbolic int32 tensor `(batch, length)`.
        vocabulary_size: Number of tokens.
        options: The options of `TextInput`.

    Returns:
        Symbolic tensor `(batch, length, embedding_dim)`.
    """
    return keras_hub.layers.TokenAndPositionEmbedding(
        vocabulary_size=vocabulary_size,
        sequence_length=options.sequence_length,
        embedding_dim=options.embedding_dim,
        dtype="float32",
        name="embeddings",
    )(token_ids)


def embed_with_table(
    token_ids: KerasTensor,
    table: np.ndarray,
    options: TextOptions,
    dtype: str = "float32",
    num_special: int = 0,
) -> KerasTensor:
    """Vectors from a pretrained table, projected, with positions that are learned.

    Args:
        token_ids: Symbolic int32 tensor `(batch, length)`.
        table: Float32 array `(num_tokens, dim)`. Vectors of a language model's table share a large
            mean and differ in scale: standardized, they are as good a start for a small model as
            word vectors are.
        options: The options of `TextInput`.
        dtype: Name of the Keras dtype policy of the layers after the table.
        num_special: Number of special tokens before those of the table; their vectors are zeros.

    Returns:
        Symbolic tensor `(batch, length, embedding_dim)`.
    """
    table = (table - table.mean()) / table.std()
    table = np.concatenate([np.zeros((num_special, table.shape[1]), table.dtype), table])
    tokens = keras.layers.Embedding(
        *table.shape,
        embeddings_initializer=keras.initializers.Zeros(),
        trainable=not options.freeze_embeddings,
        dtype="float32",
        name="embeddings",
    )
    vectors = tokens(token_ids)
    tokens.set_weights([table])
    vectors = keras.layers.Dense(options.embedding_dim, dtype=dtype, name="projection")(vectors)
    positions = keras_hub.layers.PositionEmbedding(
        options.sequence_length, dtype=dtype, name="positions"
    )
    add = keras.layers.Add(dtype=dtype, name="embeddings_add")
    return add([vectors, positions(vectors)])


def embed_with_encoder(
    token_ids: KerasTensor,
    padding_mask: KerasTensor,
    tokenizer: Tokenizer,
    encoder: Pretrained,
    options: TextOptions,
    load_weights: bool = True,
    dtype: str = "float32",
) -> Vectors:
    """The outputs of a whole pretrained encoder.

    Args:
        token_ids: Symbolic int32 tensor `(batch, length)`.
        padding_mask: Symbolic int32 tensor `(batch, length)`, 1 for what is real.
        tokenizer: What `make_tokenizer` of the encoder returned, or `cut` made of that.
        encoder: `Pretrained`.
        options: The options of `TextInput`.
        load_weights: Whether the encoder has its pretrained weights.
        dtype: Name of the Keras dtype policy of the layers of an encoder of BERT's
            kind; others stay in float32.

    Returns:
        `Vectors`.

    Raises:
        UserError: If the encoder cannot be loaded, or cannot read texts as long as asked for.
    """
    loaded = load_parts(encoder, load_weights)
    if isinstance(loaded, Parts):
        layers = _layers_of(loaded, tokenizer, encoder, options, dtype)
        pieces = layers.embed(token_ids, options.freeze_embeddings)
        mix = keras.layers.Average(dtype=dtype, name="encoder_mix")

        def mixed(vectors):
            return mix([vectors, pieces]) if options.mix_pieces else vectors

        vectors = layers.contextualize(pieces, padding_mask)
        pooled = layers.pool(vectors) if encoder.has_pooled_output else None
        return Vectors(
            mixed(vectors), pooled, lambda mask: mixed(layers.contextualize(pieces, mask))
        )
    for name in ("cut_vocabulary", "frozen_layers", "drawn_layers", "mix_pieces"):
        if value := getattr(options, name):
            raise UserError(
                f"This encoder is known as a whole alone: leave out `--{name.replace('_', '-')}`. "
                f"Received: encoder={options.encoder!r}, {name}={value}"
            )
    backbone = loaded
    inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
    if "segment_ids" in backbone.input:
        inputs["segment_ids"] = keras.ops.zeros_like(token_ids)
    if hasattr(backbone, "token_embedding"):
        backbone.token_embedding.trainable = not options.freeze_embeddings

    def read(mask):
        output = backbone({**inputs, "padding_mask": mask})
        if isinstance(output, dict):
            return output["sequence_output"], output.get("pooled_output")
        return output, None

    vectors, pooled = read(padding_mask)
    return Vectors(vectors, pooled, lambda mask: read(mask)[0])


def embed_with_lower_layers(
    token_ids: KerasTensor,
    padding_mask: KerasTensor,
    tokenizer: Tokenizer,
    encoder: Pretrained,
    options: TextOptions,
) -> KerasTensor:
    """What the lowest blocks of a pretrained encoder give, those that are frozen.

    Args:
        token_ids: Symbolic int32 tensor `(batch, length)`.
        padding_mask: Symbolic int32 tensor `(batch, length)`.
        tokenizer: See `embed_with_encoder`.
        encoder: `Pretrained`.
        options: The options of `TextInput`.

    Returns:
        Symbolic tensor `(batch, length, dim)`.

    Raises:
        UserError: See `embed_with_encoder`.
    """
    layers = _layers_of(_load_blocks(encoder, options), tokenizer, encoder, options)
    vectors = layers.embed(token_ids, options.freeze_embeddings)
    return layers.contextualize(vectors, padding_mask, last=options.frozen_layers)


def embed_with_upper_layers(
    vectors: KerasTensor,
    padding_mask: KerasTensor,
    tokenizer: Tokenizer,
    encoder: Pretrained,
    options: TextOptions,
    dtype: str = "float32",
) -> tuple[KerasTensor, KerasTensor | None]:
    """The outputs of a pretrained encoder, from what its frozen blocks give.

    Args:
        vectors: Symbolic tensor `(batch, length, dim)` of `embed_with_lower_layers`.
        padding_mask: Symbolic int32 tensor `(batch, length)`.
        tokenizer: See `embed_with_encoder`.
        encoder: `Pretrained`.
        options: The options of `TextInput`.
        dtype: See `embed_with_encoder`.

    Returns:
        As `embed_with_encoder`.
    """
    layers = _layers_of(_load_blocks(encoder, options), tokenizer, encoder, options, dtype)
    vectors = layers.contextualize(vectors, padding_mask, first=options.frozen_layers)
    return vectors, layers.pool(vectors) if encoder.has_pooled_output else None


def _load_blocks(encoder, options):
    parts = load_parts(encoder)
    if isinstance(parts, Parts):
        return parts
    raise UserError(
        "This encoder is known as a whole alone: leave out `--frozen-layers`. "
        f"Received: encoder={options.encoder!r}, frozen_layers={options.frozen_layers}"
    )


def _layers_of(parts, tokenizer, encoder, options, dtype="float32"):
    """The `EncoderLayers` that the options ask for."""
    if options.sequence_length > len(parts.positions):
        raise UserError(
            f"The encoder takes at most {len(parts.positions)} tokens. "
            f"Received: sequence_length={options.sequence_length}"
        )
    frozen, drawn, blocks = options.frozen_layers, options.drawn_layers, len(parts.blocks)
    if frozen + drawn > blocks or frozen >= blocks:
        raise UserError(
            f"The encoder has {blocks} blocks: freeze fewer than these, and draw at most those "
            f"that are not frozen. Received: frozen_layers={frozen}, drawn_layers={drawn}"
        )
    if options.cut_vocabulary:
        parts = parts._replace(tokens=parts.tokens[rows_of(tokenizer, encoder)])
    return EncoderLayers(parts, options.encoder_dropout, dtype, frozen, drawn)
