"""Geometric augmentations: flip, crop, shift, shear, rotation and zoom, as affine maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, PositiveInt, Rate, Spec

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


class Flip(Spec):
    """Shows each picture, or its mirror image, with even chances.

    Not for digits and letters: a mirrored 2 is no 2.
    """

    whole_pixels: ClassVar[bool] = True
    fill: ClassVar[Fill] = "constant"  # Never seen: a mirror image covers all of the picture.

    type: Literal["flip"] = "flip"
    horizontal: bool = True
    """Left and right change places."""
    vertical: bool = False
    """Top and bottom change places."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """The affine map of each example, float32 `[batch, 3, 3]`."""
        across, down = tf.unstack(tf.where(randomness.uniform(2) < 0.5, -1.0, 1.0), axis=1)
        return scaling(
            across if self.horizontal else tf.ones_like(across),
            down if self.vertical else tf.ones_like(down),
        )


class Crop(Spec):
    """Pads each picture by some pixels and cuts its own size out at a random place.

    With `pixels: 4` and a flip it is the standard augmentation of CIFAR. It moves whole pixels, so
    unlike `shift` it blurs nothing.

    Reference: Lee et al., "Deeply-supervised nets", 2015.
    """

    whole_pixels: ClassVar[bool] = True

    type: Literal["crop"] = "crop"
    pixels: PositiveInt = 4
    """How far a picture moves at most, in each direction."""
    fill: Fill = "constant"
    """What the padding shows: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """The affine map of each example, float32 `[batch, 3, 3]`."""
        places = tf.floor(randomness.uniform(2) * (2.0 * self.pixels + 1.0))
        right, down = tf.unstack(places - self.pixels, axis=1)
        return translation(right, down)


class Shift(Spec):
    """Moves each picture by a random part of its size, to fractions of a pixel."""

    whole_pixels: ClassVar[bool] = False

    type: Literal["shift"] = "shift"
    height: Fraction = 0.1
    """How far up or down at most, as a fraction of the height."""
    width: Fraction = 0.1
    """How far left or right at most, as a fraction of the width."""
    fill: Fill = "constant"
    """What is seen where the picture has left: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """The affine map of each example, float32 `[batch, 3, 3]`."""
        right, down = tf.unstack(randomness.uniform(2, -1.0, 1.0), axis=1)
        return translation(right * (self.width * width), down * (self.height * height))


class Shear(Spec):
    """Slants each picture about its centre, as italics are slanted: rows, then columns."""

    whole_pixels: ClassVar[bool] = False

    type: Literal["shear"] = "shear"
    horizontal: Fraction = 0.1
    """How far a row moves sideways at most, as a fraction of its distance from the middle."""
    vertical: Fraction = 0.1
    """How far a column moves up or down at most, as a fraction of its distance from the middle."""
    fill: Fill = "constant"
    """What is seen where the picture has left: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """The affine map of each example, float32 `[batch, 3, 3]`."""
        across, down = tf.unstack(randomness.uniform(2, -1.0, 1.0), axis=1)
        return shearing(across * self.horizontal, down * self.vertical)


class Rotation(Spec):
    """Turns each picture about its centre by a random angle, either way."""

    whole_pixels: ClassVar[bool] = False

    type: Literal["rotation"] = "rotation"
    degrees: Annotated[float, Ge(0), Le(180)] = 10.0
    """The largest angle."""
    fill: Fill = "constant"
    """What is seen in the corners: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """The affine map of each example, float32 `[batch, 3, 3]`."""
        return rotation(randomness.uniform(1, -1.0, 1.0)[:, 0] * math.radians(self.degrees))


class Zoom(Spec):
    """Enlarges or shrinks each picture about its centre, its proportions kept."""

    whole_pixels: ClassVar[bool] = False

    type: Literal["zoom"] = "zoom"
    fraction: Rate = 0.1
    """How much larger or smaller at most: 0.1 is from 0.9 to 1.1 times the size."""
    fill: Fill = "constant"
    """What is seen around a smaller picture: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """The affine map of each example, float32 `[batch, 3, 3]`."""
        factor = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, 0]
        return scaling(factor, factor)
