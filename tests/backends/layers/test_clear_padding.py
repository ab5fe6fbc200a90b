import keras
import numpy as np
import pytest

from emotion_keras.layers import ClearPadding


@pytest.mark.parametrize("per_token", [1, 2, 3])
def test_vectors_of_padding_become_zero_and_others_stay(per_token):
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]], "int32")
    vectors = np.random.default_rng(0).normal(size=(3, 4 * per_token, 5)).astype("float32")
    expected = vectors.reshape(3, 4, per_token * 5) * mask[:, :, None]
    found = ClearPadding(per_token)(vectors, padding_mask=mask)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(found), expected.reshape(vectors.shape)
    )


def test_it_is_part_of_a_saved_model(tmp_path):
    vectors, mask = keras.Input((None, 2)), keras.Input((None,), dtype="int32")
    cleared = ClearPadding(2, name="cleared")(vectors, padding_mask=mask)
    keras.Model([vectors, mask], cleared).save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.get_layer("cleared").per_token == 2
    given = [np.ones((1, 6, 2), "float32"), np.array([[1, 1, 0]], "int32")]
    assert loaded.predict(given, verbose=0).sum() == 8


def test_a_token_stands_for_a_vector_or_more():
    with pytest.raises(ValueError, match="per_token=0"):
        ClearPadding(0)
