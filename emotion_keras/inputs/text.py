"""Text: a tokenizer, and the vectors of its tokens."""

from emotion_keras.errors import UserError
from emotion_keras.inputs.encoders import find_encoder


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
        self._encoder = find_encoder(encoder)
        if freeze_encoder and not self._encoder.can_be_frozen:
            raise UserError(
                "Only a pretrained encoder can be frozen: leave out `--freeze-encoder`, or choose "
                f"minilm, a keras-hub preset or a preset's folder. Received: encoder={encoder!r}"
            )
        self.tokenizer = self._encoder.make_tokenizer(texts, vocabulary_size)

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
        import keras

        from emotion_keras.inputs.embedded import Embedded

        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        padding_mask = keras.Input((None,), dtype="int32", name="padding_mask")
        inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
        shown = self._drop_tokens(token_ids)
        vectors, pooled = self._encoder.embed(
            shown, padding_mask, self.tokenizer, self, load_weights
        )
        return Embedded(inputs, vectors, padding_mask, pooled)

    def _drop_tokens(self, token_ids):
        from emotion_keras.inputs.text_embedding import drop_tokens

        if not self.token_dropout:
            return token_ids
        if self.tokenizer.hidden_id is None:
            raise UserError(
                "The encoder's vocabulary has neither a mask nor an unknown token to hide tokens "
                f"with: set token_dropout=0. Received: encoder={self.encoder!r}"
            )
        return drop_tokens(token_ids, self.tokenizer, self.token_dropout)
