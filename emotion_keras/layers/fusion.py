"""Brings the tokens of several modalities together."""

from collections.abc import Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable(package="emotion_keras")
class Fusion(keras.layers.Layer):
    """Brings the vectors of several modalities to one width, and puts them one behind another.

    The vectors of a modality are projected and normalized by layers of its own, whose constant is
    the vector that says which modality a token is of.

    In an average each modality counts alike, however many tokens it has: a token of one of `m`
    modalities of which an example has something, with `n` tokens of it, has the weight `1 / (m n)`.
    Otherwise 40 tokens of sound would drown one of a face.

    Args:
        dim: Integer, the common width.
        dropout: Float in `[0, 1)`, the chance of a modality of an example to be left out while
            training, so that the model learns to do without it. At least one stays.
        seed: Integer or `keras.random.SeedGenerator`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        vectors: List of tensors of shape `(batch, length, width)`, one a modality.
        masks: List of integer tensors of shape `(batch, length)`, 1 for what is real. A modality
            that an example lacks has no 1.
        training: Boolean, whether to leave out modalities.

    Returns:
        Tuple of the vectors, `(batch, total_length, dim)`; their mask, `(batch, total_length)` of
        int32; and the weights of tokens in an average, `(batch, total_length)` of float32, which
        add up to 1.

    Example:

    >>> ones = keras.ops.ones
    >>> masks = [ones((1, 3), "int32"), ones((1, 1), "int32")]
    >>> vectors, mask, weights = Fusion(dim=4)([ones((1, 3, 8)), ones((1, 1, 2))], masks)
    >>> tuple(vectors.shape), [round(float(w), 3) for w in weights[0]]
    ((1, 4, 4), [0.167, 0.167, 0.167, 0.5])
    """

    def __init__(self, dim: int, dropout: float = 0.0, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout}")
        self.dim = dim
        self.dropout = dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.projections: list[keras.layers.Layer] = []
        self.norms: list[keras.layers.Layer] = []

    def build(self, vectors_shape: Sequence[tuple], masks_shape: Sequence[tuple]) -> None:
        for index, shape in enumerate(vectors_shape):
            options = {"dtype": self.dtype_policy}
            project = keras.layers.Dense(self.dim, name=f"projection_{index}", **options)
            project.build(shape)
            norm = keras.layers.LayerNormalization(name=f"norm_{index}", **options)
            norm.build((*shape[:-1], self.dim))
            self.projections.append(project)
            self.norms.append(norm)

    def call(
        self, vectors: Sequence[Any], masks: Sequence[Any], training: bool = False
    ) -> tuple[Any, Any, Any]:
        ops = keras.ops
        # Columns, one a modality.
        counts = ops.stack([ops.sum(ops.cast(mask, "float32"), axis=1) for mask in masks], axis=1)
        is_there = ops.cast(counts > 0, "float32")
        if training and self.dropout:
            is_there = self._leave_out(is_there)
        number = ops.maximum(ops.sum(is_there, axis=1, keepdims=True), 1.0)
        of_token = is_there / number / ops.maximum(counts, 1.0)
        parts, kept, weights = [], [], []
        for i, (values, mask) in enumerate(zip(vectors, masks, strict=True)):
            parts.append(self.norms[i](self.projections[i](values)))
            kept.append(ops.cast(mask, "int32") * ops.cast(is_there[:, i : i + 1], "int32"))
            weights.append(ops.cast(mask, "float32") * of_token[:, i : i + 1])
        return tuple(ops.concatenate(found, axis=1) for found in (parts, kept, weights))

    def _leave_out(self, is_there):
        """Which modalities stay: of an example that would lose all of them, all."""
        ops = keras.ops
        chance = keras.random.uniform(ops.shape(is_there), seed=self.seed_generator)
        stays = is_there * ops.cast(chance >= self.dropout, "float32")
        is_empty = ops.sum(stays, axis=1, keepdims=True) == 0
        return ops.where(is_empty, is_there, stays)

    def compute_output_spec(
        self, vectors: Sequence[Any], masks: Sequence[Any], training: bool = False
    ) -> tuple[Any, Any, Any]:
        lengths = [values.shape[1] for values in vectors]
        shape = (vectors[0].shape[0], None if None in lengths else sum(lengths))
        return (
            keras.KerasTensor((*shape, self.dim), self.compute_dtype),
            keras.KerasTensor(shape, "int32"),
            keras.KerasTensor(shape, "float32"),
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dim": self.dim, "dropout": self.dropout, "seed": self.seed}
