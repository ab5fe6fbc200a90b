"""Noise: how much of a text it touches, and that it follows from seed and text alone."""

import string

import numpy as np
import pytest

from emotion_keras.data import load_corpus
from emotion_keras.data.noise import TrainingNoise, perturb, perturb_labels
from emotion_keras.errors import UserError
from emotion_keras.inputs.text_noise import KINDS, UNKNOWN
from emotion_keras.targets import MultiLabel

WORDS = ["Angrily,", "the", "NEIGHBOURHOOD", "was", "disgusting!", "extraordinarily", "Sad;", "a"]
# Long enough for shares to be near what is expected of them.
LONG = " ".join(np.random.default_rng(0).choice(WORDS, 20_000))

KEYS_AROUND = {"q": "wa", "g": "ftyhbv", "p": "ol", "m": "njk", "z": "asx", "l": "opk"}


def distance(kind, before, after):
    """Share of a long text that is not as it was."""
    if kind in ("delete_characters", "insert_characters"):
        letters = len(before.replace(" ", ""))
        return abs(len(after.replace(" ", "")) - letters) / letters
    if kind == "delete_words":
        return 1 - len(after.split()) / len(before.split())
    if kind == "typos":
        pairs = [pair for pair in zip(before, after, strict=True) if pair[0].isalpha()]
    elif kind == "mask_emotion_words":
        emotion = ("Angrily,", "disgusting!", "Sad;")
        pairs = [p for p in zip(before.split(), after.split(), strict=True) if p[0] in emotion]
    elif kind == "lose_punctuation":
        marks = [sum(c in string.punctuation for c in text) for text in (before, after)]
        return 1 - marks[1] / marks[0]
    elif kind == "lose_case":
        pairs = [p for p in zip(before.split(), after.split(), strict=True) if not p[0].islower()]
    else:
        pairs = list(zip(before.split(), after.split(), strict=True))
    return np.mean([a != b for a, b in pairs])


@pytest.mark.parametrize("level", [0.05, 0.3])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("swap")])
def test_a_level_is_the_share_that_is_touched(kind, level):
    (after,) = perturb([LONG], kind, level)
    assert distance(kind, LONG, after) == pytest.approx(level, abs=0.012)


@pytest.mark.parametrize("level", [0.05, 0.3, 0.8])
def test_a_level_is_the_share_that_is_swapped(level):
    # Each part differs from any other, so that whatever moved is seen to have moved.
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000)))
    (after,) = perturb([letters], "swap_characters", level)
    assert sorted(after) == sorted(letters)
    moved = np.array([a != b for a, b in zip(letters, after, strict=True)])
    assert moved.mean() == pytest.approx(level, abs=0.012)
    words = " ".join(map(str, range(20_000)))
    (after,) = perturb([words], "swap_words", level)
    after = np.array(after.split(), int)
    np.testing.assert_array_equal(np.sort(after), np.arange(20_000))
    assert (after != np.arange(20_000)).mean() == pytest.approx(level, abs=0.012)
    assert np.abs(after - np.arange(20_000)).max() == 1


def test_characters_are_not_swapped_across_words():
    (after,) = perturb([LONG], "swap_characters", 1.0)
    assert [sorted(word) for word in after.split()] == [sorted(word) for word in LONG.split()]


@pytest.mark.parametrize("kind", KINDS)
def test_noise_follows_from_seed_and_text_alone(kind):
    texts = [LONG, "Sad; I WAS late, and we hid.", "Glad! It WAS dark, so they sang."]
    after = perturb(texts, kind, 0.5)
    assert after == perturb(texts, kind, 0.5)
    assert after[::-1] == perturb(texts[::-1], kind, 0.5)
    assert after[1:] == perturb(texts[1:], kind, 0.5)
    assert after[0] != perturb(texts, kind, 0.5, seed=1)[0]
    assert after[0] != texts[0]
    assert perturb(texts, kind, 0) == texts
    assert perturb([""], kind, 1.0) == [""]


def test_a_text_has_the_noise_that_published_runs_were_tested_with():
    assert perturb(["I was late, and we hid."], "typos", 0.3) == ["I aax pzte, and sr hid."]


@pytest.mark.parametrize("kind", ["typos", "mask_words", "mask_emotion_words", "lose_case"])
def test_a_higher_level_touches_more_of_the_same(kind):
    few, many = (perturb([LONG], kind, level)[0].split() for level in (0.1, 0.3))
    before = LONG.split()
    for i in range(len(before)):
        if few[i] != before[i]:
            assert many[i] != before[i]


def test_a_typo_is_a_key_beside():
    for key, around in KEYS_AROUND.items():
        (after,) = perturb([key * 500], "typos", 1.0)
        assert set(after) == set(around)
        (after,) = perturb([key.upper() * 500], "typos", 1.0)
        assert set(after) == set(around.upper())
    assert perturb(["42 é!"], "typos", 1.0) == ["42 é!"]


@pytest.mark.parametrize(
    ("kind", "text", "after"),
    [
        ("mask_words", "I was late", f"{UNKNOWN} {UNKNOWN} {UNKNOWN}"),
        ("mask_emotion_words", "I was SO angry, (sad)", f"I was SO {UNKNOWN} {UNKNOWN}"),
        ("mask_emotion_words", "Made a saddle, raged", f"Made a saddle, {UNKNOWN}"),
        ("lose_case", "I WAS late", "i was late"),
        ("lose_punctuation", "Oh, no: it's me!", "Oh no its me"),
        ("swap_words", "one two three four", "two one four three"),
        ("swap_characters", "abcd ef g", "badc fe g"),
    ],
)
def test_the_highest_level_touches_all(kind, text, after):
    assert perturb([text], kind, 1.0) == [after]


def test_something_of_a_text_stays():
    for kind, count in (("delete_words", 1), ("delete_characters", 1)):
        for text in ("we hid there", "no", "a"):
            (after,) = perturb([text], kind, 1.0)
            parts = after.split() if kind == "delete_words" else after.strip()
            assert len(parts) == count
            assert parts[0] in text


def test_the_built_in_corpus_seldom_names_an_emotion():
    texts = load_corpus(data="situations", notify=lambda message: None).examples["text"]
    masked = sum(UNKNOWN in text for text in perturb(texts, "mask_emotion_words", 1.0))
    assert 0 < masked < len(texts) / 3


def test_labels_become_others():
    label_ids = np.random.default_rng(0).integers(0, 5, 20_000)
    truth = np.eye(5, dtype="float32")[label_ids]
    rows = perturb_labels(truth, 0.3)
    assert rows.dtype == truth.dtype and (rows.sum(axis=1) == 1).all()
    noisy = rows.argmax(axis=1)
    assert (noisy != label_ids).mean() == pytest.approx(0.3, abs=0.012)
    shift = (noisy - label_ids)[noisy != label_ids] % 5
    np.testing.assert_allclose(np.bincount(shift, minlength=5)[1:] / len(shift), 0.25, atol=0.02)
    np.testing.assert_array_equal(perturb_labels(truth, 0), truth)
    assert (perturb_labels(truth, 1) != truth).any(axis=1).all()
    np.testing.assert_array_equal(rows, perturb_labels(truth, 0.3))
    assert (rows != perturb_labels(truth, 0.3, seed=1)).any()


def test_shares_of_several_labels_are_moved_to_others_together():
    truth = np.array([[0.75, 0.25, 0.0]] * 50, "float32")
    moved = {tuple(row) for row in perturb_labels(truth, 1.0).tolist()}
    assert moved == {(0.0, 0.75, 0.25), (0.25, 0.0, 0.75)}


def test_of_several_labels_one_is_flipped():
    truth = (np.random.default_rng(0).random((20_000, 4)) < [0.05, 0.2, 0.5, 0.9]).astype("float32")
    noisy = TrainingNoise(0, noise="labels:0.3", target=MultiLabel).perturb_labels(truth)
    assert noisy.dtype == truth.dtype and set(noisy.ravel().tolist()) == {0, 1}
    flipped = noisy != truth
    assert set(flipped.sum(axis=1).tolist()) == {0, 1}
    assert flipped.any(axis=1).mean() == pytest.approx(0.3, abs=0.012)
    # Each label with the same chance, whether it holds or not.
    np.testing.assert_allclose(flipped.sum(axis=0) / flipped.sum(), 0.25, atol=0.02)
    assert flipped[truth[:, 0] > 0, 0].mean() == pytest.approx(0.3 / 4, abs=0.03)
    assert (perturb_labels(truth, 1, several=True) != truth).any(axis=1).all()
    np.testing.assert_array_equal(perturb_labels(truth, 0, several=True), truth)
    np.testing.assert_array_equal(noisy, perturb_labels(truth, 0.3, several=True))
    assert (noisy != perturb_labels(truth, 0.3, seed=1, several=True)).any()


def test_noise_for_training_is_another_in_each_epoch():
    noise = TrainingNoise(3, noise="lose_case:1, typos:0.1,labels:0.5")
    assert noise.touches_cells
    first, second = (noise.perturb([LONG], epoch)[0] for epoch in (0, 1))
    assert first == noise.perturb([LONG], 0)[0] != second
    assert first.islower()
    assert np.mean([a != b for a, b in zip(first, LONG.lower(), strict=True) if b.isalpha()]) < 0.12
    # Nor is it the noise that a model is tested with.
    assert all(text != perturb([LONG.lower()], "typos", 0.1, seed=3)[0] for text in (first, second))
    truth = np.eye(5)[np.arange(100) % 5]
    np.testing.assert_array_equal(noise.perturb_labels(truth), perturb_labels(truth, 0.5, seed=3))


def test_without_noise_for_training_all_stays():
    for noise in (TrainingNoise(0), TrainingNoise(0, noise="labels:0")):
        assert not noise.touches_cells
        assert noise.perturb([LONG], 0) == [LONG]
        np.testing.assert_array_equal(noise.perturb_labels(np.eye(9)), np.eye(9))


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ("static:0.1", "Unknown kind of noise. Accepted: typos.*labels. Received: 'static'"),
        ("typos", "as in typos:0.05. Received: 'typos'"),
        ("typos:much", "as in typos:0.05. Received: 'typos:much'"),
        ("typos:0.1,labels:2", "from 0 to 1. Received: 2.0"),
        ("typos:0.1,typos:0.2", "has one level. Received: noise='typos:0.1,typos:0.2'"),
        ("", "Unknown kind of noise"),
    ],
)
def test_wrong_noise_for_training_is_told(noise, message):
    with pytest.raises(UserError, match=message):
        TrainingNoise(0, noise=noise)


@pytest.mark.parametrize("level", [-0.1, 1.1, float("nan")])
def test_a_wrong_level_is_told(level):
    with pytest.raises(UserError, match="from 0 to 1"):
        perturb(["we hid"], "typos", level)
    with pytest.raises(UserError, match="from 0 to 1"):
        perturb_labels(np.eye(3), level)


def test_an_unknown_kind_is_told():
    with pytest.raises(UserError, match="Accepted: typos, delete_characters.*'static'"):
        perturb(["we hid"], "static", 0.1)
