"""How the tokens of several modalities are brought together, against NumPy."""

import keras
import numpy as np
import pytest

from emotion_keras.layers import Fusion

RNG = np.random.default_rng(0)
VECTORS = [RNG.normal(size=(4, 5, 3)).astype("float32"), RNG.normal(size=(4, 2, 6)).astype("f4")]
# Of the four examples the second lacks the second modality, the third the first, the last both.
MASKS = [
    np.array([[1, 1, 1, 0, 0], [1] * 5, [0] * 5, [0] * 5], "int32"),
    np.array([[1, 0], [0, 0], [1, 1], [0, 0]], "int32"),
]


def fuse(layer, training=False):
    found = layer(VECTORS, MASKS, training=training)
    return [keras.ops.convert_to_numpy(one) for one in found]


def test_each_modality_counts_alike_whatever_its_tokens():
    _, mask, weights = fuse(Fusion(4))
    np.testing.assert_array_equal(mask, np.concatenate(MASKS, axis=1))
    expected = [
        [1 / 6, 1 / 6, 1 / 6, 0, 0, 1 / 2, 0],
        [1 / 5] * 5 + [0, 0],
        [0] * 5 + [1 / 2, 1 / 2],
        [0] * 7,
    ]
    np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_vectors_are_projected_and_normalized_by_layers_of_their_own():
    layer = Fusion(4)
    vectors, _, _ = fuse(layer)
    expected = []
    for i, values in enumerate(VECTORS):
        kernel, bias = layer.projections[i].get_weights()
        # Not what they are at first, so that each has its effect.
        gamma, beta = RNG.normal(size=(2, 4)).astype("float32")
        layer.norms[i].set_weights([gamma, beta])
        projected = values @ kernel + bias
        centred = projected - projected.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + layer.norms[i].epsilon)
        expected.append(centred / scale * gamma + beta)
    assert np.abs(fuse(layer)[0] - vectors).max() > 0.1
    np.testing.assert_allclose(fuse(layer)[0], np.concatenate(expected, axis=1), atol=1e-5)


def test_an_example_without_anything_is_no_nan():
    assert all(np.isfinite(found).all() for found in fuse(Fusion(4)))


def test_modalities_are_left_out_in_training_and_at_least_one_stays():
    layer = Fusion(4, dropout=0.4, seed=0)
    masks = [np.ones((2000, 3), "int32"), np.ones((2000, 1), "int32")]
    vectors = [np.ones((2000, 3, 2), "float32"), np.ones((2000, 1, 2), "float32")]
    _, mask, weights = layer(vectors, masks, training=True)
    mask, weights = (keras.ops.convert_to_numpy(one) for one in (mask, weights))
    first, second = mask[:, 0], mask[:, 3]
    assert (mask[:, :3] == first[:, None]).all() and (first + second >= 1).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(weights[first + second == 2][0], [1 / 6, 1 / 6, 1 / 6, 1 / 2])
    # Each is lost alone in 0.4 * 0.6 of the examples, up to four standard deviations.
    for alone in (first > second, second > first):
        assert abs(alone.mean() - 0.24) < 4 * np.sqrt(0.24 * 0.76 / 2000)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(layer(vectors, masks)[1]), np.ones((2000, 4))
    )


def test_what_is_lacking_is_not_left_out_a_second_time():
    _, mask, _ = fuse(Fusion(4, dropout=0.9, seed=0), training=True)
    np.testing.assert_array_equal(mask[1], [1] * 5 + [0, 0])
    np.testing.assert_array_equal(mask[2], [0] * 5 + [1, 1])


def test_shapes_are_known_before_there_are_lengths():
    vectors = [keras.KerasTensor((None, None, 3)), keras.KerasTensor((None, 2, 6))]
    masks = [keras.KerasTensor((None, None), "int32"), keras.KerasTensor((None, 2), "int32")]
    found = Fusion(4)(vectors, masks)
    assert [(one.shape, one.dtype) for one in found] == [
        ((None, None, 4), "float32"),
        ((None, None), "int32"),
        ((None, None), "float32"),
    ]
    assert Fusion(4)(vectors[1:] * 2, masks[1:] * 2)[0].shape == (None, 4, 4)


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_dropout_is_checked(dropout):
    with pytest.raises(ValueError, match=rf"Received: dropout={dropout}"):
        Fusion(4, dropout)


def test_a_saved_model_is_the_same(tmp_path):
    inputs = [keras.Input(v.shape[1:]) for v in VECTORS], [keras.Input(m.shape[1:]) for m in MASKS]
    model = keras.Model(inputs, list(Fusion(4, dropout=0.3, seed=1, name="fusion")(*inputs)))
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    assert restored.get_layer("fusion").get_config() == model.get_layer("fusion").get_config()
    for found, expected in zip(restored([VECTORS, MASKS]), model([VECTORS, MASKS]), strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (found, expected)))
