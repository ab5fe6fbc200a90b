"""The part of a functional model that turns the patches of images into vectors."""

import math

import keras
import keras_hub
from keras import KerasTensor

from emotion_keras.inputs.image import ImageOptions
from emotion_keras.layers import Augmentation

# Standardized pixels are nearly all within it.
_RANGE = (-5.0, 5.0)
# Of the moving statistics by which a trained model normalizes: a small corpus has few steps.
_MOMENTUM = 0.9


def embed_patches(
    patches: KerasTensor, options: ImageOptions, dtype: str = "float32"
) -> KerasTensor:
    """Vectors of patches, by a small residual network (He et al. 2016) and learned positions.

    Each of its stages halves the sides and has twice the features of the one before.

    Args:
        patches: Symbolic float32 tensor `(batch, length, patch_size ** 2 * channels)`, standardized
            pixels.
        options: `ImageOptions`.
        dtype: Name of the Keras dtype policy of the layers.

    Returns:
        Symbolic tensor `(batch, length, embedding_dim)`.
    """
    vectors = _augment(_put_together(patches, options), options)
    num_stages = int(math.log2(options.patch_size))
    for index in range(num_stages):
        dim = max(options.embedding_dim // 2 ** (num_stages - 1 - index), 1)
        name = f"stem_{index}"
        vectors = _convolve(vectors, dim, dtype, name, kernel_size=3 if index else 5, strides=2)
        if index:
            vectors = _vary(vectors, dtype, f"{name}_residual")
    vectors = keras.layers.Reshape((-1, options.embedding_dim), dtype=dtype, name="tokens")(vectors)
    positions = keras_hub.layers.PositionEmbedding(
        options.sequence_length, dtype=dtype, name="positions"
    )
    return keras.layers.Add(dtype=dtype, name="embeddings_add")([vectors, positions(vectors)])


def _put_together(patches, options):
    """The image `(batch, image_size, image_size, channels)` that patches are of."""
    side, size = options.patches_a_side, options.patch_size
    layers = (
        keras.layers.Reshape((side, side, size, size, options.channels), name="patches_in_rows"),
        keras.layers.Permute((1, 3, 2, 4, 5), name="rows_of_pixels"),
        keras.layers.Reshape(
            (options.image_size, options.image_size, options.channels), name="image"
        ),
    )
    for layer in layers:
        patches = layer(patches)
    return patches


def _augment(image, options):
    """What training changes in an image; black and what is beyond the edge are the mean."""
    filled = {"fill_mode": "constant", "fill_value": 0.0, "dtype": "float32"}
    layers = []
    if options.flip:
        layers.append(keras.layers.RandomFlip("horizontal", dtype="float32", name="flip"))
    if options.shift:
        shift = options.shift
        layers.append(keras.layers.RandomTranslation(shift, shift, **filled, name="shift"))
    if options.rotation:
        layers.append(
            keras.layers.RandomRotation(options.rotation / 360, **filled, name="rotation")
        )
    if options.contrast:
        layers.append(
            keras.layers.RandomContrast(
                options.contrast, value_range=_RANGE, dtype="float32", name="contrast"
            )
        )
    if options.erasing:
        layers.append(
            keras.layers.RandomErasing(
                options.erasing,
                fill_value=0.0,
                value_range=_RANGE,
                dtype="float32",
                name="erasing",
            )
        )
    return Augmentation(layers, name="augmentation")(image) if layers else image


def _convolve(vectors, dim, dtype, name, kernel_size=3, strides=1, activation="relu"):
    vectors = keras.layers.Conv2D(
        dim,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        dtype=dtype,
        name=f"{name}_convolution",
    )(vectors)
    vectors = keras.layers.BatchNormalization(
        momentum=_MOMENTUM, dtype=dtype, name=f"{name}_normalization"
    )(vectors)
    if activation is None:
        return vectors
    return keras.layers.Activation(activation, dtype=dtype, name=f"{name}_activation")(vectors)


def _vary(vectors, dtype, name):
    """Two convolutions, added to what goes in."""
    dim = vectors.shape[-1]
    added = _convolve(vectors, dim, dtype, f"{name}_0")
    added = _convolve(added, dim, dtype, f"{name}_1", activation=None)
    vectors = keras.layers.Add(dtype=dtype, name=f"{name}_add")([vectors, added])
    return keras.layers.Activation("relu", dtype=dtype, name=f"{name}_activation")(vectors)
