"""Vectors that were computed before, as the start of a model."""

import keras
import numpy as np

from emotion_keras.inputs.embedded import embedded_features


def test_features_are_the_models_vectors():
    embedded = embedded_features(3)
    assert sorted(embedded.inputs) == ["features", "padding_mask"]
    assert embedded.vectors.shape == (None, None, 3)
    model = keras.Model(embedded.inputs, [embedded.vectors, embedded.padding_mask])
    features = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], "int32")
    outputs = model.predict({"features": features, "padding_mask": mask}, verbose=0)
    np.testing.assert_array_equal(outputs[0], features)
    np.testing.assert_array_equal(outputs[1], mask)
