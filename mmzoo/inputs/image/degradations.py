"""How pictures get worse: noise and blur."""

from __future__ import annotations

import math

from mmzoo.inputs.degradation import Degradation
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness

_NOISE = (8.0, 16.0, 32.0, 64.0, 96.0)
_BLUR = (0.01, 0.02, 0.04, 0.06, 0.08)
"""As shares of the shorter side, since what a pixel of blur hides depends on the resolution."""
_BYTES = 4
"""How many random bytes are summed for one that is normal."""
_DEVIATION = (_BYTES * (256**2 - 1) / 12) ** 0.5
_REACH = 3.0
"""How many deviations of a blur are summed up."""


def degradations_of(shape: tuple[int, int, int]) -> tuple[Degradation, ...]:
    """Of pictures of this height, width and number of channels."""
    side = min(shape[:2])
    blur = tuple(float(f"{share * side:.2g}") for share in _BLUR)
    radius = math.ceil(_REACH * blur[-1])
    return (
        Degradation("noise", "grey levels", _NOISE, noisy),
        Degradation("blur", "pixels", blur, lambda images, step, _: blurred(images, step, radius)),
    )


def noisy(images: tf.Tensor, deviation: tf.Tensor, randomness: Randomness) -> tf.Tensor:
    """With Gaussian noise in each value of each pixel.

    Args:
        images: uint8 `[batch, height, width, channels]`, all but the batch static; so returned.
        deviation: float32 scalar, in grey levels.
        randomness: the examples' stream.
    """
    values = math.prod(images.shape[1:])
    drawn = tf.reshape(randomness.bytes(_BYTES * values), [-1, *images.shape[1:], _BYTES])
    # The sum of some bytes is as good as normal, for a fraction of what a normal number costs.
    total = tf.reduce_sum(tf.cast(drawn, tf.uint16), axis=-1)
    noise = (tf.cast(total, tf.float32) - 127.5 * _BYTES) / _DEVIATION
    return tf.saturate_cast(tf.round(tf.cast(images, tf.float32) + deviation * noise), tf.uint8)


def blurred(images: tf.Tensor, deviation: tf.Tensor, radius: int) -> tf.Tensor:
    """After a Gaussian blur; what is beyond the edges is their mirror image.

    Args:
        images: uint8 `[batch, height, width, channels]`, all but the batch static; so returned.
        deviation: float32 scalar, in pixels.
        radius: how many pixels on either side are looked at; at most the height and the width.
    """
    channels = images.shape[-1]
    distance = tf.cast(tf.range(-radius, radius + 1), tf.float32)
    weights = tf.exp(-0.5 * (distance / deviation) ** 2)
    kernel = tf.tile((weights / tf.reduce_sum(weights))[:, None, None, None], [1, 1, channels, 1])
    edges = [[0, 0], [radius, radius], [radius, radius], [0, 0]]
    x = tf.pad(tf.cast(images, tf.float32), edges, "SYMMETRIC")
    x = tf.nn.depthwise_conv2d(x, kernel, strides=[1, 1, 1, 1], padding="VALID")
    across = tf.transpose(kernel, [1, 0, 2, 3])
    x = tf.nn.depthwise_conv2d(x, across, strides=[1, 1, 1, 1], padding="VALID")
    return tf.saturate_cast(tf.round(x), tf.uint8)
