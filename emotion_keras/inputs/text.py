"""Text: a tokenizer, and the vectors of its tokens."""

from dataclasses import dataclass

from emotion_keras.errors import UserError
from emotion_keras.inputs.encoders import find_encoder
from emotion_keras.record.options import COUNT, PART, Limit, Options, option


@dataclass(frozen=True, kw_only=True)
class TextOptions(Options):
    """How texts become tokens, and tokens vectors."""

    encoder: str = option(
        "minilm",
        "`scratch` learns word pieces and their vectors from the training split; `embeddings` "
        "starts from MiniLM's whole table of word-piece vectors (cut to the pieces of the training "
        "split it validates 0.7 points of macro F1 worse on ISEAR); `glove`, or the path of a file "
        "of word vectors, from these; `minilm` is the whole pretrained MiniLM encoder; or the name "
        "of a keras-hub preset, or a preset's folder.",
    )
    sequence_length: int = option(
        96,
        "Longest text in tokens; of longer ones the end is cut off.",
        # A text is at least the special tokens of its start and end, and a token.
        Limit("3 or more", lambda value: value >= 3),
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
    freeze_embeddings: bool = option(
        True, "Whether a pretrained table of token vectors stays as it is."
    )
    freeze_encoder: bool = option(
        False,
        "Whether a pretrained encoder stays as it is: its outputs are computed once, and an epoch "
        "takes seconds.",
    )


class TextInput:
    """`f_embed` of text: turns texts into token ids, and token ids into vectors.

    Args:
        texts: Strings of the training split; what is learned from texts is learned from these.
        options: `TextOptions`.
        **given: Its fields, in place of the object.

    Raises:
        UserError: If the encoder cannot be loaded, or cannot be frozen.
    """

    feature = "token_ids"

    def __init__(self, texts, options=None, **given):
        options = options or TextOptions(**given)
        encoder = options.encoder
        self.encoder = encoder
        self.sequence_length = options.sequence_length
        self.embedding_dim = options.embedding_dim
        self.token_dropout = options.token_dropout
        self.encoder_dropout = options.encoder_dropout
        self.freeze_embeddings = options.freeze_embeddings
        self.freeze_encoder = options.freeze_encoder
        self._encoder = find_encoder(encoder)
        if options.freeze_encoder and not self._encoder.can_be_frozen:
            raise UserError(
                "Only a pretrained encoder can be frozen: leave out `--freeze-encoder`, or choose "
                f"minilm, a keras-hub preset or a preset's folder. Received: encoder={encoder!r}"
            )
        self.tokenizer = self._encoder.make_tokenizer(texts, options.vocabulary_size)

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
