"""Which tokens are replaced, how many, and when."""

import keras
import numpy as np
import pytest

from emotion_keras.layers import TokenDropout

TOKEN_IDS = np.random.default_rng(0).integers(0, 50, (200, 100)).astype("int32")


def drop(layer, token_ids=TOKEN_IDS, training=True):
    return keras.ops.convert_to_numpy(layer(token_ids, training=training))


def test_nothing_is_replaced_in_use():
    layer = TokenDropout(0.5, unknown_id=1)
    np.testing.assert_array_equal(drop(layer, training=False), TOKEN_IDS)


def test_nothing_is_replaced_at_rate_zero():
    np.testing.assert_array_equal(drop(TokenDropout(0.0, unknown_id=1)), TOKEN_IDS)


def test_the_given_share_is_replaced_and_special_tokens_stay():
    dropped = drop(TokenDropout(0.3, unknown_id=99, special_ids=[0, 2, 3], seed=0))
    special = np.isin(TOKEN_IDS, [0, 2, 3])
    np.testing.assert_array_equal(dropped[special], TOKEN_IDS[special])
    changed = dropped[~special] != TOKEN_IDS[~special]
    assert set(dropped[~special][changed]) == {99}
    # Four standard deviations of the share of 0.3 among about 18,800 tokens.
    assert abs(changed.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / changed.size)


def test_each_call_drops_others_and_a_seed_repeats_them():
    layer, same = (TokenDropout(0.3, unknown_id=99, seed=5) for _ in range(2))
    first, second = drop(layer), drop(layer)
    assert (first != second).any()
    np.testing.assert_array_equal(drop(same), first)


def test_dtype_and_shape_stay():
    layer = TokenDropout(0.3, unknown_id=1)
    assert drop(layer).dtype == np.int32
    symbolic = layer(keras.KerasTensor((None, None), dtype="int32"))
    assert (symbolic.shape, symbolic.dtype) == ((None, None), "int32")


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_rate_is_checked(rate):
    with pytest.raises(ValueError, match=rf"Received: rate={rate}"):
        TokenDropout(rate, unknown_id=1)


def test_config_makes_the_same_layer():
    layer = TokenDropout(0.3, unknown_id=9, special_ids=(0, 2), seed=5, name="mine")
    restored = keras.layers.deserialize(keras.layers.serialize(layer))
    assert isinstance(restored, TokenDropout)
    assert restored.get_config() == layer.get_config()
    np.testing.assert_array_equal(drop(restored), drop(layer))


def test_save_and_load_in_a_model(tmp_path):
    token_ids = keras.Input((None,), dtype="int32")
    dropped = TokenDropout(0.3, unknown_id=1, seed=5)(token_ids)
    model = keras.Model(token_ids, keras.layers.Embedding(50, 4)(dropped))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    few = TOKEN_IDS[:3, :7]
    np.testing.assert_array_equal(loaded.predict(few, verbose=0), model.predict(few, verbose=0))
