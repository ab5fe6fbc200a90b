"""Dropout of whole tokens."""

from collections.abc import Iterable
from typing import Any

import keras


@keras.saving.register_keras_serializable(package="emotion_keras")
class TokenDropout(keras.layers.Layer):
    """Replaces tokens by the unknown token at random while training (Iyyer et al. 2015).

    Args:
        rate: Float in `[0, 1)`, the share of tokens to replace.
        unknown_id: Integer, the id to put in their place.
        special_ids: Integers, ids that stay: padding and the other special tokens.
        seed: Integer or `keras.random.SeedGenerator`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Integer tensor of token ids, `(batch, length)`.
        training: Boolean, whether to replace at all.

    Returns:
        Integer tensor of shape `(batch, length)`.

    Example:

    >>> dropped = TokenDropout(0.5, unknown_id=1)(keras.ops.array([[7, 8, 9]]), training=True)
    >>> set(keras.ops.convert_to_numpy(dropped).ravel().tolist()) <= {1, 7, 8, 9}
    True
    """

    def __init__(
        self,
        rate: float,
        unknown_id: int,
        special_ids: Iterable[int] = (0,),
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be in [0, 1). Received: rate={rate}")
        self.rate = rate
        self.unknown_id = unknown_id
        self.special_ids = list(special_ids)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        drop = keras.random.uniform(keras.ops.shape(inputs), seed=self.seed_generator) < self.rate
        for special_id in self.special_ids:
            drop = keras.ops.logical_and(drop, keras.ops.not_equal(inputs, special_id))
        return keras.ops.where(drop, keras.ops.cast(self.unknown_id, inputs.dtype), inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            rate=self.rate,
            unknown_id=self.unknown_id,
            special_ids=self.special_ids,
            seed=self.seed,
        )
        return config
