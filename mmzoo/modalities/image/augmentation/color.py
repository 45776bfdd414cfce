"""Color augmentations: brightness, contrast, saturation, hue, greyscale and sharpness."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from annotated_types import Ge, Le

from mmzoo.inputs.image.fitting import with_channels
from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.random_apply import by_chance
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


def brightened(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Towards black, or away from it.

    Args:
        images: uint8 `[batch, height, width, channels]`, all but the batch static; so returned.
        factors: float32 `[batch]`.
    """
    return _blended(tf.zeros([1, 1, 1, 1]), images, factors)


def contrasted(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Towards the mean of the grey picture, or away from it; arguments as for `brightened`."""
    grey = with_channels(images, 1)
    pixels = math.prod(grey.shape[1:])
    # Summed as integers: a sum of floats has other bits in a batch of another size.
    total = tf.reduce_sum(tf.cast(grey, tf.int64), axis=[1, 2, 3], keepdims=True)
    return _blended(tf.cast((total + pixels // 2) // pixels, tf.float32), images, factors)


def saturated(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Towards the grey picture, or away from it; grey pictures stay. As for `brightened`."""
    if images.shape[-1] == 1:
        return images
    return _blended(tf.cast(with_channels(images, 1), tf.float32), images, factors)


def sharpened(images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Towards the blurred picture, or away from it; arguments as for `brightened`.

    The blur is Pillow's, five parts of a pixel and one of each neighbour. Pillow leaves the
    outermost pixels as they are; here they have themselves for neighbours beyond the border.
    """
    channels = images.shape[-1]
    kernel = tf.reshape(tf.constant([1.0, 1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 1.0]), [3, 3, 1, 1])
    padded = tf.pad(tf.cast(images, tf.float32), [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    # Sums of whole numbers are exact in any order, so their bits do not depend on the batch. And
    # SAME, cut to size: with VALID an empty batch comes out of the size that went in.
    sums = tf.nn.depthwise_conv2d(
        padded, tf.tile(kernel, [1, 1, channels, 1]), strides=[1, 1, 1, 1], padding="SAME"
    )[:, 1:-1, 1:-1]
    return _blended(sums * (1.0 / 13.0), images, factors)


def _blended(dull: tf.Tensor, images: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    factors = factors[:, None, None, None]
    blended = tf.cast(images, tf.float32) * factors + dull * (1.0 - factors)
    return tf.saturate_cast(tf.round(blended), tf.uint8)


class Brightness(Spec):
    """Adds one random amount to all pixels of a picture."""

    type: Literal["brightness"] = "brightness"
    fraction: Fraction = 0.1
    """The largest amount either way, as a fraction of the way from black to white."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        amount = randomness.uniform(1, -self.fraction, self.fraction)[:, None, None] * 255.0
        return tf.saturate_cast(tf.round(tf.cast(images, tf.float32) + amount), tf.uint8)


class Contrast(Spec):
    """Draws all pixels of a picture nearer to, or farther from, their mean."""

    type: Literal["contrast"] = "contrast"
    fraction: Fraction = 0.1
    """How much at most: 0.1 is from 0.9 to 1.1 times the distance."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        factor = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, None, None]
        # Summed as integers: a sum of floats has other bits in a batch of another size.
        total = tf.reduce_sum(tf.cast(images, tf.int64), axis=[1, 2, 3], keepdims=True)
        mean = tf.cast(total, tf.float32) * (1.0 / math.prod(images.shape[1:]))
        changed = (tf.cast(images, tf.float32) - mean) * factor + mean
        return tf.saturate_cast(tf.round(changed), tf.uint8)


class Saturation(Spec):
    """Draws the colours of a picture nearer to, or farther from, grey."""

    type: Literal["saturation"] = "saturation"
    fraction: Fraction = 0.3
    """How much at most: 0.3 is from 0.7 to 1.3 times the colour, 1 from none to twice of it."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        factors = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, 0]
        return saturated(images, factors)


class Hue(Spec):
    """Turns all hues of a picture by one angle on the circle from red over green and blue to red.

    Greys have no hue, so grey pictures stay as they are.
    """

    type: Literal["hue"] = "hue"
    degrees: Annotated[float, Ge(0), Le(180)] = 10.0
    """The largest angle either way: 120 would turn red into green or blue."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        if images.shape[-1] == 1:
            return images
        turns = randomness.uniform(1, -self.degrees / 360.0, self.degrees / 360.0)[:, :, None]
        # The values may reach to 255: hue and saturation do not depend on their scale.
        hue, saturation, value = tf.unstack(
            tf.image.rgb_to_hsv(tf.cast(images, tf.float32)), axis=-1
        )
        hue += turns
        turned = tf.image.hsv_to_rgb(tf.stack([hue - tf.floor(hue), saturation, value], axis=-1))
        return tf.saturate_cast(tf.round(turned), tf.uint8)


class Grey(Spec):
    """Shows some of the pictures in grey, with as many channels as before."""

    type: Literal["grey"] = "grey"
    probability: Fraction = 0.1
    """The share of pictures that lose their colour."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        return by_chance(_without_color, images, self.probability, randomness)


def _without_color(images: tf.Tensor) -> tf.Tensor:
    return with_channels(with_channels(images, 1), images.shape[-1])


class Sharpness(Spec):
    """Draws a picture nearer to, or farther from, its blur by one pixel."""

    type: Literal["sharpness"] = "sharpness"
    fraction: Fraction = 0.5
    """How much at most: 0.5 is from half to one and a half times the detail, 1 from none to twice
    of it."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        factors = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, 0]
        return sharpened(images, factors)
