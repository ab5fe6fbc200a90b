"""Texts that are unlike those of a training split."""

import json
import math

import numpy as np
import pytest

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.inference.familiarity import Familiarity
from emotion_keras.inputs import FeaturesInput, TextInput

TRAIN = ["We laughed.", "We hid.", "we hid again", "Anna laughed."]


@pytest.fixture
def learned():
    return Familiarity.learn(TextInput, TRAIN, ["We laughed.", "She hid."] * 50)


def test_strangeness_is_the_mean_rarity_of_words_and_five_average_ones(learned):
    # Of 11 words «again» and «anna», which stand there once, are unknown; marks are words.
    assert learned.counts == {"we": 3, "laughed": 2, "hid": 2, ".": 3}
    # 10 words, and each and one unknown once more.
    total = 10 + 4 + 1
    we, laughed, mark, unknown = (math.log(total / n) for n in (4, 3, 4, 1))
    average = (3 * we + 4 * laughed + 3 * mark + 2 * unknown) / 12
    assert learned.average == pytest.approx(average)
    expected = (we + laughed + mark + 5 * average) / 8
    assert learned.strangeness("We LAUGHED.") == pytest.approx(expected)
    assert learned.strangeness("zebra") == pytest.approx((unknown + 5 * average) / 6)


def test_the_limit_is_the_99th_percentile_of_the_validation_split():
    val = [f"we {'hid ' * i}{'zebra ' * (300 - i)}" for i in range(300)]
    familiarity = Familiarity.learn(TextInput, TRAIN, val)
    found = [familiarity.is_unfamiliar(text) for text in val]
    # Of 300 the three strangest are beyond it.
    assert np.flatnonzero(found).tolist() == [0, 1, 2]


def test_unknown_words_are_unfamiliar_and_known_ones_are_not(learned):
    assert not learned.is_unfamiliar("we laughed")
    assert learned.is_unfamiliar("import numpy as np")


def test_a_small_validation_split_gives_no_limit():
    assert Familiarity.learn(TextInput, TRAIN, ["We laughed."] * 99) is None


def test_what_has_no_words_has_no_familiarity():
    assert Familiarity.learn(FeaturesInput, [np.zeros(3)], [np.zeros(3)] * 100) is None


def test_it_is_saved_and_loaded(learned, tmp_path):
    assert Familiarity.load(tmp_path, TextInput, "Train again.") is None
    learned.save(tmp_path)
    loaded = Familiarity.load(tmp_path, TextInput, "Train again.")
    for text in ("we laughed", "import numpy as np"):
        assert loaded.strangeness(text) == learned.strangeness(text)
    assert loaded.limit == learned.limit


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"average": 1}', '{"average": 1, "limit": 2, "counts": {"we": "often"}}'],
)
def test_a_damaged_file_is_told(content, tmp_path):
    (tmp_path / record.FAMILIAR).write_text(content)
    with pytest.raises(UserError, match=r"familiar_words\.json is damaged.* Train again\."):
        Familiarity.load(tmp_path, TextInput, "Train again.")


def test_the_file_holds_no_word_that_stands_in_the_split_once(learned, tmp_path):
    learned.save(tmp_path)
    assert "anna" not in json.loads((tmp_path / record.FAMILIAR).read_text())["counts"]
