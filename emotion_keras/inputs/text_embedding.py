"""The parts of a functional model that turn token ids into vectors."""

import keras
import keras_hub
import numpy as np
from keras import KerasTensor

from emotion_keras.errors import UserError
from emotion_keras.inputs.pretrained import (
    Parts,
    Tokenizer,
    encoder_layers,
    load_parts,
    rows_of,
)
from emotion_keras.inputs.text import TextOptions
from emotion_keras.inputs.text_encoders import Pretrained
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
) -> tuple[KerasTensor, KerasTensor | None]:
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
        Symbolic tensors: the vectors `(batch, length, dim)`, and the pooled output `(batch, dim)`
        or `None`.

    Raises:
        UserError: If the encoder cannot be loaded, or cannot read texts as long as asked for.
    """
    loaded = load_parts(encoder, load_weights)
    if isinstance(loaded, Parts):
        if options.cut_vocabulary:
            rows = rows_of(tokenizer, encoder)
            loaded = loaded._replace(tokens=loaded.tokens[rows])
        vectors, pooled = _embed_with_parts(token_ids, padding_mask, loaded, options, dtype)
        return vectors, pooled if encoder.has_pooled_output else None
    if options.cut_vocabulary:
        raise UserError(
            "The vocabulary of this encoder cannot be cut: set cut_vocabulary=false. Received: "
            f"encoder={options.encoder!r}"
        )
    backbone = loaded
    inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
    if "segment_ids" in backbone.input:
        inputs["segment_ids"] = keras.ops.zeros_like(token_ids)
    if hasattr(backbone, "token_embedding"):
        backbone.token_embedding.trainable = not options.freeze_embeddings
    output = backbone(inputs)
    if isinstance(output, dict):
        return output["sequence_output"], output.get("pooled_output")
    return output, None


def _embed_with_parts(token_ids, padding_mask, parts, options, dtype):
    if options.sequence_length > len(parts.positions):
        raise UserError(
            f"The encoder takes at most {len(parts.positions)} tokens. "
            f"Received: sequence_length={options.sequence_length}"
        )
    embedding, contextualize, pool = encoder_layers(parts, options.encoder_dropout, dtype)
    embedding.trainable = not options.freeze_embeddings
    vectors = contextualize(embedding(token_ids), padding_mask)
    return vectors, pool(vectors)
