import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion_keras.errors import UserError
from emotion_keras.inputs import ImageInput, images
from emotion_keras.inputs.images import FLAWS, features, inspect, keep, pixels, rewrite
from emotion_keras.inputs.media import Excerpt
from tests.fixtures.images import bars


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


GREY = bars((1, 1))
COLOUR = np.stack([bars((1, 0)), bars((0, 1)), bars((1, 1))], axis=-1)


@pytest.fixture
def write(tmp_path):
    def write(image, name="a.png", **options):
        image = image if isinstance(image, Image.Image) else Image.fromarray(image)
        image.save(tmp_path / name, **options)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.gif", "a.tiff", "a.pgm", "a.webp"])
def test_formats_are_read(write, name):
    options = {"lossless": True} if name == "a.webp" else {}
    path = write(GREY, name, **options)
    picture = inspect(path)
    assert (picture.flaw, picture.width, picture.height) == ("", 48, 48)
    np.testing.assert_array_equal(pixels(path, 48, 1)[..., 0], GREY)


def test_a_photograph_is_read(write):
    found = pixels(write(GREY, "a.jpg", quality=95), 48, 1)[..., 0]
    assert np.abs(found.astype(int) - GREY).mean() < 3


def test_colour_becomes_grey_and_grey_colour(write):
    path = write(COLOUR)
    np.testing.assert_array_equal(pixels(path, 48, 3), COLOUR)
    red, green, blue = np.moveaxis(COLOUR.astype(float), -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue  # ITU-R 601-2.
    np.testing.assert_allclose(pixels(path, 48, 1)[..., 0], luma, atol=1)
    grey = pixels(write(GREY, "grey.png"), 48, 3)
    assert all((grey[..., channel] == GREY).all() for channel in range(3))


def test_transparent_is_white(write):
    alpha = np.zeros((48, 48), "uint8")
    alpha[24:] = 255
    for name, image in {
        "rgba.png": np.dstack([COLOUR, alpha]),
        "la.png": Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)]),
    }.items():
        found = pixels(write(image, name), 48, 3)
        assert (found[:24] == 255).all()
        expected = COLOUR if name == "rgba.png" else np.dstack([GREY] * 3)
        np.testing.assert_array_equal(found[24:], expected[24:])


def test_sixteen_bits_become_eight(write):
    for factor, mode in ((257, "uint16"), (10_000, "int32")):
        path = write(Image.fromarray(GREY.astype(mode) * factor), f"{mode}.tiff")
        expected = GREY.astype(float)
        if mode == "int32":  # From its darkest to its brightest.
            expected = (expected - expected.min()) * 255 / np.ptp(expected)
        np.testing.assert_allclose(pixels(path, 48, 1)[..., 0], expected, atol=1)


def test_palettes_and_prints_are_read_as_their_colours(write):
    path = write(Image.fromarray(COLOUR).quantize(256), "palette.png")
    assert inspect(path).mode == "P"
    assert np.abs(pixels(path, 48, 3).astype(int) - COLOUR).mean() < 12
    cmyk = np.dstack([255 - COLOUR, np.zeros_like(GREY)])
    path = write(Image.fromarray(cmyk, "CMYK"), "print.tiff")
    assert inspect(path).mode == "CMYK"
    np.testing.assert_allclose(pixels(path, 48, 3), COLOUR, atol=1)


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [(3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1)), (2, lambda a: a[:, ::-1])],
)
def test_an_image_is_upright(write, orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = pixels(write(GREY, exif=exif), 48, 1)[..., 0]
    np.testing.assert_array_equal(found, turn(GREY))


def test_the_middle_square_is_read(write):
    wide = np.concatenate([np.zeros((48, 20), "uint8"), GREY, np.zeros((48, 20), "uint8")], axis=1)
    np.testing.assert_array_equal(features(write(wide)), GREY)
    np.testing.assert_array_equal(features(write(wide.T)), GREY.T)


def test_large_images_become_small(write):
    path = write(np.kron(GREY, np.ones((20, 10), "uint8")), "large.png")
    assert inspect(path).width == 480 and features(path).shape == (256, 256)
    shrunk = Image.fromarray(np.kron(GREY[12:36], np.ones((20, 10), "uint8")))
    shrunk = np.asarray(shrunk.resize((48, 48), Image.Resampling.BILINEAR), float)
    assert np.abs(pixels(path, 48, 1)[..., 0] - shrunk).mean() < 12
    assert pixels(path, 96, 3).shape == (96, 96, 3)


def test_of_an_animation_the_first_frame_is_read(write):
    others = [Image.fromarray(255 - GREY)]
    path = write(GREY, "a.gif", save_all=True, append_images=others)
    assert inspect(path).num_frames == 2
    np.testing.assert_array_equal(pixels(path, 48, 1)[..., 0], GREY)
    message, *_ = ImageInput.doubts([path, path])
    assert "2 images are animated" in message and "a.gif" in message


def bomb(width, height):
    """A PNG whose header claims a size, and which holds a few bytes."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def png(array):
    written = io.BytesIO()
    Image.fromarray(array).save(written, "PNG")
    return written.getvalue()


FLAWED = {
    "no file": ("missing", None),
    "empty file": ("unreadable", b""),
    "text": ("unreadable", b"no image"),
    "header alone": ("unreadable", png(GREY)[:30]),
    "truncated": ("unreadable", png(GREY)[:1500]),
    "svg": ("unreadable", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"),
    "eps": ("unreadable", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "50 megapixels": ("too large", bomb(10_000, 5_001)),
    "100 megapixels": ("too large", bomb(10_000, 10_000)),
    "400 megapixels": ("too large", bomb(20_000, 20_000)),
    "one pixel": ("too small", png(GREY[:1, :1])),
    "a line": ("too small", png(GREY[:2])),
    "one colour": ("constant", png(np.full((48, 48), 7, "uint8"))),
}


@pytest.mark.parametrize("case", FLAWED)
@pytest.mark.filterwarnings("ignore:Image size")
def test_a_flaw_is_named_and_has_no_pixels(tmp_path, case):
    flaw, content = FLAWED[case]
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    path = str(tmp_path / "a.png")
    assert inspect(path).flaw == flaw and flaw in FLAWS
    assert features(path).size == 0 and not pixels(path, 48, 1).any()
    (message,) = ImageInput.doubts([path])
    assert f"1 of 1 images is {flaw}" in message
    if content is not None and flaw != "too large":
        rewrite(path, str(tmp_path / "plain.png"), 1e6)
        assert inspect(str(tmp_path / "plain.png")).flaw == flaw


def test_a_bomb_is_not_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("decoded"))
    (tmp_path / "a.png").write_bytes(FLAWED["50 megapixels"][1])
    assert rewrite(str(tmp_path / "a.png"), str(tmp_path / "b.png"), 5e7) == 50_010_000
    assert inspect(str(tmp_path / "a.png")).flaw == "too large"


@pytest.mark.parametrize("path", ["", "a\0b.png", "x" * 5000, "/"])
def test_what_is_no_path_of_a_file_is_missing(path):
    assert inspect(path).flaw == "missing"


def test_what_is_rewritten_has_the_same_features(write, tmp_path):
    for image in (GREY, COLOUR, np.kron(COLOUR, np.ones((9, 9, 1), "uint8"))):
        path, target = write(image, "a.png"), str(tmp_path / "plain.png")
        assert rewrite(path, target, 1e6) == image.shape[0] * image.shape[1]
        np.testing.assert_array_equal(features(target), features(path))


def test_two_files_may_hold_one_image(write):
    first, second = write(GREY, "a.png"), write(GREY, "b.bmp")
    assert ImageInput.content(first) != ImageInput.content(second)
    assert ImageInput.fold(first) == ImageInput.fold(second)
    assert ImageInput.fold(first) != ImageInput.fold(write(GREY.T, "c.png"))


def test_large_files_are_kept_and_not_decoded_again(write, monkeypatch, home):
    rng = np.random.default_rng(0)
    large = write(rng.integers(0, 256, (300, 300, 3), dtype="uint8"), "large.png")
    small = write(GREY, "small.png")
    expected, said = np.array(features(large)), []
    keep([large, small, large, "missing.png"], said.append)
    assert "1 images" in said[0] and len([*home.rglob("*.npy")]) == 1
    images._decode.cache_clear()
    monkeypatch.setattr(images, "_read", lambda *_: pytest.fail("decoded"))
    np.testing.assert_array_equal(features(large), expected)
    assert isinstance(features(large), np.memmap)


def test_a_changed_file_is_read_again(write):
    path = write(GREY)
    before = inspect(path)
    write(COLOUR)
    os.utime(path, ns=(0, 1))
    assert (before.mode, inspect(path).mode) == ("L", "RGB")


def test_the_audit_says_what_images_are(write):
    cells = [write(GREY[:, :size].copy(), f"{size}.png") for size in range(20, 28)]
    cells.append(write(COLOUR, "colour.png"))
    found = ImageInput.describe(cells)
    assert found["mode"] == {"L": 8, "RGB": 1} and found["animated"] == {"no": 9}
    assert len(found["size"]) == 6 and found["size"]["others"] == 4
    (message,) = ImageInput.doubts(cells)
    assert "L (8), RGB (1)" in message
    assert ImageInput.size(cells[0]) == 48 * 20


def test_patches_are_standardized_and_in_the_order_of_their_units(write):
    cells = [write(GREY, "a.png"), write(GREY.T, "b.png")]
    learned = ImageInput.learn(cells, image_size=16, patch_size=4)
    shrunk = np.stack([pixels(cell, 16, 1) for cell in cells]).astype(float)
    sequences = learned.encode(cells)
    values, mask = sequences.pad([0, 1], 16)
    assert values.shape == (2, 16, 16) and mask.all()
    standardized = (shrunk - shrunk.mean()) / shrunk.std()
    units = learned.units(cells)[0]
    assert (units[0], units[6]) == (("row 1, column 1", 1), ("row 2, column 3", 1))
    np.testing.assert_allclose(
        values[0][6].reshape(4, 4), standardized[0, 4:8, 8:12, 0], rtol=1e-4, atol=1e-4
    )
    assert values.mean() == pytest.approx(0, abs=1e-4)
    part = learned.encode([Excerpt(cells[0], (6,))]).values
    np.testing.assert_array_equal(part[6], values[0][6])
    assert not np.delete(part, 6, axis=0).any()


def test_colour_has_a_mean_for_each_channel(write):
    path = write(COLOUR)
    learned = ImageInput.learn([path], channels=3)
    np.testing.assert_allclose(learned.state()["mean"], COLOUR.mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(learned.state()["deviation"], COLOUR.std(axis=(0, 1)), rtol=1e-4)


def test_the_side_is_a_multiple_of_the_patches():
    with pytest.raises(UserError, match="multiple.* image_size=50, patch_size=8"):
        ImageInput.learn(ImageInput.samples, image_size=50)


def test_samples_are_small_files():
    assert all(Path(path).stat().st_size < 1000 for path in ImageInput.samples)
