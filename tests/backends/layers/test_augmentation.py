import keras
import numpy as np
import pytest

from emotion_keras.layers import Augmentation

IMAGES = np.random.default_rng(0).normal(size=(6, 16, 16, 1)).astype("float32")


@pytest.fixture
def augment():
    layers = [
        keras.layers.RandomFlip("horizontal", seed=1),
        keras.layers.RandomTranslation(0.2, 0.2, fill_mode="constant", seed=2),
    ]
    return Augmentation(layers, name="augmentation")


def test_nothing_is_changed_but_in_training(augment):
    for options in ({}, {"training": False}):
        found = keras.ops.convert_to_numpy(augment(IMAGES, **options))
        np.testing.assert_array_equal(found, IMAGES)
    changed = keras.ops.convert_to_numpy(augment(IMAGES, training=True))
    assert changed.shape == IMAGES.shape and (changed != IMAGES).any(axis=(1, 2, 3)).all()


def test_a_model_with_it_is_saved_loaded_and_predicts_what_goes_in(augment, tmp_path):
    inputs = keras.Input((16, 16, 1))
    model = keras.Model(inputs, augment(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict(IMAGES, verbose=0), IMAGES)
    assert [type(one).__name__ for one in loaded.get_layer("augmentation").layers] == [
        "RandomFlip",
        "RandomTranslation",
    ]
    states = [v for v in loaded.non_trainable_variables if v.name == "seed_generator_state"]
    assert len(states) == 2  # By which a training that continues draws the same.
