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
"""Values outside the image: 0 (black), the nearest pixel, or a reflection.

Black is the default: it is the background of MNIST-like datasets and the padding of the standard
CIFAR crop, and it does not create new strokes."""


def translation(right: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
    """Affine matrices that move images by a number of pixels, `[batch]` each."""
    one, zero = tf.ones_like(right), tf.zeros_like(right)
    return _affine_matrices(one, zero, -right, zero, one, -down)


def scaling(across: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
    """Affine matrices that scale images by factors, `[batch]` each; a negative factor mirrors."""
    zero = tf.zeros_like(across)
    return _affine_matrices(1.0 / across, zero, zero, zero, 1.0 / down, zero)


def shearing(across: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
    """Affine matrices that shear images: rows to the right, then columns down.

    Args:
        across: float32 `[batch]`, shift of a row relative to its distance below the center.
        down: float32 `[batch]`, shift of a column relative to its distance right of the center.
    """
    one, zero = tf.ones_like(across), tf.zeros_like(across)
    return _affine_matrices(one + across * down, -across, zero, -down, one, zero)


def rotation(radians: tf.Tensor) -> tf.Tensor:
    """Affine matrices that rotate images counterclockwise by angles, `[batch]`."""
    # In float32, the bits of a sine depend on the position in the batch: see randomness.py.
    radians = tf.cast(radians, tf.float64)
    cosine, sine = tf.cast(tf.cos(radians), tf.float32), tf.cast(tf.sin(radians), tf.float32)
    zero = tf.zeros_like(cosine)
    return _affine_matrices(cosine, -sine, zero, sine, cosine, zero)


def resample(
    images: tf.Tensor, maps: Sequence[tf.Tensor], fill: Fill, whole_pixels: bool
) -> tf.Tensor:
    """Images after affine maps, with a single interpolation.

    The maps are composed first. Repeated interpolation would blur the images and cost more, and
    would lose pixels that one map moves out of the image and the next map moves back.

    Args:
        images: uint8 `[batch, height, width, channels]`; all sizes but the batch are static.
        maps: affine matrices, float32 `[batch, 3, 3]` each, in the order of application.
        fill: values outside the image.
        whole_pixels: whether the maps move pixels onto pixels, so that nothing is interpolated.

    Returns:
        Uint8, same shape as `images`.
    """
    height, width = images.shape[1:3]
    right, down = tf.constant([(width - 1) / 2]), tf.constant([(height - 1) / 2])
    from_corner, to_corner = translation(right, down), translation(-right, -down)
    transforms = tf.reshape(reduce(_matmul, [to_corner, *maps, from_corner]), [-1, 9])[:, :8]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        # The kernel would truncate interpolated uint8 values.
        images=images if whole_pixels else tf.cast(images, tf.float32),
        transforms=transforms,
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="NEAREST" if whole_pixels else "BILINEAR",
        fill_mode=fill.upper(),
    )
    return moved if whole_pixels else tf.saturate_cast(tf.round(moved), tf.uint8)


def _affine_matrices(*top_rows: tf.Tensor) -> tf.Tensor:
    """Affine matrices `[batch, 3, 3]` from the six entries of their first two rows."""
    one, zero = tf.ones_like(top_rows[0]), tf.zeros_like(top_rows[0])
    return tf.reshape(tf.stack([*top_rows, zero, zero, one], axis=1), [-1, 3, 3])


def _matmul(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Matrix products, written out: the bits of `tf.matmul` may depend on the batch size."""
    return (
        first[:, :, 0:1] * second[:, 0:1, :]
        + first[:, :, 1:2] * second[:, 1:2, :]
        + first[:, :, 2:3] * second[:, 2:3, :]
    )


class Flip(Spec):
    """Random mirroring, with probability 0.5 per direction.

    Not for digits and letters: a mirrored 2 is not a 2.
    """

    whole_pixels: ClassVar[bool] = True
    fill: ClassVar[Fill] = "constant"  # Not visible: a mirrored image covers all pixels.

    type: Literal["flip"] = "flip"
    horizontal: bool = True
    """Whether to swap left and right at random."""
    vertical: bool = False
    """Whether to swap top and bottom at random."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """Affine map of each example, float32 `[batch, 3, 3]`."""
        across, down = tf.unstack(tf.where(randomness.uniform(2) < 0.5, -1.0, 1.0), axis=1)
        return scaling(
            across if self.horizontal else tf.ones_like(across),
            down if self.vertical else tf.ones_like(down),
        )


class Crop(Spec):
    """Random crop of the original size after padding: a shift by whole pixels.

    With `pixels: 4` and a flip, it is the standard augmentation of CIFAR. Unlike `shift`, it does
    not blur.

    Reference: Lee et al., "Deeply-supervised nets", 2015.
    """

    whole_pixels: ClassVar[bool] = True

    type: Literal["crop"] = "crop"
    pixels: PositiveInt = 4
    """Padding on each side, which is the maximum shift in each direction."""
    fill: Fill = "constant"
    """Values of the padding: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """Affine map of each example, float32 `[batch, 3, 3]`."""
        offsets = tf.floor(randomness.uniform(2) * (2.0 * self.pixels + 1.0))
        right, down = tf.unstack(offsets - self.pixels, axis=1)
        return translation(right, down)


class Shift(Spec):
    """Random translation, with subpixel interpolation."""

    whole_pixels: ClassVar[bool] = False

    type: Literal["shift"] = "shift"
    height: Fraction = 0.1
    """Maximum vertical shift, as a fraction of the height."""
    width: Fraction = 0.1
    """Maximum horizontal shift, as a fraction of the width."""
    fill: Fill = "constant"
    """Values outside the image: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """Affine map of each example, float32 `[batch, 3, 3]`."""
        right, down = tf.unstack(randomness.uniform(2, -1.0, 1.0), axis=1)
        return translation(right * (self.width * width), down * (self.height * height))


class Shear(Spec):
    """Random shear about the center, of rows and then of columns."""

    whole_pixels: ClassVar[bool] = False

    type: Literal["shear"] = "shear"
    horizontal: Fraction = 0.1
    """Maximum horizontal shift of a row, as a fraction of its distance from the center."""
    vertical: Fraction = 0.1
    """Maximum vertical shift of a column, as a fraction of its distance from the center."""
    fill: Fill = "constant"
    """Values outside the image: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """Affine map of each example, float32 `[batch, 3, 3]`."""
        across, down = tf.unstack(randomness.uniform(2, -1.0, 1.0), axis=1)
        return shearing(across * self.horizontal, down * self.vertical)


class Rotation(Spec):
    """Random rotation about the center, in either direction."""

    whole_pixels: ClassVar[bool] = False

    type: Literal["rotation"] = "rotation"
    degrees: Annotated[float, Ge(0), Le(180)] = 10.0
    """Maximum angle, in degrees."""
    fill: Fill = "constant"
    """Values outside the image: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """Affine map of each example, float32 `[batch, 3, 3]`."""
        return rotation(randomness.uniform(1, -1.0, 1.0)[:, 0] * math.radians(self.degrees))


class Zoom(Spec):
    """Random zoom about the center, in or out, with the aspect ratio unchanged."""

    whole_pixels: ClassVar[bool] = False

    type: Literal["zoom"] = "zoom"
    fraction: Rate = 0.1
    """Maximum change of the size: 0.1 scales by a factor from 0.9 to 1.1."""
    fill: Fill = "constant"
    """Values outside the image: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """Affine map of each example, float32 `[batch, 3, 3]`."""
        factor = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, 0]
        return scaling(factor, factor)
