import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotion_keras.inputs import SpeechInput, feature_cache, recordings
from emotion_keras.inputs.media import Perturbed
from emotion_keras.inputs.mel import SAMPLING_RATE, log_mel
from emotion_keras.inputs.recordings import (
    FLAWS,
    features,
    inspect,
    keep,
    read_samples,
    rewrite,
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def tone(seconds=0.5, rate=SAMPLING_RATE, hertz=440):
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(
        "float32"
    )


@pytest.fixture
def write(tmp_path):
    def write(samples, rate=SAMPLING_RATE, name="a.wav", **options):
        soundfile.write(tmp_path / name, samples, rate, **options)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"])
def test_formats_are_read(write, name):
    recording = inspect(write(tone(1.0), name=name))
    assert (recording.flaw, recording.sampling_rate, recording.num_channels) == ("", 16000, 1)
    assert recording.seconds == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 400_000])
def test_any_rate_becomes_16_kilohertz(write, rate):
    samples, facts = read_samples(write(tone(0.5, rate), rate))
    assert facts["sampling_rate"] == rate and len(samples) == pytest.approx(8000, abs=2)
    middle = slice(1000, 7000)
    np.testing.assert_allclose(samples[middle], tone(0.5)[middle], atol=2e-3)


def test_a_rate_that_nothing_records_at_is_refused_before_it_fills_the_memory(write):
    path = Path(write(tone()))
    content = bytearray(path.read_bytes())
    content[24:28] = (2**31 - 1).to_bytes(4, "little")  # Where WAV says its sampling rate.
    path.write_bytes(content)
    assert inspect(str(path)).flaw == "unreadable"


def test_channels_are_averaged(write):
    channels = np.stack([tone() * share for share in np.linspace(0, 1, 8)], axis=1)
    path = write(channels, subtype="FLOAT")
    samples, facts = read_samples(path)
    assert facts["num_channels"] == 8
    np.testing.assert_allclose(samples, channels.mean(axis=1), atol=1e-6)


def test_clipping_is_measured(write):
    samples = np.clip(10 * tone(), -1, 1)
    share = (np.abs(samples) >= 0.999).mean()
    assert inspect(write(samples, subtype="FLOAT")).clipped == pytest.approx(share, abs=1e-6)
    assert inspect(write(tone(), name="b.wav")).clipped == 0


def test_of_long_recordings_the_beginning_is_read(write, monkeypatch):
    monkeypatch.setattr(recordings, "MAX_SECONDS", 2)
    samples, facts = read_samples(write(tone(5.0), subtype="FLOAT"))
    assert facts["seconds"] == 5 and len(samples) == 2 * SAMPLING_RATE
    np.testing.assert_allclose(samples, tone(2.0), atol=1e-6)


FLAWED = {
    "no file": ("missing", lambda path: None),
    "folder": ("missing", lambda path: path.mkdir()),
    "empty file": ("unreadable", lambda path: path.write_bytes(b"")),
    "text": ("unreadable", lambda path: path.write_text("not sound")),
    "header alone": ("unreadable", lambda path: path.write_bytes(b"RIFF\x24\0\0\0WAVEfmt ")),
    "no samples": ("too short", lambda path: soundfile.write(path, np.zeros(0), 16000)),
    "a blink": ("too short", lambda path: soundfile.write(path, tone(0.05), 16000)),
    "zeros": ("silent", lambda path: soundfile.write(path, np.zeros(16000), 16000)),
    "constant": ("silent", lambda path: soundfile.write(path, np.full(16000, 0.5), 16000)),
    "no numbers": (
        "unreadable",
        lambda path: soundfile.write(path, np.full(16000, np.nan), 16000, subtype="FLOAT"),
    ),
}


@pytest.mark.parametrize("case", FLAWED)
def test_a_flaw_is_named_and_has_no_frames(tmp_path, case):
    flaw, make = FLAWED[case]
    make(tmp_path / "a.wav")
    recording = inspect(str(tmp_path / "a.wav"))
    assert recording.flaw == flaw and flaw in FLAWS and recording.num_frames == 0
    assert features(str(tmp_path / "a.wav")).shape == (0, 64)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_what_is_rewritten_has_the_same_features(write, tmp_path, name):
    path, target = write(tone(1.0, 44100), 44100, name=name), str(tmp_path / "plain.wav")
    assert rewrite(path, target, 2) == pytest.approx(1.0, abs=0.01)
    np.testing.assert_array_equal(features(target), features(path))
    facts = soundfile.info(target)
    assert (facts.samplerate, facts.channels, facts.subtype) == (16000, 1, "FLOAT")


def test_of_what_is_rewritten_no_more_is_read_than_wanted(write, tmp_path):
    path, target = write(tone(3.0)), str(tmp_path / "plain.wav")
    assert rewrite(path, target, 2.5) == 3.0
    assert soundfile.info(target).duration == 2.5


@pytest.mark.parametrize("case", ["empty file", "text", "no samples", "a blink", "zeros"])
def test_what_is_rewritten_has_the_same_flaw(tmp_path, case):
    flaw, make = FLAWED[case]
    make(tmp_path / "a.wav")
    rewrite(str(tmp_path / "a.wav"), str(tmp_path / "plain.wav"), 60)
    assert inspect(str(tmp_path / "plain.wav")).flaw == flaw


@pytest.mark.parametrize("path", ["", "a\0b.wav", "x" * 5000])
def test_what_is_no_path_is_missing(path):
    assert inspect(path).flaw == "missing"


def test_a_truncated_recording_is_no_traceback(write, tmp_path):
    whole = Path(write(tone(2.0), name="a.flac")).read_bytes()
    for share in (0.01, 0.3, 0.9):
        cut = tmp_path / f"cut{share}.flac"
        cut.write_bytes(whole[: int(share * len(whole))])
        assert inspect(str(cut)).flaw in ("", "unreadable", "too short")


def test_features_are_the_picture_of_the_samples(write):
    path = write(tone(), subtype="FLOAT")
    np.testing.assert_allclose(features(path), log_mel(tone()), atol=1e-5)
    assert inspect(path).num_frames == len(features(path))


def test_what_is_kept_is_not_decoded_again(write, monkeypatch, home):
    paths = [write(tone(hertz=200 * i), name=f"{i}.wav") for i in (1, 2, 3)]
    expected = [np.array(features(path)) for path in paths]
    said = []
    keep([*paths, paths[0], "missing.wav"], said.append)
    assert said and "3 recordings" in said[0] and len([*home.rglob("*.npy")]) == 3
    recordings._decode.cache_clear()
    monkeypatch.setattr(recordings, "read_samples", lambda path: pytest.fail("decoded"))
    for path, frames in zip(paths, expected, strict=True):
        np.testing.assert_array_equal(features(path), frames)
        assert isinstance(features(path), np.memmap)
    said.clear()
    keep(paths, said.append)
    assert said == []


def test_a_changed_file_is_read_again(write):
    path = write(tone(0.5))
    keep([path], lambda message: None)
    before = inspect(path)
    write(tone(1.0))
    os.utime(path, ns=(0, 1))
    assert inspect(path).seconds == 1.0 and inspect(path).sha256 != before.sha256


def test_a_damaged_cache_is_made_again(write, home):
    path = write(tone())
    expected = np.array(features(path))
    keep([path], lambda message: None)
    for file in home.rglob("*.npy"):
        file.write_bytes(b"damaged")
    np.testing.assert_array_equal(features(path), expected)
    for file in home.rglob("*.json"):
        file.write_bytes(b"{")
    assert inspect(path).flaw == ""


def test_the_cache_loses_what_was_not_used_for_longest(home):
    for i in range(4):
        feature_cache.store(f"{i}" * 64, "v", np.zeros(1000, "float32"), {"i": i})
        os.utime(feature_cache.folder() / f"{i}{i}" / f"{str(i) * 64}.v.json", (i, i))
    assert feature_cache.find("0" * 64, "v") == {"i": 0}  # Now it was used last.
    assert feature_cache.shrink(most=2 * 4200) == 2
    assert [feature_cache.find(f"{i}" * 64, "v") for i in range(4)] == [
        {"i": 0},
        None,
        None,
        {"i": 3},
    ]
    assert len([*home.rglob("*.npy")]) == 2


def test_silence_at_the_ends_is_cut_off_and_none_within(write):
    silence = 1e-5 * np.random.default_rng(0).normal(size=8000).astype("float32")
    path = write(np.concatenate([silence, tone(), silence, tone(), silence]), subtype="FLOAT")
    recording = inspect(path)
    # Half a second is 50 frames; a frame at an edge hears a part of what begins there.
    assert abs(recording.first_frame - 50) <= 2
    assert abs(recording.num_frames - 150) <= 4 and recording.seconds == 2.5
    whole = log_mel(np.concatenate([silence, tone(), silence, tone(), silence]))
    first = recording.first_frame
    np.testing.assert_allclose(
        features(path), whole[first : first + recording.num_frames], atol=1e-5
    )
    speech = SpeechInput.learn([path], frames_per_token=4)
    (units,) = speech.units([path])
    assert units[0] == (f"{0.01 * first:.2f} s", 1) and len(units) == -(-recording.num_frames // 4)


def test_noise_is_heard_where_the_recording_sounds(write):
    silence = np.zeros(8000, "float32")
    path = write(np.concatenate([silence, tone(1.0), silence]), subtype="FLOAT")
    clean = inspect(path)
    noisy = Perturbed(path, "white_noise", 0.5, 0)
    assert inspect(noisy).num_frames == clean.num_frames == len(features(noisy))
    slower = Perturbed(path, "speed", 0.5, 3)
    found = inspect(slower)
    assert found.num_frames != clean.num_frames and len(features(slower)) == found.num_frames
    ratio = found.num_frames / clean.num_frames
    assert found.first_frame == pytest.approx(ratio * clean.first_frame, abs=1)
    # It is cut where it sounds: the tone is as loud in the middle as near the ends.
    loudness = features(slower).max(axis=1)
    assert loudness[3:-3].min() > loudness.max() - 1
