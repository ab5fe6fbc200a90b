"""The bias of distances: its buckets, and how it is saved."""

import keras
import numpy as np
import pytest

from emotion_keras.layers import RelativePositionBias

# Of MPNetEncoder.relative_position_bucket in the package transformers, 5.24.0, with 32 buckets and
# a maximum distance of 128: the first distance of each bucket from which on several share one.
FIRST = {8: 8, 12: 9, 16: 10, 23: 11, 32: 12, 46: 13, 64: 14, 91: 15}


def bucket(distance):
    size = abs(distance)
    shared = [number for first, number in FIRST.items() if size >= first]
    return (shared[-1] if shared else size) + (16 if distance > 0 else 0)


def test_distances_have_the_published_buckets():
    layer = RelativePositionBias(num_heads=2)
    layer.build((None, 300, 4))
    layer.set_weights([np.stack([np.arange(32), -np.arange(32)], axis=1)])
    found = keras.ops.convert_to_numpy(layer(keras.ops.zeros((1, 300, 4))))
    expected = [[bucket(key - query) for key in range(300)] for query in range(300)]
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1], -found[0])


def test_it_is_part_of_a_model_of_any_length_and_is_saved(tmp_path):
    inputs = keras.Input((None, 4))
    bias = RelativePositionBias(3, num_buckets=8, max_distance=20, name="bias")(inputs)
    assert tuple(bias.shape) == (3, None, None)
    model = keras.Model(inputs, bias)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for length in (1, 5, 40):
        vectors = keras.ops.zeros((2, length, 4))
        found = keras.ops.convert_to_numpy(again(vectors))
        assert found.shape == (3, length, length)
        np.testing.assert_array_equal(found, keras.ops.convert_to_numpy(model(vectors)))
    assert again.get_layer("bias").get_config()["max_distance"] == 20


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_buckets": 6}, "multiple of 4. Received: num_buckets=6"),
        ({"max_distance": 8}, "more than a quarter.*Received: max_distance=8"),
    ],
)
def test_wrong_sizes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RelativePositionBias(num_heads=2, **options)
