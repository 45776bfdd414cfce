"""Brightness, contrast, saturation and sharpness match Pillow's ImageEnhance, up to rounding."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from sample_photos import photos

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_saturation,
    adjust_sharpness,
)

COLOR = photos(40)
GREY = COLOR[..., 1:2]
BLENDS = {
    adjust_brightness: ImageEnhance.Brightness,
    adjust_contrast: ImageEnhance.Contrast,
    adjust_saturation: ImageEnhance.Color,
    adjust_sharpness: ImageEnhance.Sharpness,
}
every = pytest.mark.parametrize("blend", BLENDS, ids=lambda blend: blend.__name__)
color_or_grey = pytest.mark.parametrize("images", [COLOR, GREY], ids=["color", "grey"])


@every
@color_or_grey
@pytest.mark.parametrize("factor", [0.0, 0.1, 0.7, 1.3, 1.99])
def test_blends_match_pillow_up_to_rounding(blend, images, factor):
    blended = blend(tf.constant(images), tf.fill([3], factor)).numpy().astype(int)
    for image, found in zip(images, blended, strict=True):
        image_file = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        expected = np.asarray(BLENDS[blend](image_file).enhance(factor)).reshape(image.shape)
        border = 1 if blend is adjust_sharpness else 0  # Where Pillow neither blurs nor sharpens.
        inner = slice(border, 40 - border)
        assert np.abs(found - expected)[inner, inner].max() <= 1


@every
@color_or_grey
def test_factor_of_1_changes_nothing(blend, images):
    np.testing.assert_array_equal(blend(tf.constant(images), tf.ones([3])), images)


@every
def test_each_image_has_its_own_factor(blend):
    factors = tf.constant([0.2, 1.0, 1.7])
    together = blend(tf.constant(COLOR), factors)
    single = [blend(tf.constant(COLOR[i : i + 1]), factors[i : i + 1])[0] for i in range(3)]
    np.testing.assert_array_equal(together, single)
    assert (together[0].numpy() != COLOR[0]).any()
    assert (together[2].numpy() != COLOR[2]).any()


def test_saturation_does_not_change_greyscale_images():
    images = tf.constant(GREY)
    assert adjust_saturation(images, tf.zeros([3])) is images


def test_sharpness_reaches_the_border():
    """Border pixels are repeated outside the image."""
    image = tf.constant(np.array([[[0], [130]]], "uint8")[None])
    blurred = adjust_sharpness(image, tf.zeros([1])).numpy()[0, 0, :, 0]
    assert blurred.tolist() == [30, 100]  # Neighbors have a weight of 3/13.
