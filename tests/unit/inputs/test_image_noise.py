"""Noise of images: each kind against what is worked out by hand, and what it follows from."""

import io

import numpy as np
import pytest
from PIL import Image

from emotion_keras.data.noise import TrainingNoise, perturb
from emotion_keras.errors import UserError
from emotion_keras.inputs import ImageInput
from emotion_keras.inputs.image_noise import KINDS, add_noise
from emotion_keras.inputs.images import features, inspect, pixels
from tests.fixtures.images import bars

GREY = bars((1, 1), 64)
BY_CHANCE = ("gaussian_noise", "brightness", "rotation", "occlusion")


@pytest.fixture
def path(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


def noisy(path, kind, level=0.5, **options):
    (cell,) = perturb([path], kind, level, modality=ImageInput, **options)
    return cell


@pytest.mark.parametrize("level", [0.1, 0.3])
def test_gaussian_noise_deviates_by_its_level_of_half_the_range(level):
    flat = np.full((200, 200), 128, "uint8")
    noise = add_noise(flat, "gaussian_noise", level, seed=0).astype(float) - 128
    assert noise.std() == pytest.approx(128 * level, rel=0.03) and abs(noise.mean()) < 1


def test_blur_spreads_a_point_as_a_gaussian_does():
    point = np.zeros((65, 65), "uint8")
    point[30:35, 30:35] = 255
    found = add_noise(point, "blur", 0.5, seed=0).astype(float)
    columns = np.arange(65) - 32
    variance = (found.sum(axis=0) * columns**2).sum() / found.sum()
    # The square's own variance and that of an eighth of half the side.
    assert variance == pytest.approx(2 + (65 / 16) ** 2, rel=0.06)


def test_jpeg_is_what_pillow_writes_at_that_quality():
    written = io.BytesIO()
    Image.fromarray(GREY).save(written, "JPEG", quality=48)  # Half of 95, rounded.
    found = add_noise(GREY, "jpeg", 0.5, seed=0)
    np.testing.assert_array_equal(found, np.asarray(Image.open(written)))


def test_brightness_goes_a_share_of_the_way_to_black_or_white():
    shares = []
    for seed in range(40):
        after = add_noise(GREY, "brightness", 0.6, seed).astype(float)
        darker = (after / np.maximum(GREY, 1))[GREY > 60]
        brighter = ((after - GREY) / np.maximum(255.0 - GREY, 1))[GREY < 195]
        share = brighter if np.ptp(brighter) < np.ptp(darker) else darker - 1
        assert np.ptp(share) < 0.03
        shares.append(share.mean())
    assert -0.6 <= min(shares) < -0.4 and 0.4 < max(shares) <= 0.6


def test_rotation_turns_by_what_it_drew():
    degrees = 0.5 * 90 * np.random.default_rng(4).uniform(-1, 1)
    turned = np.asarray(Image.fromarray(GREY).rotate(degrees, Image.Resampling.BILINEAR), float)
    found = add_noise(GREY, "rotation", 0.5, seed=4).astype(float)
    middle = slice(20, 44)
    assert np.abs(found[middle, middle] - turned[middle, middle]).mean() < 6
    assert np.abs(found[middle, middle] - GREY[middle, middle]).mean() > 20


@pytest.mark.parametrize("level", [0.05, 0.25, 1.0])
def test_occlusion_covers_its_share_of_the_area(level):
    white = np.full((64, 64), 255, "uint8")
    covered = add_noise(white, "occlusion", level, seed=1) == 128
    assert covered.mean() == pytest.approx(level, abs=0.02)
    rows, columns = np.nonzero(covered)
    assert covered[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_stay_pixels_in_grey_and_in_colour(kind):
    for image in (GREY, np.dstack([GREY, GREY.T, GREY]), GREY[:8, :8]):
        for level in (0.01, 0.5, 1.0):
            after = add_noise(image, kind, level, seed=3)
            assert after.dtype == np.uint8 and after.shape == image.shape
    least = 0.02 if kind == "jpeg" else 1e-4  # JPEG of the best quality differs a little.
    assert np.abs(add_noise(GREY, kind, least, seed=0).astype(float) - GREY).mean() < 3


@pytest.mark.parametrize("kind", KINDS)
def test_noise_follows_from_seed_and_content_alone(kind, path, tmp_path):
    copy = tmp_path / "elsewhere.png"
    copy.write_bytes((tmp_path / "a.png").read_bytes())
    first = features(noisy(path, kind))
    np.testing.assert_array_equal(first, features(noisy(str(copy), kind)))
    assert not np.array_equal(first, features(path))
    other = features(noisy(path, kind, seed=1))
    assert np.array_equal(first, other) == (kind not in BY_CHANCE)
    assert perturb([path], kind, 0, modality=ImageInput) == [path]


def test_an_image_with_noise_is_read_as_others_are(path, tmp_path):
    cells = [path, *(noisy(path, kind) for kind in KINDS)]
    cells.append(noisy(noisy(path, "blur"), "jpeg"))
    learned = ImageInput.learn([path], image_size=32)
    sequences = learned.encode(cells)
    assert len({sequences.pad([i], 16)[0].tobytes() for i in range(len(cells))}) == len(cells)
    for i, cell in enumerate(cells):
        assert ImageInput.flaw(cell) == "" and ImageInput.content(cell) == inspect(path).sha256
        expected = (pixels(cell, 32, 1)[:8, :8, 0] - learned._mean) / learned._deviation
        np.testing.assert_allclose(
            sequences.pad([i], 16)[0][0, 0], expected.ravel(), rtol=1e-5, atol=1e-5
        )
    blurred = add_noise(GREY, "blur", 0.5, seed=0)
    np.testing.assert_array_equal(features(cells[-1]), add_noise(blurred, "jpeg", 0.5, seed=0))
    missing = noisy(str(tmp_path / "none.png"), "blur")
    assert ImageInput.flaw(missing) == "missing" and features(missing).size == 0


def test_noise_for_training_is_another_in_each_epoch(path):
    noise = TrainingNoise(0, noise="blur:0.2,occlusion:0.1", modality=ImageInput)
    (first,), (second,) = (noise.perturb([path], epoch) for epoch in (0, 1))
    assert (first.medium.kind, first.kind) == ("blur", "occlusion")
    assert not np.array_equal(features(first), features(second))
    assert first == noise.perturb([path], 0)[0]


def test_the_noise_of_another_modality_is_refused():
    with pytest.raises(UserError, match="Accepted: gaussian_noise, blur.*Received: 'babble'"):
        TrainingNoise(0, noise="babble:0.1", modality=ImageInput)
