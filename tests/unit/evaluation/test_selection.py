"""Which words stand for those that a gate keeps, and what reading them alone is worth."""

import numpy as np
import pandas as pd
import pytest

from emotion_keras.evaluation.selection import COLUMNS, Selection, choose_words, selection_path
from emotion_keras.evaluation.significance import mean_interval


def test_as_many_words_are_chosen_as_the_gate_keeps():
    words = [
        {"word": "I", "gate": 0.0, "contribution": 0.1},
        {"word": "hid", "gate": 1.0, "contribution": 0.5},
        {"word": ",", "gate": 1.0, "contribution": None},
        {"word": "he", "gate": 0.5, "contribution": -0.2},
        {"word": "laughed", "gate": 0.0, "contribution": 0.9},
    ]
    number, chosen = choose_words(words)
    assert number == 4
    assert chosen["kept"] == [1, 3]
    assert chosen["contribution"] == [1, 4]
    # Chances follow from the text, and a mark is no word.
    assert len(chosen["random"]) == 2 and 2 not in chosen["random"]
    assert choose_words(words)[1] == chosen
    assert choose_words(words[2:3]) == (0, {"kept": [], "random": [], "contribution": []})


def frames():
    """Those of two seeds and six texts, in another order each."""
    generator = np.random.default_rng(0)
    for seed in range(2):
        values = {name: generator.integers(0, 2, 6).astype(float) for name in COLUMNS}
        frame = pd.DataFrame({**values, "id": list("abcdef"), "words": 5.0, "kept": seed + 1.0})
        yield frame.sample(frac=1, random_state=seed)


def test_accuracies_and_differences_are_means_over_texts_and_seeds():
    both = [frame.sort_values("id") for frame in frames()]
    selection = Selection(list(frames()), {})
    assert selection.share == pytest.approx(3 / 10)
    for reader in ("own", "plain"):
        kept, other = (
            np.stack([frame[f"{reader}:{name}"] for frame in both]) for name in ("kept", "random")
        )
        mean, low, high = selection.accuracy(reader, "kept")
        assert mean == pytest.approx(kept.mean()) and low < mean < high
        found = selection.difference(reader, "random")
        assert found.difference == pytest.approx((kept - other).mean())


def test_the_interval_of_one_seed_is_that_over_subjects():
    (frame, _) = (frame.sort_values("id") for frame in frames())
    alone = Selection([frame], {})
    gains = (frame["own:kept"] - frame["own:contribution"]).to_numpy()
    found = alone.difference("own", "contribution")
    assert (found.difference, found.low, found.high) == pytest.approx(mean_interval(gains))
    # Texts of one subject count together: three subjects of two texts each.
    subjects = dict(zip("abcdef", "xxyyzz", strict=True))
    found = Selection([frame], subjects).difference("own", "contribution")
    means = gains.reshape(3, 2).mean(axis=1)
    assert (found.difference, found.low, found.high) == pytest.approx(mean_interval(means))


def test_a_compressed_file_is_found(tmp_path):
    assert selection_path(tmp_path).name == "selection.csv.gz"
    (tmp_path / "selection.csv").touch()
    assert selection_path(tmp_path).name == "selection.csv"
