"""Color augmentations: brightness, contrast, saturation, hue, greyscale and sharpness."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from annotated_types import Ge, Le

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.random_apply import apply_with_probability
from mmzoo.modalities.image.image_resize import convert_channels
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


def adjust_brightness(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Images with adjusted brightness: blended with black.

    Args:
        images: uint8 `[batch, height, width, channels]`; all sizes but the batch are static.
        factors: float32 `[batch]`. 0 gives black, 1 the original image, above 1 a brighter image.

    Returns:
        Uint8, same shape as `images`.
    """
    return _blend(tf.zeros([1, 1, 1, 1]), images, factors)


def adjust_contrast(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Images with adjusted contrast: blended with their mean grey level.

    Arguments are those of `adjust_brightness`.
    """
    grey = convert_channels(images, 1)
    pixels = math.prod(grey.shape[1:])
    # An integer sum is bit-identical for every batch size; a float sum is not.
    total = tf.reduce_sum(tf.cast(grey, tf.int64), axis=[1, 2, 3], keepdims=True)
    return _blend(tf.cast((total + pixels // 2) // pixels, tf.float32), images, factors)


def adjust_saturation(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Images with adjusted saturation: blended with their greyscale version.

    Greyscale images do not change. Arguments are those of `adjust_brightness`.
    """
    if images.shape[-1] == 1:
        return images
    return _blend(tf.cast(convert_channels(images, 1), tf.float32), images, factors)


def adjust_sharpness(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Images with adjusted sharpness: blended with a blurred version.

    The blur is that of Pillow: a 3x3 kernel with weight 5 at the center and 1 elsewhere. Pillow
    leaves border pixels unchanged; here, the image is padded by repeating them. Arguments are those
    of `adjust_brightness`.
    """
    channels = images.shape[-1]
    kernel = tf.reshape(tf.constant([1.0, 1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 1.0]), [3, 3, 1, 1])
    padded = tf.pad(tf.cast(images, tf.float32), [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    # Sums of whole numbers are exact, so bits do not depend on the batch. The padding is SAME and
    # the result is cropped, because VALID returns a wrong shape for an empty batch.
    sums = tf.nn.depthwise_conv2d(
        padded, tf.tile(kernel, [1, 1, channels, 1]), strides=[1, 1, 1, 1], padding="SAME"
    )[:, 1:-1, 1:-1]
    return _blend(sums * (1.0 / 13.0), images, factors)


def _blend(degenerate: tf.Tensor, images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Interpolation, or extrapolation for factors above 1, from a degenerate image to the image."""
    factors = factors[:, None, None, None]
    blended = tf.cast(images, tf.float32) * factors + degenerate * (1.0 - factors)
    return tf.saturate_cast(tf.round(blended), tf.uint8)


class Brightness(Spec):
    """Random brightness: one random value is added to all pixels of an image."""

    type: Literal["brightness"] = "brightness"
    fraction: Fraction = 0.1
    """Maximum change in either direction, as a fraction of the range from black to white."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        amount = randomness.uniform(1, -self.fraction, self.fraction)[:, None, None] * 255.0
        return tf.saturate_cast(tf.round(tf.cast(images, tf.float32) + amount), tf.uint8)


class Contrast(Spec):
    """Random contrast: scales the distance of all pixels from their mean."""

    type: Literal["contrast"] = "contrast"
    fraction: Fraction = 0.1
    """Maximum change: 0.1 scales by a factor from 0.9 to 1.1."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        factor = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, None, None]
        # An integer sum is bit-identical for every batch size; a float sum is not.
        total = tf.reduce_sum(tf.cast(images, tf.int64), axis=[1, 2, 3], keepdims=True)
        mean = tf.cast(total, tf.float32) * (1.0 / math.prod(images.shape[1:]))
        changed = (tf.cast(images, tf.float32) - mean) * factor + mean
        return tf.saturate_cast(tf.round(changed), tf.uint8)


class Saturation(Spec):
    """Random saturation: blends with, or extrapolates from, the greyscale image."""

    type: Literal["saturation"] = "saturation"
    fraction: Fraction = 0.3
    """Maximum change: 0.3 scales the saturation by a factor from 0.7 to 1.3, 1 from 0 to 2."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        factors = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, 0]
        return adjust_saturation(images, factors)


class Hue(Spec):
    """Random hue: rotates all hues of an image by one angle on the color wheel.

    Grey pixels have no hue, so greyscale images do not change.
    """

    type: Literal["hue"] = "hue"
    degrees: Annotated[float, Ge(0), Le(180)] = 10.0
    """Maximum angle in either direction, in degrees: 120 turns red into green or blue."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        if images.shape[-1] == 1:
            return images
        turns = randomness.uniform(1, -self.degrees / 360.0, self.degrees / 360.0)[:, :, None]
        # Values up to 255 are fine: hue and saturation do not depend on the scale.
        hue, saturation, value = tf.unstack(
            tf.image.rgb_to_hsv(tf.cast(images, tf.float32)), axis=-1
        )
        hue += turns
        turned = tf.image.hsv_to_rgb(tf.stack([hue - tf.floor(hue), saturation, value], axis=-1))
        return tf.saturate_cast(tf.round(turned), tf.uint8)


class Greyscale(Spec):
    """Greyscale conversion of a random subset of the images.

    The number of channels stays the same.
    """

    type: Literal["grey"] = "grey"
    probability: Fraction = 0.1
    """Probability of changing an image."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        return apply_with_probability(_greyscale, images, self.probability, randomness)


def _greyscale(images: tf.Tensor) -> tf.Tensor:
    return convert_channels(convert_channels(images, 1), images.shape[-1])


class Sharpness(Spec):
    """Random sharpness: blends with, or extrapolates from, an image blurred by one pixel."""

    type: Literal["sharpness"] = "sharpness"
    fraction: Fraction = 0.5
    """Maximum change: 0.5 scales the fine detail by a factor from 0.5 to 1.5, 1 from 0 to 2."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        factors = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, 0]
        return adjust_sharpness(images, factors)
