"""Text: a tokenizer, and the vectors of its tokens."""

import keras
import keras_hub
import numpy as np

from emotion_keras.errors import UserError
from emotion_keras.inputs.embedded import Embedded
from emotion_keras.inputs.pretrained import bert_layers, load_backbone, load_tokenizer
from emotion_keras.inputs.word_pieces import SPECIAL_TOKENS, WordPieceTokenizer
from emotion_keras.inputs.word_vectors import load_word_vectors, names_word_vectors
from emotion_keras.layers import TokenDropout


class TextInput:
    """`f_embed` of text: turns texts into token ids, and token ids into vectors.

    Args:
        texts: Strings of the training split; what is learned from texts is learned from these.
        encoder: `scratch` learns word pieces and their vectors from the training split;
            `embeddings` starts from MiniLM's whole table of word-piece vectors (cut to the pieces
            of the training split it validates 0.7 points of macro F1 worse on ISEAR); `glove`, or
            the path of a file of word vectors, from these; `minilm` is the whole pretrained MiniLM
            encoder; or the name of a keras-hub preset, or a preset's folder.
        sequence_length: Longest text in tokens; of longer ones the end is cut off.
        vocabulary_size: Number of word pieces that `scratch` learns at most.
        embedding_dim: Width of the vectors, except a pretrained encoder's.
        token_dropout: Share of tokens that are hidden while training.
        encoder_dropout: Dropout within a pretrained BERT encoder.
        freeze_embeddings: Whether a pretrained table of token vectors stays as it is.
        freeze_encoder: Whether a pretrained encoder stays as it is: its outputs are computed once,
            and an epoch takes seconds.

    Raises:
        UserError: If the encoder cannot be loaded, or cannot be frozen.
    """

    feature = "token_ids"

    def __init__(
        self,
        texts,
        *,
        encoder: str = "minilm",
        sequence_length: int = 96,
        vocabulary_size: int = 8000,
        embedding_dim: int = 128,
        token_dropout: float = 0.0,
        encoder_dropout: float = 0.1,
        freeze_embeddings: bool = True,
        freeze_encoder: bool = False,
    ):
        self.encoder = encoder
        self.sequence_length = sequence_length
        self.embedding_dim = embedding_dim
        self.token_dropout = token_dropout
        self.encoder_dropout = encoder_dropout
        self.freeze_embeddings = freeze_embeddings
        self.freeze_encoder = freeze_encoder
        has_word_vectors = names_word_vectors(encoder)
        if freeze_encoder and (has_word_vectors or encoder in ("scratch", "embeddings")):
            raise UserError(
                "Only a pretrained encoder can be frozen: leave out `--freeze-encoder`, or choose "
                f"minilm, a keras-hub preset or a preset's folder. Received: encoder={encoder!r}"
            )
        self._word_vectors = None
        if encoder == "scratch":
            self.tokenizer = WordPieceTokenizer.train(texts, vocabulary_size)
        elif has_word_vectors:
            words, self._word_vectors = load_word_vectors(encoder)
            self.tokenizer = WordPieceTokenizer.of_words(words)
        else:
            self.tokenizer = load_tokenizer("minilm" if encoder == "embeddings" else encoder)

    def encode(self, texts):
        """Encodes texts as `Sequences` of token ids."""
        return self.tokenizer.encode(texts, self.sequence_length)

    def embed(self, load_weights=True):
        """Starts a functional model.

        Args:
            load_weights: Whether a pretrained encoder has its pretrained weights, which a model
                that will be given other weights does not need.

        Returns:
            `Embedded` of inputs `token_ids` and `padding_mask`, both `(batch, length)` of int32.
        """
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        padding_mask = keras.Input((None,), dtype="int32", name="padding_mask")
        inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
        shown = self._drop_tokens(token_ids)
        pooled = None
        if self.encoder == "scratch":
            vectors = self._embed_from_scratch(shown)
        elif self.encoder == "embeddings":
            table = load_backbone("minilm")[0].token_embedding.get_weights()[0]
            vectors = self._embed_with_table(shown, _standardized(table))
        elif self._word_vectors is not None:
            table = _standardized(self._word_vectors)
            special = np.zeros((len(SPECIAL_TOKENS), table.shape[1]), table.dtype)
            vectors = self._embed_with_table(shown, np.concatenate([special, table]))
        else:
            vectors, pooled = self._embed_with_encoder(shown, padding_mask, load_weights)
        return Embedded(inputs, vectors, padding_mask, pooled)

    def _drop_tokens(self, token_ids):
        if not self.token_dropout:
            return token_ids
        if self.tokenizer.hidden_id is None:
            raise UserError(
                "The encoder's vocabulary has neither a mask nor an unknown token to hide tokens "
                f"with: set token_dropout=0. Received: encoder={self.encoder!r}"
            )
        return TokenDropout(
            self.token_dropout,
            self.tokenizer.hidden_id,
            self.tokenizer.special_ids,
            name="token_dropout",
        )(token_ids)

    def _embed_from_scratch(self, token_ids):
        return keras_hub.layers.TokenAndPositionEmbedding(
            vocabulary_size=self.tokenizer.vocabulary_size,
            sequence_length=self.sequence_length,
            embedding_dim=self.embedding_dim,
            dtype="float32",
            name="embeddings",
        )(token_ids)

    def _embed_with_table(self, token_ids, table):
        tokens = keras.layers.Embedding(
            *table.shape,
            embeddings_initializer=keras.initializers.Zeros(),
            trainable=not self.freeze_embeddings,
            dtype="float32",
            name="embeddings",
        )
        vectors = tokens(token_ids)
        tokens.set_weights([table])
        vectors = keras.layers.Dense(self.embedding_dim, name="projection")(vectors)
        positions = keras_hub.layers.PositionEmbedding(self.sequence_length, name="positions")
        return keras.layers.Add(name="embeddings_add")([vectors, positions(vectors)])

    def _embed_with_encoder(self, token_ids, padding_mask, load_weights):
        backbone, exact_gelu = load_backbone(self.encoder, load_weights)
        if isinstance(backbone, keras_hub.models.BertBackbone):
            if self.sequence_length > backbone.max_sequence_length:
                raise UserError(
                    f"The encoder takes at most {backbone.max_sequence_length} tokens. "
                    f"Received: sequence_length={self.sequence_length}"
                )
            embedding, contextualize, pool = bert_layers(backbone, exact_gelu, self.encoder_dropout)
            embedding.trainable = not self.freeze_embeddings
            vectors = contextualize(embedding(token_ids), padding_mask)
            return vectors, pool(vectors)
        inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
        if "segment_ids" in backbone.input:
            inputs["segment_ids"] = keras.ops.zeros_like(token_ids)
        if hasattr(backbone, "token_embedding"):
            backbone.token_embedding.trainable = not self.freeze_embeddings
        output = backbone(inputs)
        if isinstance(output, dict):
            return output["sequence_output"], output.get("pooled_output")
        return output, None


def _standardized(table):
    # Vectors of a language model's table share a large mean and differ in scale: standardised, they
    # are as good a start for a small model as word vectors are.
    return (table - table.mean()) / table.std()
