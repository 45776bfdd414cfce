"""Tone augmentations match Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps
from sample_photos import photos

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.tones import (
    autocontrast,
    equalize,
    posterize,
    solarize,
)

PHOTOS = photos(40)
DULL = (PHOTOS // 4 + 90).astype("uint8")
NOISE = np.random.RandomState(0).randint(0, 256, (3, 40, 30, 3)).astype("uint8")
CASES = pytest.mark.parametrize(
    "images", [PHOTOS, DULL, NOISE, DULL[..., :1]], ids=["photos", "dull", "noise", "grey"]
)


def as_pillow(change, images):
    """The images, each changed by Pillow."""
    image_files = [
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image) for image in images
    ]
    return np.stack(
        [np.asarray(change(image_file)).reshape(images.shape[1:]) for image_file in image_files]
    )


@CASES
def test_equalize_matches_pillow(images):
    np.testing.assert_array_equal(
        equalize(tf.constant(images)), as_pillow(ImageOps.equalize, images)
    )


@pytest.mark.parametrize("values", [[7], [0, 255], [3, 3, 3, 9], list(range(250))], ids=len)
@pytest.mark.parametrize("side", [4, 16, 28])
def test_equalize_matches_pillow_on_few_pixels_or_values(side, values):
    """Below 255 pixels nothing changes; a step that is rounded down maps many values to white."""
    drawn = np.random.RandomState(1).choice(values, (2, side, side, 3)).astype("uint8")
    drawn[1, ..., 2] = 77
    np.testing.assert_array_equal(equalize(tf.constant(drawn)), as_pillow(ImageOps.equalize, drawn))


@CASES
def test_autocontrast_matches_pillow_up_to_rounding(images):
    stretched = autocontrast(tf.constant(images)).numpy().astype(int)
    assert np.abs(stretched - as_pillow(ImageOps.autocontrast, images)).max() <= 1
    assert (stretched.min(axis=(1, 2)) == 0).all()
    assert (stretched.max(axis=(1, 2)) == 255).all()


def test_autocontrast_rounds_and_skips_constant_channels():
    image = np.array([[[[10, 77]], [[20, 77]], [[13, 77]]]], "uint8")
    stretched = autocontrast(tf.constant(image)).numpy()
    # 3 / 10 of 255 is 76.5, which goes to the even neighbor.
    np.testing.assert_array_equal(stretched[0, :, 0], [[0, 77], [255, 77], [76, 77]])


@CASES
@pytest.mark.parametrize("bits", range(1, 9))
def test_posterize_matches_pillow(images, bits):
    changed = posterize(tf.constant(images), tf.constant([bits] * 3))
    expected = as_pillow(lambda image_file: ImageOps.posterize(image_file, bits), images)
    np.testing.assert_array_equal(changed, expected)


@CASES
@pytest.mark.parametrize("threshold", [0, 1, 128, 255, 256])
def test_solarize_matches_pillow(images, threshold):
    changed = solarize(tf.constant(images), tf.constant([threshold] * 3))
    expected = as_pillow(lambda image_file: ImageOps.solarize(image_file, threshold), images)
    np.testing.assert_array_equal(changed, expected)


def test_each_image_has_its_own_setting():
    values = np.tile(np.arange(256, dtype="uint8")[None, :, None, None], (2, 1, 1, 1))
    posters = posterize(tf.constant(values), tf.constant([1, 2])).numpy()
    assert [sorted({*poster.ravel()}) for poster in posters] == [[0, 128], [0, 64, 128, 192]]
    darker, lighter = solarize(tf.constant(values), tf.constant([100, 200])).numpy()
    assert darker[150] == 105
    assert lighter[150] == 150
