"""What is loaded of pretrained encoders: their layers with their weights, and their tokenizers."""

import json
from collections.abc import Callable

import keras
import keras_hub

from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.inputs.preset_tokenizer import PresetTokenizer
from emotion_keras.inputs.text_encoders import ENCODERS, Pretrained
from emotion_keras.inputs.word_pieces import WordPieceTokenizer

Tokenizer = WordPieceTokenizer | PresetTokenizer


def load_backbone(
    encoder: Pretrained, load_weights: bool = True
) -> tuple[keras_hub.models.Backbone, bool]:
    """Loads a pretrained encoder.

    Args:
        encoder: `Pretrained`, what `find_encoder` returned.
        load_weights: Boolean; without, its weights are as an untrained encoder's.

    Returns:
        The `keras_hub.models.Backbone` in float32, and whether its GELU is the exact one. keras-hub
        builds every BERT with the approximate GELU that Google's was trained with; checkpoints
        from Hugging Face were trained with the exact one.

    Raises:
        UserError: If there is no such preset, or it cannot be loaded.
    """
    folder = encoder.folder()
    try:
        backbone = keras_hub.models.Backbone.from_preset(
            str(folder or encoder.name), load_weights=load_weights, dtype="float32"
        )
    except Exception as error:  # keras-hub and its download clients raise errors of many kinds.
        raise UserError(_unavailable(encoder, error)) from error
    return backbone, folder is not None and _has_exact_gelu(folder / "config.json")


def load_tokenizer(encoder: Pretrained) -> Tokenizer:
    """Loads the tokenizer of a pretrained encoder; see `load_backbone`.

    Returns:
        `WordPieceTokenizer` where the encoder reads word pieces, else `PresetTokenizer`.
    """
    folder = encoder.folder()
    if folder and _holds_word_pieces(folder / WordPieceTokenizer.FILE):
        return WordPieceTokenizer.load(folder)
    try:
        preprocessor = keras_hub.models.TextClassifierPreprocessor.from_preset(
            str(folder or encoder.name)
        )
    except Exception as error:
        raise UserError(_unavailable(encoder, error)) from error
    tokenizer = preprocessor.tokenizer
    if isinstance(tokenizer, keras_hub.tokenizers.WordPieceTokenizer) and tokenizer.split:
        # The same pieces, from a file that an exported model is read with.
        return WordPieceTokenizer.of_pieces(
            tokenizer.get_vocabulary(),
            lowercase=tokenizer.lowercase,
            strip_accents=tokenizer.strip_accents,
        )
    return PresetTokenizer(preprocessor)


def _has_exact_gelu(path):
    return path.is_file() and json.loads(path.read_text()).get("hidden_act") == "gelu"


def _holds_word_pieces(path):
    # keras-hub gives another file of its presets the same name.
    if not path.is_file():
        return False
    return json.loads(path.read_text(encoding="utf-8")).get("model", {}).get("type") == "WordPiece"


def _unavailable(encoder, error):
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    reason = reason.partition(". A preset must be")[0]  # keras-hub's list is about all its models.
    meant = did_you_mean(encoder.name, ENCODERS)
    return (
        f"The pretrained encoder cannot be loaded: {reason.rstrip('.')}.{meant}\n"
        f"Accepted without network: {', '.join(ENCODERS)}, or the path of a preset's folder or of "
        "a file of word vectors; with network: the name of a keras-hub preset such as "
        "bert_tiny_en_uncased. "
        f"Received: encoder={encoder.name!r}"
    )


def bert_layers(
    backbone: keras_hub.models.BertBackbone,
    exact_gelu: bool,
    dropout: float,
    dtype: str = "float32",
) -> tuple[
    keras.layers.Layer,
    Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor],
    Callable[[keras.KerasTensor], keras.KerasTensor],
]:
    """Builds a BERT encoder from keras-hub's layers, with a backbone's weights.

    It is `BertBackbone` without the segment ids that classifying one text never uses (the first
    segment's vector is added to the positions).

    Args:
        backbone: `keras_hub.models.BertBackbone`.
        exact_gelu: Boolean, whether to use the exact GELU.
        dropout: Float, dropout of the encoder.
        dtype: Name of the Keras dtype policy of all layers but the embedding.

    Returns:
        The embedding layer, a function from `(vectors, padding_mask)` to contextual vectors, and
        one from these to the pooled output.
    """
    # In float32: under mixed precision the whole table would be cast again for each batch.
    embedding = keras_hub.layers.TokenAndPositionEmbedding(
        vocabulary_size=backbone.vocabulary_size,
        sequence_length=backbone.max_sequence_length,
        embedding_dim=backbone.hidden_dim,
        dtype="float32",
        name="encoder_embeddings",
    )
    norm = keras.layers.LayerNormalization(
        epsilon=1e-12, dtype=dtype, name="encoder_embeddings_norm"
    )
    drop = keras.layers.Dropout(dropout, dtype=dtype, name="encoder_embeddings_dropout")
    blocks = [
        keras_hub.layers.TransformerEncoder(
            intermediate_dim=backbone.intermediate_dim,
            num_heads=backbone.num_heads,
            dropout=dropout,
            activation="gelu" if exact_gelu else block.activation,
            layer_norm_epsilon=1e-12,
            dtype=dtype,
            name=f"encoder_block_{index}",
        )
        for index, block in enumerate(backbone.transformer_layers)
    ]

    def contextualize(vectors, padding_mask):
        vectors = drop(norm(vectors))
        norm.set_weights(backbone.embeddings_layer_norm.get_weights())
        for block, source in zip(blocks, backbone.transformer_layers, strict=True):
            vectors = block(vectors, padding_mask=padding_mask)
            block.set_weights(source.get_weights())
        return vectors

    # Zeros draw no random numbers: a model that uses no pooled output starts as if it were absent.
    pooler = keras.layers.Dense(
        backbone.hidden_dim,
        activation="tanh",
        kernel_initializer="zeros",
        dtype=dtype,
        name="encoder_pooler",
    )

    def pool(vectors):
        pooled = pooler(vectors[:, 0])
        pooler.set_weights(backbone.pooled_dense.get_weights())
        return pooled

    embedding.build((None, None))
    positions = backbone.position_embedding.get_weights()[0]
    segment = backbone.segment_embedding.get_weights()[0][0]
    tokens = backbone.token_embedding.get_weights()[0]
    embedding.set_weights([tokens, positions + segment])
    return embedding, contextualize, pool
