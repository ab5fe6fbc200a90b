"""The page of a model of images in a real browser, with the service."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.images import bars


@pytest.fixture(scope="module")
def chromium_arguments():
    # The camera shows green with a clock.
    return [
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
    ]


@pytest.fixture(scope="module")
def service(start_service, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("home")))
        with start_service(predictor="FakeBeholder") as service:
            yield service


def image(pixels, kind="PNG"):
    """A file to choose."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return {"name": "face", "mimeType": "image/png", "buffer": file.getvalue()}


BRIGHT = 255 - bars((1, 1)) // 4


def choose(page, file):
    page.get_by_label("Choose an image").set_input_files(file)


def test_a_file_gives_bars_and_is_shown_under_its_patches(open_page):
    page = open_page()
    choose(page, image(BRIGHT))
    page.get_by_text("joy, 75.0 % confident").wait_for()
    assert page.locator("#image").evaluate("(image) => image.naturalWidth") == 48
    patches = page.locator("#patches button")
    shades = [
        patches.nth(i).evaluate("(patch) => getComputedStyle(patch).backgroundColor")
        for i in range(4)
    ]
    # 0.5 for the emotion and 0.25 against it are both beyond 0.2, where the scale ends.
    assert shades[:2] == ["rgba(33, 102, 172, 0.65)", "rgba(178, 24, 43, 0.65)"]
    assert shades[2] == "rgba(33, 102, 172, 0)"
    assert patches.all_inner_texts() == ["+", "−", "", "+"]
    boxes = [patches.nth(i).bounding_box() for i in range(4)]
    assert boxes[0]["y"] == boxes[1]["y"] < boxes[2]["y"] and boxes[0]["x"] < boxes[1]["x"]
    patches.nth(0).focus()
    page.keyboard.press("ArrowRight")
    said = page.locator("#detail").inner_text()
    assert said == "row 1, column 2: contribution −0.250, gate 0.750"
    assert page.said == []


def test_the_camera_takes_a_picture(open_page):
    page = open_page()
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the picture").click()
    page.locator("#result:not(.is-old):visible").wait_for()
    assert page.locator("#image").evaluate("(image) => image.naturalWidth") > 100
    page.get_by_role("button", name="Use the camera").wait_for()
    assert page.locator("#video").is_hidden() and page.said == []


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"name": "a.svg", "mimeType": "image/svg+xml", "buffer": b"<svg"}, "cannot be read as"),
        (image(np.full((20, 20), 7, "uint8")), "has one colour"),
        (image(BRIGHT[:2, :2]), "too small"),
    ],
)
def test_what_is_wrong_with_an_image_is_said(open_page, file, said):
    page = open_page()
    choose(page, file)
    page.locator("#problem", has_text=said).wait_for()
    assert page.locator("#result").is_hidden()


@pytest.mark.parametrize("name", ["NotAllowedError", "NotFoundError"])
def test_a_camera_that_cannot_be_used_is_explained(open_page, name):
    page = open_page()
    page.evaluate(
        "(name) => { navigator.mediaDevices.getUserMedia = async () => "
        "{ throw new DOMException('no', name); }; }",
        name,
    )
    page.get_by_role("button", name="Use the camera").click()
    expected = "does not let this page" if name == "NotAllowedError" else "There is no camera"
    page.locator("#problem", has_text=expected).wait_for()
