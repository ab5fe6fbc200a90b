"""What the service of a model of recordings answers, without a network."""

import asyncio
import base64
import hashlib
import io
import json
import re
import tempfile

import httpx
import numpy as np
import pytest
import soundfile

from emotion_keras.service.app import make_app
from emotion_keras.service.decoding import DecodingFailed, DecodingPool
from tests.fixtures.recordings import tone
from tests.fixtures.service import FakeListener

WAV = {"Content-Type": "audio/wav"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))


@pytest.fixture(scope="module")
def app():
    return make_app(FakeListener(), max_body=200_000, max_seconds=2)


def encode(samples, rate=16000, kind="WAV", **options):
    """The bytes of a recording."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, **options)
    return file.getvalue()


def ask(app, content, path="/predict", headers=WAV):
    (answer,) = ask_all(app, [content], path, headers)
    return answer


def ask_all(app, contents, path="/predict", headers=WAV):
    async def run():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service", timeout=60
        ) as client:
            return [await client.post(path, content=one, headers=headers) for one in contents]

    return asyncio.run(run())


def get(app, path):
    async def run():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.get(path)

    return asyncio.run(run())


def test_a_request_may_ask_for_a_confidence(app):
    found = ask(app, encode(tone(900)), "/predict?min_confidence=0.99").json()["predictions"]
    assert [(one["label"], one["guess"]) for one in found] == [("unsure", "joy")]
    refused = ask(app, encode(tone(900)), "/predict?min_confidence=nan")
    assert refused.status_code == 422 and "min_confidence" in refused.json()["detail"]


@pytest.mark.parametrize(
    "kind, rate", [("WAV", 16000), ("WAV", 48000), ("FLAC", 44100), ("OGG", 16000), ("MP3", 16000)]
)
def test_a_recording_is_answered_as_a_text_is(app, kind, rate):
    low, high = ask_all(app, [encode(tone(hertz, rate=rate), rate, kind) for hertz in (150, 900)])
    assert low.status_code == 200
    assert low.json() == {
        "predictions": [
            {
                "label": "fear",
                "confidence": 0.875,
                "probabilities": {"fear": 0.875, "joy": 0.125},
                "flag": "",
            }
        ]
    }
    assert high.json()["predictions"][0]["label"] == "joy"


@pytest.mark.parametrize("kind", ["audio/x-wav", "AUDIO/flac; rate=1", "application/octet-stream"])
def test_any_type_of_sound_is_taken(app, kind):
    answer = ask(app, encode(tone(900)), headers={"Content-Type": kind})
    assert answer.json()["predictions"][0]["label"] == "joy"


def test_moments_are_explained(app):
    answer = ask(app, encode(tone(900)), "/predict?explain=true")
    words = answer.json()["predictions"][0]["words"]
    assert words[1] == {"word": "0.10 s", "gate": 0.75, "contribution": -0.075}
    assert "words" not in ask(app, encode(tone(900)), "/predict?explain=false").text


@pytest.mark.parametrize("query", ["explain=yes", "explain=1", "explain=", "explian=true"])
def test_a_question_in_the_address_that_is_wrong_is_refused(app, query):
    answer = ask(app, encode(tone(900)), f"/predict?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"{query.partition('=')[0]}: ")


def test_a_model_that_cannot_explain_says_so():
    answer = ask(make_app(FakeListener(can_explain=False)), b"x", "/predict?explain=true")
    assert answer.status_code == 422
    assert "no gate" in answer.json()["detail"]


FLAWED = {
    "unreadable": b"this is no sound",
    "silent": encode(np.zeros(8000)),
    "too short": encode(tone(900, 0.05)),
}


@pytest.mark.parametrize("flag", FLAWED)
def test_a_recording_with_a_flaw_has_a_flag_and_no_label(app, flag):
    answer = ask(app, FLAWED[flag], "/predict?explain=true")
    assert answer.status_code == 200
    expected = {"label": "", "confidence": None, "probabilities": None, "flag": flag, "words": []}
    expected |= {"rest": None, "score": None}
    assert answer.json()["predictions"] == [expected]


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", ""])
def test_no_path_is_opened_and_what_to_send_is_said(recordings, kind):
    predictor = FakeListener()
    path = str(recordings / "low" / "0.wav")
    app = make_app(predictor)
    for body in ({"recording": path}, {"recordings": [path]}, {"text": path}, path):
        answer = ask(app, json.dumps(body).encode(), headers={"Content-Type": kind})
        assert answer.status_code == 415
        assert "Content-Type: audio/wav" in answer.json()["detail"]
    assert predictor.calls == []


def test_a_path_sent_as_sound_is_no_sound(app, recordings):
    answer = ask(app, str(recordings / "low" / "0.wav").encode())
    assert answer.json()["predictions"][0]["flag"] == "unreadable"


def test_a_model_of_texts_takes_no_sound(fake_predictor):
    answer = ask(make_app(fake_predictor()), encode(tone(900)))
    assert answer.status_code == 415
    assert "takes texts" in answer.json()["detail"]


def test_an_empty_body_is_refused(app):
    answer = ask(app, b"")
    assert answer.status_code == 422
    assert "body is empty" in answer.json()["detail"]


def test_what_is_too_long_is_refused_however_small_it_is(app):
    within, beyond = encode(tone(900, 2.0)), encode(tone(900, 2.1))
    # An hour of nothing takes a few kilobytes.
    hour = encode(np.zeros(3600 * 8000, "int16"), 8000, "FLAC")
    assert len(hour) < 200_000
    answers = ask_all(app, [within, beyond, hour])
    assert [answer.status_code for answer in answers] == [200, 413, 413]
    assert answers[1].json()["detail"] == "The recording is longer than 2 seconds."


def test_a_body_that_is_too_large_is_refused(app):
    assert ask(app, bytes(200_001)).status_code == 413
    default = get(app, "/health").json()
    assert (default["max_body"], default["max_seconds"]) == (200_000, 2)


def test_recordings_may_be_larger_than_texts(fake_predictor):
    assert get(make_app(FakeListener()), "/health").json()["max_body"] == 10 * 2**20
    assert get(make_app(fake_predictor()), "/health").json()["max_body"] == 2**20


def test_a_file_that_ends_its_process_is_refused_and_the_next_is_answered(app):
    crash, sound, memory, again = ask_all(
        app, [b"crash", encode(tone(900)), b"memory", encode(tone(150))]
    )
    assert crash.status_code == memory.status_code == 422
    assert "cannot be decoded" in crash.json()["detail"]
    assert sound.json()["predictions"][0]["label"] == "joy"
    assert again.json()["predictions"][0]["label"] == "fear"


def test_a_rate_that_asks_for_any_amount_of_memory_is_refused(app):
    sound = bytearray(encode(tone(900)))
    sound[24:28] = (1_999_999_973).to_bytes(4, "little")  # A prime: samples a second.
    answers = ask_all(app, [bytes(sound), encode(tone(900))])
    assert answers[0].status_code == 422 or answers[0].json()["predictions"][0]["flag"]
    assert answers[1].json()["predictions"][0]["label"] == "joy"


def decode_in(pool, *contents, folder):
    """What the pool makes of files one after the other: seconds, or that it failed."""

    async def run():
        found = []
        for i, content in enumerate(contents):
            (folder / f"{i}").write_bytes(content)
            try:
                found.append(await pool.decode(str(folder / f"{i}"), str(folder / f"{i}.wav"), 2))
            except DecodingFailed:
                found.append("failed")
        return found

    return asyncio.run(run())


def test_a_file_that_takes_without_end_is_given_up(tmp_path):
    pool = DecodingPool(
        FakeListener.rewrite,
        sample=FakeListener.samples[0],
        num_processes=1,
        seconds=0.5,
        max_waiting=1,
    )
    contents = [b"hang", encode(tone(900, 0.5)), b"hang"]
    assert decode_in(pool, *contents, folder=tmp_path) == ["failed", 0.5, "failed"]


def test_nothing_of_a_recording_stays(app, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    contents = [encode(tone(900)), b"no sound", b"crash", encode(tone(900, 3.0))]
    statuses = [answer.status_code for answer in ask_all(app, contents)]
    assert statuses == [200, 200, 422, 413]
    assert list(temporary.iterdir()) == []


def test_beyond_the_queue_one_is_asked_to_come_again():
    app = make_app(FakeListener(), max_queue=1)

    async def run():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service", timeout=60
        ) as client:
            asked = [
                client.post("/predict", content=encode(tone(hertz)), headers=WAV)
                for hertz in (900, 150)
            ]
            return await asyncio.gather(*asked)

    first, second = asyncio.run(run())
    assert first.status_code == 200
    assert (second.status_code, second.headers["retry-after"]) == (503, "1")
    assert "Too many recordings" in second.json()["detail"]


def test_metrics_count_recordings():
    app = make_app(FakeListener())
    ask(app, encode(tone(900)))
    lines = get(app, "/metrics").text.splitlines()
    assert "emotion_recordings_total 1.0" in lines
    assert 'emotion_batch_recordings_bucket{le="1.0"} 1.0' in lines


def test_the_page_plays_sound_from_memory_and_loads_nothing(app):
    answer = get(app, "/")
    policy = answer.headers["content-security-policy"]
    assert "; media-src blob:; " in policy and "unsafe" not in policy
    assert policy.count("blob:") == 1
    for tag in ("script", "style"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert not re.search(r"https?:|//[a-z]|innerHTML|@import|url\(", answer.text)


def test_the_schema_takes_sound(app):
    predict = get(app, "/openapi.json").json()["paths"]["/predict"]["post"]
    assert set(predict["requestBody"]["content"]) == {"audio/*", "application/octet-stream"}
    names = [one["name"] for one in predict["parameters"]]
    assert names == ["explain", "min_confidence", "target_accuracy"]
