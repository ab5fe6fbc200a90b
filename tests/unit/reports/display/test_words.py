import numpy as np
import pytest

from reports.display.words import percent, value_in_words


@pytest.mark.parametrize(
    "value, signed, text",
    [(0.7041, False, "70.4"), (-0.008, True, "−0.8"), (0.008, True, "+0.8"), (np.nan, False, "–")],
)
def test_fractions_are_shown_in_per_cent(value, signed, text):
    assert percent(value, signed) == text


@pytest.mark.parametrize(
    "value, text",
    [(5e-5, "5e-5"), (2.5e-4, "2.5e-4"), (0.001, "1e-3"), (0.05, "0.05"), (1.0, "1"), (0.0, "0")],
)
def test_values_are_short(value, text):
    assert value_in_words(value) == text
