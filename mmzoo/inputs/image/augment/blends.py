"""Blends: pictures drawn nearer to, or farther from, a duller version of themselves.

The factor is that of Pillow's `ImageEnhance`: 0 is the dull version, 1 the picture, and above 1 is
beyond it. Values are rounded, where Pillow cuts their fraction off.
"""

from __future__ import annotations

import math

from mmzoo.inputs.image.fitting import with_channels
from mmzoo.lazy import tf


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
