"""Calibration: by hand, and against probabilities whose temperature is known."""

import numpy as np
import pytest

from emotion_keras.targets.calibration import (
    expected_calibration_error,
    fit_temperature,
    reliability_curve,
)
from emotion_keras.targets.temperature import scale


def binary(confidences):
    """Probabilities of two labels, of which the first is predicted."""
    return np.column_stack([confidences, 1 - np.array(confidences)])


def test_one_bin():
    # Confidence 0.8, accuracy 3/4.
    assert expected_calibration_error([0, 0, 0, 1], binary([0.8] * 4)) == pytest.approx(0.05)


def test_bins_count_by_their_size():
    # Ten bins: [0.6, 0.7) holds 0.62 and 0.66, half right: gap 0.14; [0.9, 1] holds 0.95, right:
    # gap 0.05; [0.5, 0.6) holds 0.55, wrong: gap 0.55.
    error = expected_calibration_error([0, 1, 0, 1], binary([0.62, 0.66, 0.95, 0.55]), num_bins=10)
    assert error == pytest.approx((2 * 0.14 + 0.05 + 0.55) / 4)


def test_gaps_within_a_bin_cancel_and_between_bins_do_not():
    labels, confidences = [0, 1], [0.61, 0.69]
    assert expected_calibration_error(labels, binary(confidences), num_bins=10) == pytest.approx(
        0.15
    )
    assert expected_calibration_error(labels, binary(confidences), num_bins=100) == pytest.approx(
        (0.39 + 0.69) / 2
    )


def test_full_confidence_is_in_the_last_bin():
    assert expected_calibration_error([0, 0, 1], binary([1.0, 1.0, 1.0])) == pytest.approx(1 / 3)


def test_right_as_often_as_it_says():
    labels = [0] * 3 + [1]
    assert expected_calibration_error(labels, binary([0.75] * 4)) == pytest.approx(0, abs=1e-12)


def test_scale_by_hand():
    # Odds of 4 to 1 at temperature 2 are 2 to 1.
    np.testing.assert_allclose(scale([[0.8, 0.2]], 2.0), [[2 / 3, 1 / 3]])
    np.testing.assert_allclose(scale([[0.8, 0.2]], 1.0), [[0.8, 0.2]])


def test_the_temperature_of_a_model_that_is_too_sure_is_found():
    # Of texts that are 2 to 1 for the first label, two in three have it; the model says 4 to 1.
    label_ids = np.array([0, 0, 1] * 100)
    temperature = fit_temperature(label_ids, np.tile([0.8, 0.2], (300, 1)))
    assert temperature == pytest.approx(2, abs=1e-3)


def test_probabilities_of_zero_break_nothing():
    temperature = fit_temperature(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert 0.05 <= temperature <= 20


def test_reliability_curve_by_hand():
    # [0.6, 0.7) holds 0.62 and 0.66, half right; [0.9, 1] holds 0.95, right.
    found = reliability_curve([0.62, 0.66, 0.95], [True, False, True], num_bins=10)
    assert found["num_texts"] == [2, 1]
    np.testing.assert_allclose(found["confidence"], [0.64, 0.95])
    np.testing.assert_allclose(found["accuracy"], [0.5, 1.0])
