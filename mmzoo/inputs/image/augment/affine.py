"""Pictures moved by affine maps: the geometry that flip, crop, shift, rotation and their kin share.

A map is a float32 `[batch, 3, 3]` matrix that takes a place in the new picture to the place in the
old one that is seen there. Places are (x, y, 1) in pixels from the picture's centre, x to the right
and y down.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Literal

from mmzoo.lazy import tf

Fill = Literal["constant", "nearest", "reflect"]
"""What is seen where the picture does not reach: black, its nearest pixel, or its mirror image.

Black is the default everywhere: it is the ground of MNIST and its kin, it is what the standard
CIFAR crop pads with, and unlike the others it draws no strokes that were never there.
"""


def translation(right: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
    """Moves the picture by so many pixels, `[batch]` each."""
    one, zero = tf.ones_like(right), tf.zeros_like(right)
    return _matrices(one, zero, -right, zero, one, -down)


def scaling(across: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
    """Enlarges the picture by these factors, `[batch]` each; a negative one mirrors it."""
    zero = tf.zeros_like(across)
    return _matrices(1.0 / across, zero, zero, zero, 1.0 / down, zero)


def shearing(across: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
    """Moves rows right by `across` of their distance below the centre, then columns down likewise.

    Args:
        across: float32 `[batch]`.
        down: Likewise, of the distance to the right of the centre.
    """
    one, zero = tf.ones_like(across), tf.zeros_like(across)
    return _matrices(one + across * down, -across, zero, -down, one, zero)


def rotation(radians: tf.Tensor) -> tf.Tensor:
    """Turns the picture anticlockwise by these angles, `[batch]`."""
    # In float32 the bits of a sine depend on the place in the batch: see randomness.py.
    radians = tf.cast(radians, tf.float64)
    cosine, sine = tf.cast(tf.cos(radians), tf.float32), tf.cast(tf.sin(radians), tf.float32)
    zero = tf.zeros_like(cosine)
    return _matrices(cosine, -sine, zero, sine, cosine, zero)


def resample(
    images: tf.Tensor, maps: Sequence[tf.Tensor], fill: Fill, whole_pixels: bool
) -> tf.Tensor:
    """The pictures after all maps, in that order, read off the originals once.

    Once, because each resampling blurs and costs as much as the others, and because what a first
    map pushes over the border a second may bring back.

    Args:
        images: uint8 `[batch, height, width, channels]`, the sizes static.
        maps: float32 `[batch, 3, 3]` each.
        fill: What is seen where the picture does not reach.
        whole_pixels: The maps take pixels to pixels, so there is nothing to interpolate.
    """
    height, width = images.shape[1:3]
    right, down = tf.constant([(width - 1) / 2]), tf.constant([(height - 1) / 2])
    from_corner, to_corner = translation(right, down), translation(-right, -down)
    transforms = tf.reshape(reduce(_composed, [to_corner, *maps, from_corner]), [-1, 9])[:, :8]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        # On uint8 the kernel would interpolate in integers and cut off the fraction.
        images=images if whole_pixels else tf.cast(images, tf.float32),
        transforms=transforms,
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="NEAREST" if whole_pixels else "BILINEAR",
        fill_mode=fill.upper(),
    )
    return moved if whole_pixels else tf.saturate_cast(tf.round(moved), tf.uint8)


def _matrices(*top_rows: tf.Tensor) -> tf.Tensor:
    """The matrices with these six entries, `[batch]` each, above the row (0, 0, 1)."""
    one, zero = tf.ones_like(top_rows[0]), tf.zeros_like(top_rows[0])
    return tf.reshape(tf.stack([*top_rows, zero, zero, one], axis=1), [-1, 3, 3])


def _composed(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """The product of the matrices; written out, for matmul's bits may depend on the batch."""
    return (
        first[:, :, 0:1] * second[:, 0:1, :]
        + first[:, :, 1:2] * second[:, 1:2, :]
        + first[:, :, 2:3] * second[:, 2:3, :]
    )
