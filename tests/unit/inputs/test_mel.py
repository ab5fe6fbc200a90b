from pathlib import Path

import numpy as np
import pytest

from emotion_keras.inputs.mel import (
    HOP_LENGTH,
    NUM_MEL_BINS,
    SAMPLING_RATE,
    log_mel,
    mel_filters,
    speaker_mel,
)

# What librosa 0.11 gives: melspectrogram(y=noise(), sr=16000, n_fft=512, hop_length=160,
# win_length=400, n_mels=64, pad_mode="constant"), and of it log(max(., 1e-10)).
FIXTURES = Path(__file__).parents[2] / "fixtures"
LIBROSA = np.load(FIXTURES / "librosa_log_mel.npy")
# The same of melspectrogram(y=10 * noise(), sr=16000, n_fft=400, hop_length=160, n_mels=40), with
# which the package resemblyzer makes what its encoder reads.
LIBROSA_SPEAKER = np.load(FIXTURES / "librosa_speaker_mel.npy")


def noise():
    rng = np.random.default_rng(0)
    return (0.1 * rng.normal(size=4000) * np.hanning(4000) ** 4).astype("float32")


def tone(hertz):
    return np.sin(2 * np.pi * hertz * np.arange(SAMPLING_RATE) / SAMPLING_RATE)


def test_it_equals_librosa():
    assert np.ptp(LIBROSA) > 10
    np.testing.assert_allclose(log_mel(noise()), LIBROSA, atol=1e-4)


def test_what_the_encoder_of_speakers_reads_equals_librosa():
    assert np.ptp(LIBROSA_SPEAKER) > 0.01
    found = speaker_mel(10 * noise())
    np.testing.assert_allclose(found, LIBROSA_SPEAKER, rtol=1e-3, atol=1e-7)


def test_quiet_sound_is_brought_to_30_db_below_full_scale_and_loud_sound_is_not():
    sound = tone(440)
    at_30_db = sound / np.sqrt(np.mean(sound**2)) * 10 ** (-30 / 20)
    np.testing.assert_allclose(speaker_mel(at_30_db / 7), speaker_mel(at_30_db), atol=1e-6)
    np.testing.assert_allclose(speaker_mel(2 * sound), 4 * speaker_mel(sound), atol=1e-4)
    assert not speaker_mel(np.zeros(1600)).any()


def test_a_frame_stands_for_each_hop_and_one_for_the_end():
    for num_samples in (0, 1, HOP_LENGTH - 1, HOP_LENGTH, 10 * HOP_LENGTH + 7):
        assert log_mel(np.zeros(num_samples)).shape == (1 + num_samples // HOP_LENGTH, NUM_MEL_BINS)


def test_long_sound_is_made_in_parts_to_the_same_frames():
    sound = np.tile(noise(), 60)
    found, hops = log_mel(sound), 1200
    rest = log_mel(sound[hops * HOP_LENGTH :])
    np.testing.assert_allclose(found[hops + 2 :], rest[2:], atol=1e-4)


@pytest.mark.parametrize("hertz", [125, 440, 1000, 4000])
def test_a_tone_is_loudest_in_its_band(hertz):
    loudest = log_mel(tone(hertz))[50].argmax()
    lower, upper = np.flatnonzero(mel_filters()[loudest])[[0, -1]] * SAMPLING_RATE / 512
    assert lower <= hertz <= upper


def test_twice_the_amplitude_is_four_times_the_power():
    difference = log_mel(2 * tone(440)) - log_mel(tone(440))
    assert np.median(difference) == pytest.approx(np.log(4), abs=1e-3)


def test_silence_is_finite():
    np.testing.assert_allclose(log_mel(np.zeros(1600)), np.log(1e-10), rtol=1e-6)
