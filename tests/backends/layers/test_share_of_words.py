"""Which tokens are words, and the loss that holds gates to a mean."""

import keras
import numpy as np
import pytest

from emotion_keras.layers.share_of_words import find_words, penalty

MASK = [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("special", "expected"),
    [
        ((0, 0), MASK),
        ((1, 1), [[0, 1, 1, 0, 0], [0] * 5, [0] * 5, [0] * 5]),
        ((1, 0), [[0, 1, 1, 1, 0], [0, 1, 0, 0, 0], [0] * 5, [0] * 5]),
    ],
)
def test_special_tokens_and_padding_are_no_words(special, expected):
    found = find_words(np.array(MASK), special)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), expected)


def test_the_penalty_is_the_distance_of_the_mean():
    opened = np.array([[0.9, 0.5, 0.1], [0.3, 0.9, 0.9]], "float32")
    words = np.array([[0, 1, 1], [1, 0, 0]], "float32")
    # The mean of 0.5, 0.1 and 0.3 is 0.3.
    for keep, expected in ((0.1, 0.4), (0.5, 0.4), (0.3, 0.0)):
        assert float(penalty(opened, words, keep, 2.0)) == pytest.approx(expected, abs=1e-6)
    assert float(penalty(opened, 0 * words, 0.25, 1.0)) == 0.25
