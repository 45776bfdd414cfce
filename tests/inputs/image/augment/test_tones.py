"""Tones are Pillow's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps
from sample_photos import photos

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.tones import (
    autocontrasted,
    equalized,
    posterized,
    solarized,
)

PHOTOS = photos(40)
DULL = (PHOTOS // 4 + 90).astype("uint8")
NOISE = np.random.RandomState(0).randint(0, 256, (3, 40, 30, 3)).astype("uint8")
CASES = pytest.mark.parametrize(
    "images", [PHOTOS, DULL, NOISE, DULL[..., :1]], ids=["photos", "dull", "noise", "grey"]
)


def as_pillow(change, images):
    """The pictures, each changed by Pillow."""
    pictures = [
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image) for image in images
    ]
    return np.stack([np.asarray(change(picture)).reshape(images.shape[1:]) for picture in pictures])


@CASES
def test_equalize_is_pillows(images):
    np.testing.assert_array_equal(
        equalized(tf.constant(images)), as_pillow(ImageOps.equalize, images)
    )


@pytest.mark.parametrize("values", [[7], [0, 255], [3, 3, 3, 9], list(range(250))], ids=len)
@pytest.mark.parametrize("side", [4, 16, 28])
def test_equalize_is_pillows_where_few_pixels_or_values_are_left(side, values):
    """Below 255 pixels nothing is done; a step that is rounded down makes many values white."""
    drawn = np.random.RandomState(1).choice(values, (2, side, side, 3)).astype("uint8")
    drawn[1, ..., 2] = 77
    np.testing.assert_array_equal(
        equalized(tf.constant(drawn)), as_pillow(ImageOps.equalize, drawn)
    )


@CASES
def test_autocontrast_is_pillows_but_for_rounding(images):
    stretched = autocontrasted(tf.constant(images)).numpy().astype(int)
    assert np.abs(stretched - as_pillow(ImageOps.autocontrast, images)).max() <= 1
    assert (stretched.min(axis=(1, 2)) == 0).all()
    assert (stretched.max(axis=(1, 2)) == 255).all()


def test_autocontrast_rounds_and_leaves_a_channel_of_one_value():
    image = np.array([[[[10, 77]], [[20, 77]], [[13, 77]]]], "uint8")
    stretched = autocontrasted(tf.constant(image)).numpy()
    # 3 / 10 of 255 is 76.5, which goes to the even neighbour.
    np.testing.assert_array_equal(stretched[0, :, 0], [[0, 77], [255, 77], [76, 77]])


@CASES
@pytest.mark.parametrize("bits", range(1, 9))
def test_posterize_is_pillows(images, bits):
    changed = posterized(tf.constant(images), tf.constant([bits] * 3))
    expected = as_pillow(lambda picture: ImageOps.posterize(picture, bits), images)
    np.testing.assert_array_equal(changed, expected)


@CASES
@pytest.mark.parametrize("threshold", [0, 1, 128, 255, 256])
def test_solarize_is_pillows(images, threshold):
    changed = solarized(tf.constant(images), tf.constant([threshold] * 3))
    expected = as_pillow(lambda picture: ImageOps.solarize(picture, threshold), images)
    np.testing.assert_array_equal(changed, expected)


def test_each_picture_has_its_own_setting():
    values = np.tile(np.arange(256, dtype="uint8")[None, :, None, None], (2, 1, 1, 1))
    posters = posterized(tf.constant(values), tf.constant([1, 2])).numpy()
    assert [sorted({*poster.ravel()}) for poster in posters] == [[0, 128], [0, 64, 128, 192]]
    darker, lighter = solarized(tf.constant(values), tf.constant([100, 200])).numpy()
    assert darker[150] == 105
    assert lighter[150] == 150
