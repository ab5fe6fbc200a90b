"""What the service of a model of images answers, without a network."""

import asyncio
import io
import re

import httpx
import numpy as np
import pytest
from PIL import Image

from emotion_keras.service.app import make_app
from tests.fixtures.images import bars
from tests.fixtures.service import FakeBeholder
from tests.unit.inputs.test_images import bomb

PNG = {"Content-Type": "image/png"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))


@pytest.fixture(scope="module")
def app():
    return make_app(FakeBeholder(), max_body=200_000, max_pixels=250_000)


def encode(pixels, kind="PNG"):
    """The bytes of an image."""
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, kind)
    return written.getvalue()


def ask(app, *contents, path="/predict", headers=PNG):
    async def run():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service", timeout=60
        ) as client:
            if not contents:
                return [await client.get(path)]
            return [await client.post(path, content=one, headers=headers) for one in contents]

    return asyncio.run(run())


DARK, BRIGHT = bars((1, 1)) // 4, 255 - bars((1, 1)) // 4


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_an_image_is_answered_as_a_text_is(app, kind):
    dark, bright = ask(app, encode(DARK, kind), encode(BRIGHT, kind))
    assert dark.status_code == 200
    assert dark.json()["predictions"] == [
        {
            "label": "fear",
            "confidence": 0.875,
            "probabilities": {"fear": 0.875, "joy": 0.125},
            "flag": "",
        }
    ]
    assert bright.json()["predictions"][0]["label"] == "joy"


def test_patches_are_explained(app):
    (answer,) = ask(app, encode(BRIGHT), path="/predict?explain=true")
    words = answer.json()["predictions"][0]["words"]
    assert words[1] == {"word": "row 1, column 2", "gate": 0.75, "contribution": -0.25}


FLAWED = {
    "unreadable": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "constant": encode(np.full((20, 20), 9, "uint8")),
    "too small": encode(DARK[:2, :2]),
}


@pytest.mark.parametrize("flag", FLAWED)
def test_an_image_with_a_flaw_has_a_flag_and_no_label(app, flag):
    (answer,) = ask(app, FLAWED[flag], path="/predict?explain=true")
    assert answer.status_code == 200
    expected = {"label": "", "confidence": None, "probabilities": None, "flag": flag, "words": []}
    expected |= {"rest": None, "score": None}
    assert answer.json()["predictions"] == [expected]


def test_what_is_too_large_is_refused_however_small_its_file_is(app):
    within, beyond = encode(np.kron(DARK, np.ones((10, 10), "uint8"))), bomb(20_000, 20_000)
    found = ask(app, within, beyond, bomb(501, 500), bytes(200_001))
    assert [answer.status_code for answer in found] == [200, 413, 413, 413]
    assert found[1].json()["detail"] == "The image has more than 250,000 pixels."
    (health,) = ask(app, path="/health")
    assert health.json()["max_pixels"] == 250_000 and "max_seconds" not in health.json()


def test_a_file_that_ends_its_process_is_refused_and_the_next_is_answered(app):
    crash, memory, bright = ask(app, b"crash", b"memory", encode(BRIGHT))
    assert crash.status_code == memory.status_code == 422
    assert "image cannot be decoded" in crash.json()["detail"]
    assert bright.json()["predictions"][0]["label"] == "joy"


@pytest.mark.parametrize("kind", ["application/json", "audio/wav", ""])
def test_what_to_send_is_said(app, kind):
    (answer,) = ask(app, encode(DARK), headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "This model takes images." in answer.json()["detail"]
    assert "Content-Type: image/png" in answer.json()["detail"]


def test_the_page_shows_images_from_memory_and_loads_nothing(app):
    (answer,) = ask(app, path="/")
    policy = answer.headers["content-security-policy"]
    assert "; img-src data: blob:; " in policy and "unsafe" not in policy
    assert "media-src" not in policy
    text = answer.text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//[a-z]|innerHTML|@import|url\(", text)


def test_the_schema_takes_images(app):
    (schema,) = ask(app, path="/openapi.json")
    predict = schema.json()["paths"]["/predict"]["post"]
    assert set(predict["requestBody"]["content"]) == {"image/*", "application/octet-stream"}
