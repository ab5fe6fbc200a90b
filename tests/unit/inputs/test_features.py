import json
from pathlib import Path

import numpy as np
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inputs import FeaturesInput
from emotion_keras.models.mean_vectors import MeanVectors

COLUMNS = ["name", "AU1", "AU2", "AU10", "vector", "mood [1]"]


def chosen(asked, columns=COLUMNS):
    return FeaturesInput.choose_columns(Path("faces.csv"), columns, asked)


@pytest.mark.parametrize(
    "value, cell",
    [
        ("[1, 2.5]", "[1.0, 2.5]"),
        ([1, 2.5], "[1.0, 2.5]"),
        (np.array([1, 2.5]), "[1.0, 2.5]"),
        (["1", "2.5"], "[1.0, 2.5]"),
        ("[[1, 2], [3, 4]]", "[[1.0, 2.0], [3.0, 4.0]]"),
        (7, "[7.0]"),
        ("", ""),
        (None, ""),
        (float("nan"), ""),
        ("[]", ""),
    ],
)
def test_a_value_is_read_as_numbers(value, cell):
    assert FeaturesInput.read(value) == cell
    assert FeaturesInput.flaw(cell) == ("" if cell else "empty")


@pytest.mark.parametrize(
    "value, message",
    [
        ("I was late", "no list of numbers.*'I was late'"),
        ("[1, [2]]", "no list of numbers"),
        ({"a": 1}, "no list of numbers"),
        ("[1, NaN]", "infinite or none"),
        ("[1, 1e999]", "infinite or none"),
        ("[[[1]]]", "lists within lists within lists"),
        ("[" * 100_000, "no list of numbers"),
    ],
)
def test_what_is_no_vector_is_refused(value, message):
    with pytest.raises(UserError, match=message):
        FeaturesInput.read(value)


def test_columns_are_named_or_match_a_pattern():
    assert chosen("AU2,AU1").names == ("AU2", "AU1")
    assert chosen("AU*").names == ("AU1", "AU2", "AU10")
    assert chosen("AU?,vector").names == ("AU1", "AU2", "vector")
    assert chosen("mood [1]").names == ("mood [1]",)
    assert chosen(None).names == ("vector",)
    with pytest.raises(UserError, match=r"has no column 'XY\*'.*Its columns: name, AU1"):
        chosen("AU1,XY*")
    with pytest.raises(UserError, match=r"has no column 'Vektor'. Did you mean vector\?"):
        chosen("Vektor")
    with pytest.raises(UserError, match="--feature-columns"):
        chosen(None, ["name", "AU1"])


def test_several_columns_are_one_vector_and_a_hole_leaves_none():
    read = chosen("AU*").read
    assert json.loads(read(["1", "2", "-0.5"])) == [1, 2, -0.5]
    assert read(["1", "", "3"]) == read([1, None, 3]) == ""
    assert json.loads(chosen("vector").read(["[[1], [2]]"])) == [[1], [2]]
    with pytest.raises(UserError, match="no list of numbers"):
        read(["1", "much", "3"])


def test_vectors_are_standardized_on_the_training_split():
    features = FeaturesInput.learn(["[1, 7, 0]", "[[3, 7, 4], [5, 7, 2]]"])
    numbers = np.array([[1, 7, 0], [3, 7, 4], [5, 7, 2]], float)
    expected = (numbers - numbers.mean(axis=0)) / [numbers[:, 0].std(), 1, numbers[:, 2].std()]
    found = features.encode(["[1, 7, 0]", "[[3, 7, 4], [5, 7, 2]]"])
    assert found.lengths.tolist() == [1, 2]
    np.testing.assert_allclose(found.values, expected, atol=1e-6)


def test_vectors_of_several_sizes_are_refused():
    with pytest.raises(UserError, match="Received: vectors of 2, 3 numbers"):
        FeaturesInput.learn(["[1, 2]", "[1, 2, 3]"])
    with pytest.raises(UserError, match="takes vectors of 2 numbers. Received: one of 3"):
        FeaturesInput.learn(["[1, 2]"]).encode(["[1, 2, 3]"])


def test_noise_is_as_large_as_its_level_says():
    rng = np.random.default_rng(0)
    numbers = np.linspace(-1, 1, 2000)
    cell = json.dumps(numbers.tolist())
    (jittered,) = json.loads(FeaturesInput.noises["jitter"](cell, 0.5, rng))
    assert np.std(jittered - numbers) == pytest.approx(0.5 * numbers.std(), rel=0.05)
    dropped = np.array(json.loads(FeaturesInput.noises["drop_numbers"](cell, 0.3, rng))[0])
    assert np.mean(dropped == 0) == pytest.approx(0.3, abs=0.03)
    np.testing.assert_array_equal(dropped[dropped != 0], numbers[dropped != 0])


def test_a_baseline_sees_the_mean_of_several_vectors():
    means = MeanVectors()
    found = means.fit_transform(["[[1, 2], [3, 5]]", "[4, -1]"])
    np.testing.assert_array_equal(found, [[2, 3.5], [4, -1]])
    with pytest.raises(UserError, match="takes vectors of 2 numbers. Received: one of 3"):
        means.transform(["[1, 2]", "[1, 2, 3]"])
