"""Corruptions of images: Gaussian noise and Gaussian blur."""

from __future__ import annotations

import math

from mmzoo.lazy import tf
from mmzoo.modalities.base_input import Corruption
from mmzoo.randomness import Randomness

_NOISE = (8.0, 16.0, 32.0, 64.0, 96.0)
_BLUR = (0.01, 0.02, 0.04, 0.06, 0.08)
"""Fractions of the shorter side, since the effect of a blur in pixels depends on the resolution."""
_BYTES = 4
"""Number of random bytes that are summed for one approximately normal number."""
_BYTES_STD = (_BYTES * (256**2 - 1) / 12) ** 0.5
_TRUNCATE = 3.0
"""Standard deviations of a blur at which its kernel is truncated."""


def image_corruptions(shape: tuple[int, int, int]) -> tuple[Corruption, ...]:
    """Corruptions of images of this height, width and number of channels."""
    side = min(shape[:2])
    blur = tuple(float(f"{share * side:.2g}") for share in _BLUR)
    radius = math.ceil(_TRUNCATE * blur[-1])
    return (
        Corruption("noise", "grey levels", _NOISE, add_gaussian_noise),
        Corruption(
            "blur", "pixels", blur, lambda images, std, _: gaussian_blur(images, std, radius)
        ),
    )


def add_gaussian_noise(images: tf.Tensor, std: tf.Tensor, randomness: Randomness) -> tf.Tensor:
    """Adds Gaussian noise to each channel of each pixel.

    Args:
        images: uint8 `[batch, height, width, channels]`; only the batch size may be unknown.
        std: float32 scalar, in grey levels.
        randomness: random numbers of the examples.

    Returns:
        uint8, of the same shape.
    """
    values = math.prod(images.shape[1:])
    drawn = tf.reshape(randomness.bytes(_BYTES * values), [-1, *images.shape[1:], _BYTES])
    # A sum of bytes is close to normal and much cheaper than a normal number.
    total = tf.reduce_sum(tf.cast(drawn, tf.uint16), axis=-1)
    noise = (tf.cast(total, tf.float32) - 127.5 * _BYTES) / _BYTES_STD
    return tf.saturate_cast(tf.round(tf.cast(images, tf.float32) + std * noise), tf.uint8)


def gaussian_blur(images: tf.Tensor, std: tf.Tensor, radius: int) -> tf.Tensor:
    """Applies a Gaussian blur, with reflected edges.

    Args:
        images: uint8 `[batch, height, width, channels]`; only the batch size may be unknown.
        std: float32 scalar, in pixels.
        radius: radius of the kernel in pixels; at most the height and the width.

    Returns:
        uint8, of the same shape.
    """
    channels = images.shape[-1]
    distance = tf.cast(tf.range(-radius, radius + 1), tf.float32)
    weights = tf.exp(-0.5 * (distance / std) ** 2)
    kernel = tf.tile((weights / tf.reduce_sum(weights))[:, None, None, None], [1, 1, channels, 1])
    edges = [[0, 0], [radius, radius], [radius, radius], [0, 0]]
    x = tf.pad(tf.cast(images, tf.float32), edges, "SYMMETRIC")
    x = tf.nn.depthwise_conv2d(x, kernel, strides=[1, 1, 1, 1], padding="VALID")
    horizontal = tf.transpose(kernel, [1, 0, 2, 3])
    x = tf.nn.depthwise_conv2d(x, horizontal, strides=[1, 1, 1, 1], padding="VALID")
    return tf.saturate_cast(tf.round(x), tf.uint8)
