"""The part of a functional model that turns vectors of numbers into vectors of one width."""

import keras
import keras_hub

from emotion_keras.inputs.features import FeaturesOptions


def embed_vectors(
    vectors: keras.KerasTensor, options: FeaturesOptions, dtype: str = "float32"
) -> keras.KerasTensor:
    """A dense layer with positions, after noise and dropout in training.

    Args:
        vectors: Symbolic float32 tensor `(batch, length, num_features)`, standardized.
        options: `FeaturesOptions`.
        dtype: Name of the Keras dtype policy of the layers.

    Returns:
        Symbolic tensor `(batch, length, embedding_dim)`.
    """
    vectors = keras.layers.GaussianNoise(options.feature_noise, dtype=dtype, name="noise")(vectors)
    drop = keras.layers.Dropout(options.feature_dropout, dtype=dtype, name="feature_dropout")
    project = keras.layers.Dense(options.embedding_dim, dtype=dtype, name="projection")
    positions = keras_hub.layers.PositionEmbedding(
        options.sequence_length, dtype=dtype, name="positions"
    )
    vectors = project(drop(vectors))
    vectors = keras.layers.Add(dtype=dtype, name="embeddings_add")([vectors, positions(vectors)])
    vectors = keras.layers.LayerNormalization(dtype=dtype, name="normalization")(vectors)
    return keras.layers.Activation("silu", dtype=dtype, name="activation")(vectors)
