"""Noise of recordings: each kind against what is worked out by hand, and what it follows from."""

import numpy as np
import pytest
import scipy.signal
import soundfile

from emotion_keras.data.noise import TrainingNoise, perturb
from emotion_keras.errors import UserError
from emotion_keras.inputs import SpeechInput
from emotion_keras.inputs.media import Excerpt, Perturbed
from emotion_keras.inputs.mel import SAMPLING_RATE, log_mel
from emotion_keras.inputs.recordings import features, inspect
from emotion_keras.inputs.speech_noise import KINDS, add_noise
from emotion_keras.models.mfcc_statistics import MfccStatistics
from tests.fixtures.recordings import tone

BY_CHANCE = [kind for kind in KINDS if kind not in ("clipping", "telephone")]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


def speech(seconds=2.0, seed=0):
    """Noise that is loud and silent in turns, float32."""
    rng = np.random.default_rng(seed)
    num_samples = round(seconds * SAMPLING_RATE)
    loudness = 0.2 + np.sin(np.arange(num_samples) / 3000) ** 2
    return (0.1 * loudness * rng.normal(size=num_samples)).astype("float32")


def sine(hertz, seconds=1.0):
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLING_RATE)) / SAMPLING_RATE)


@pytest.fixture
def path(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(300, seconds=0.5), SAMPLING_RATE)
    return str(tmp_path / "a.wav")


def noisy(path, kind, level=0.5, **options):
    (cell,) = perturb([path], kind, level, modality=SpeechInput, **options)
    return cell


@pytest.mark.parametrize("kind", ["white_noise", "babble"])
@pytest.mark.parametrize(
    ("level", "decibels"), [(0.01, 19.96), (0.1, 9.54), (0.5, 0), (0.9, -9.54)]
)
def test_the_level_is_the_share_of_the_power(kind, level, decibels):
    before = speech(8)
    after = add_noise(before, kind, level, seed=1)
    # What of the recording is in the sum, least squares say; they cannot tell it from noise that
    # happens to be like it.
    share = np.dot(after, before) / np.dot(before, before)
    ratio = 10 * np.log10(np.var(share * before) / np.var(after - share * before))
    assert ratio == pytest.approx(decibels, abs=0.3)
    assert np.var(after) == pytest.approx(np.var(before), rel=0.05)


def test_white_noise_is_as_loud_at_all_frequencies():
    noise = add_noise(speech(8), "white_noise", 1.0, seed=0)
    _, density = scipy.signal.welch(noise, SAMPLING_RATE, nperseg=1024)
    bands = density[1:-1].reshape(-1, 73).mean(axis=1)
    assert len(bands) == 7 and bands.max() / bands.min() < 1.2


def test_babble_has_the_pitches_of_the_other_voices_alone():
    babble = add_noise(sine(600, 4).astype("float32"), "babble", 1.0, seed=0)
    frequencies, density = scipy.signal.welch(babble, SAMPLING_RATE, nperseg=4096)
    loud = frequencies[density > density.max() / 100]
    pitches = 600 * np.array([3 / 4, 4 / 5, 5 / 6, 6 / 5, 5 / 4, 4 / 3])
    assert all(np.abs(pitches - hertz).min() < 10 for hertz in loud)


@pytest.mark.parametrize("level", [0.2, 0.8])
def test_reverberation_falls_by_60_decibels_within_its_level_and_keeps_the_energy(level):
    click = np.zeros(2 * SAMPLING_RATE, "float32")
    click[0] = 1
    after = add_noise(click, "reverberation", level, seed=0).astype("float64")
    assert np.sum(after**2) == pytest.approx(1, rel=1e-4)
    # The tail's energy is the direct sound's times level by 0.2 s.
    assert np.sum(after[1:] ** 2) / after[0] ** 2 == pytest.approx(level / 0.2, rel=0.15)
    blocks = after[1 : 1 + round(level * SAMPLING_RATE)].reshape(20, -1)
    decibels = 10 * np.log10(np.mean(blocks**2, axis=1))
    (slope, _) = np.polyfit(np.arange(20) / 20, decibels, 1)
    assert slope == pytest.approx(-60, abs=4)
    assert np.abs(after[1 + round(level * SAMPLING_RATE) :]).max() < 1e-9


@pytest.mark.parametrize("level", [0.05, 0.4, 1.0])
def test_clipping_clips_a_share_of_the_samples(level):
    before = speech()
    after = add_noise(before, "clipping", level, seed=0)
    loudness = np.abs(after)
    assert np.mean(loudness > 0.9999 * loudness.max()) == pytest.approx(level, abs=1e-3)
    np.testing.assert_array_equal(np.sign(after), np.sign(before))
    assert np.sum(after**2) == pytest.approx(np.sum(before**2), rel=1e-4)
    kept = np.abs(before) < np.quantile(np.abs(before), 0.99 - level) if level < 0.9 else []
    ratios = after[kept] / before[kept] if len(kept) else np.ones(1)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-5)


def test_clipping_leaves_something_of_what_is_mostly_silent():
    before = np.zeros(1600, "float32")
    before[:100] = speech()[:100]
    assert np.count_nonzero(add_noise(before, "clipping", 1.0, seed=0)) == 100


@pytest.mark.parametrize("level", [0.1, 1.0])
def test_speed_changes_length_and_pitch_by_the_same_factor(level):
    factors = []
    for seed in range(20):
        after = add_noise(sine(440, 2.0).astype("float32"), "speed", level, seed)
        factors.append(2 * SAMPLING_RATE / len(after))
        spectrum = np.abs(np.fft.rfft(after * np.hanning(len(after))))
        hertz = spectrum.argmax() * SAMPLING_RATE / len(after)
        assert hertz == pytest.approx(440 * factors[-1], rel=0.01)
    assert 1 / (1 + level) - 0.01 <= min(factors) < 1 < max(factors) <= 1 + level + 0.03
    # Twice as fast is as likely as half as fast.
    assert abs(np.mean(np.log(factors))) < 0.35 * np.log(1 + level)


def test_stretches_of_50_milliseconds_are_dropped():
    before = np.ones(100 * 800 + 300, "float32")
    few, many, most = (
        add_noise(before, "dropped_stretches", level, seed=0) for level in (0.2, 0.6, 1.0)
    )
    for after, level in ((few, 0.2), (many, 0.6)):
        stretches = after[:80_000].reshape(-1, 800)
        assert (np.ptp(stretches, axis=1) == 0).all()
        assert np.mean(stretches[:, 0] == 0) == pytest.approx(level, abs=0.12)
    assert not many[few == 0].any()
    assert most.sum() in (800, 300)


def test_the_telephone_has_one_band():
    def loss(hertz, level=1.0):
        before = sine(hertz)
        after = add_noise(before.astype("float32"), "telephone", level, seed=0)
        middle = slice(2000, -2000)
        return 10 * np.log10(np.var(before[middle]) / np.var(after[middle]))

    assert all(loss(hertz) > 20 for hertz in (50, 100, 200, 4500, 6000, 7500))
    assert all(abs(loss(hertz)) < 0.5 for hertz in (450, 1000, 2500))
    # Nothing is left of the filtered half, so that the amplitude is halved.
    assert loss(6000, 0.5) == pytest.approx(20 * np.log10(2), abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_stay_samples_and_a_tenth_of_a_second_is_enough(kind):
    for seconds in (0.1, 0.05, 1.0):
        for level in (0.01, 0.5, 1.0):
            before = speech(seconds)
            after = add_noise(before, kind, level, seed=3)
            assert after.dtype == np.float32 and after.ndim == 1 and np.isfinite(after).all()
            assert after.any() and (len(after) == len(before) or kind == "speed")


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_little_where_its_level_is_little(kind):
    before = speech()
    after = add_noise(before, kind, 1e-4, seed=0)
    assert np.sum((after - before) ** 2) < 1e-3 * np.sum(before**2)


@pytest.mark.parametrize("kind", KINDS)
def test_noise_follows_from_seed_and_content_alone(kind, path, tmp_path):
    copy = tmp_path / "elsewhere" / "b.wav"
    copy.parent.mkdir()
    copy.write_bytes((tmp_path / "a.wav").read_bytes())
    first = features(noisy(path, kind))
    np.testing.assert_array_equal(first, features(noisy(str(copy), kind)))
    assert not np.array_equal(first, features(path))
    other = features(noisy(path, kind, seed=1))
    assert np.array_equal(first, other) == (kind not in BY_CHANCE)
    soundfile.write(copy, tone(300, seconds=0.5, seed=9), SAMPLING_RATE)
    assert noisy(str(copy), kind).seed != noisy(path, kind).seed
    assert perturb([path], kind, 0, modality=SpeechInput) == [path]


def test_a_recording_with_noise_is_read_as_others_are(path):
    cells = [path, *(noisy(path, kind) for kind in KINDS)]
    cells.append(noisy(noisy(path, "speed"), "white_noise", 0.1))
    learned = SpeechInput.learn([path], frames_per_token=4)
    sequences = learned.encode(cells)
    for i, cell in enumerate(cells):
        picture = features(cell)
        assert SpeechInput.flaw(cell) == "" and SpeechInput.content(cell) == inspect(path).sha256
        assert inspect(cell).num_frames == len(picture)
        assert sequences.lengths[i] == -(-len(picture) // 4) == len(learned.units([cell])[0])
        values, mask = sequences.pad([i], 64)
        assert mask.sum() == sequences.lengths[i]
        found = values[0, : sequences.lengths[i]].reshape(-1, 64)[: len(picture)]
        expected = (picture - learned._mean) / learned._deviation
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    both = cells[-1]
    assert (both.kind, both.medium.kind) == ("white_noise", "speed")
    samples, _ = soundfile.read(path, dtype="float32")
    samples = add_noise(samples, "speed", 0.5, both.medium.seed)
    np.testing.assert_allclose(
        features(both), log_mel(add_noise(samples, "white_noise", 0.1, both.seed)), atol=1e-4
    )
    statistics = MfccStatistics().transform(cells)
    assert len({tuple(row) for row in statistics.tolist()}) == len(cells)
    part = learned.encode([Excerpt(cells[1], (0,))]).values
    assert part[0].any() and not part[1:].any()


def test_a_recording_with_a_flaw_has_none_of_noise(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(8000), SAMPLING_RATE)
    for name, flaw in (("silent.wav", "silent"), ("none.wav", "missing")):
        for kind in KINDS:
            cell = noisy(str(tmp_path / name), kind)
            assert isinstance(cell, Perturbed) and SpeechInput.flaw(cell) == flaw
            assert features(cell).shape == (0, 64)


def test_noise_for_training_is_another_in_each_epoch(path):
    noise = TrainingNoise(0, noise="telephone:1,white_noise:0.1", modality=SpeechInput)
    (first,), (second,) = (noise.perturb([path], epoch) for epoch in (0, 1))
    assert first.medium.kind == "telephone" and first.kind == "white_noise"
    assert not np.array_equal(features(first), features(second))
    assert first == noise.perturb([path], 0)[0]


def test_the_noise_of_another_modality_is_refused():
    for kind, modality in (("typos", SpeechInput), ("babble", None)):
        options = {"modality": modality} if modality else {}
        accepted = "white_noise, babble.*labels" if modality else "typos, delete_characters"
        with pytest.raises(UserError, match=f"Accepted: {accepted}.* Received: '{kind}'"):
            TrainingNoise(0, noise=f"{kind}:0.1", **options)
    with pytest.raises(UserError, match="as in clipping:0.05"):
        TrainingNoise(0, noise="clipping", modality=SpeechInput)
