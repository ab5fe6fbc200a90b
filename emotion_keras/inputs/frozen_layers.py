"""A pretrained encoder whose lowest blocks are frozen: what is computed once, and the rest."""

from typing import TYPE_CHECKING

import keras

from emotion_keras.inputs.embedded import Embedded, Precomputed
from emotion_keras.inputs.pretrained import Tokenizer
from emotion_keras.inputs.text_embedding import embed_with_lower_layers, embed_with_upper_layers
from emotion_keras.inputs.text_encoders import Pretrained

if TYPE_CHECKING:
    from emotion_keras.inputs.text import TextOptions


class LowerLayers:
    """What is computed once for all epochs: what the frozen blocks make of tokens.

    Args:
        name: Name of the modality.
        feature: Name of the model's input.
        tokenizer: The tokenizer of a `TextInput`.
        encoder: Its encoder.
        options: Its options.
    """

    def __init__(
        self,
        name: str,
        feature: str,
        tokenizer: Tokenizer,
        encoder: Pretrained,
        options: "TextOptions",
    ):
        self.name, self.feature, self.sequence_length = name, feature, options.sequence_length
        self._parts = tokenizer, encoder, options

    def embed(self) -> Embedded:
        """See `Input.embed`."""
        token_ids = keras.Input((None,), dtype="int32", name=self.feature)
        padding_mask = keras.Input((None,), dtype="int32", name="padding_mask")
        vectors = embed_with_lower_layers(token_ids, padding_mask, *self._parts)
        return Embedded(
            {self.feature: token_ids, "padding_mask": padding_mask}, vectors, padding_mask
        )


class UpperLayers(Precomputed):
    """What is trained: the blocks above, from what `LowerLayers` gave.

    Args:
        dim: Integer, length of a vector.
        special: How many special tokens each example begins and ends with.
        tokenizer: The tokenizer of a `TextInput`.
        encoder: Its encoder.
        options: Its options.
    """

    def __init__(
        self,
        dim: int,
        special: tuple[int, int],
        tokenizer: Tokenizer,
        encoder: Pretrained,
        options: "TextOptions",
    ):
        super().__init__(dim, special)
        self._parts = tokenizer, encoder, options

    def embed(self, load_weights: bool = True, dtype: str = "float32") -> Embedded:
        start = super().embed()
        vectors, pooled = embed_with_upper_layers(
            start.vectors, start.padding_mask, *self._parts, dtype=dtype
        )
        return start._replace(vectors=vectors, pooled=pooled)
