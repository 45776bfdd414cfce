"""Random erasing: a random box of the image is overwritten."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import Gt, Le

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Problem, Spec


def box_mask(boxes: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Mask of the pixels inside a box per image: bool `[batch, height, width, 1]`.

    Args:
        boxes: float32 `[batch, 4]`: top, left, bottom, right in whole pixels; bottom and right are
            exclusive.
        height: height of the images.
        width: width of the images.
    """
    top, left, bottom, right = tf.split(boxes, 4, axis=1)
    rows, columns = tf.range(float(height)), tf.range(float(width))
    in_rows = (rows >= top) & (rows < bottom)
    in_columns = (columns >= left) & (columns < right)
    return in_rows[:, :, None, None] & in_columns[:, None, :, None]


class Erasing(Spec):
    """Random erasing: overwrites a random box, so that predictions rely on more than one region.

    A box longer than the image is clipped; the paper draws another box.

    Reference: Zhong et al., "Random erasing data augmentation", 2017.
    """

    type: Literal["erasing"] = "erasing"
    probability: Fraction = 0.5
    """Probability of changing an image."""
    area: tuple[Fraction, Fraction] = (0.02, 0.4)
    """Minimum and maximum area of the box, as fractions of the image's area."""
    aspect: Annotated[float, Gt(0), Le(1)] = 0.3
    """Minimum ratio of the box's short side to its long side, in either orientation."""
    fill: Literal["noise", "mean", "black"] = "noise"
    """Values inside the box: random per pixel, the image's mean per channel, or black."""

    def rules(self) -> Iterator[Problem]:
        """Checks that the minimum area is not above the maximum."""
        smallest, largest = self.area
        if smallest > largest:
            yield Problem(
                ("area",),
                f"the smallest area, {smallest}, is above the largest, {largest}: "
                f"write [{largest}, {smallest}]",
            )

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        rows, columns = images.shape[1:3]
        drawn, size, ratio, upright, top, left = tf.split(randomness.uniform(6), 6, axis=1)
        smallest, largest = self.area
        pixels = (smallest + (largest - smallest) * size) * float(rows * columns)
        ratio = self.aspect + (1.0 - self.aspect) * ratio
        aspect = tf.where(upright < 0.5, ratio, 1.0 / ratio)
        height = tf.clip_by_value(tf.round(tf.sqrt(pixels * aspect)), 1.0, float(rows))
        width = tf.clip_by_value(tf.round(tf.sqrt(pixels / aspect)), 1.0, float(columns))
        top = tf.floor(top * (float(rows) - height + 1.0))
        left = tf.floor(left * (float(columns) - width + 1.0))
        box = tf.concat([top, left, top + height, left + width], axis=1)
        erased = (drawn < self.probability)[:, :, None, None] & box_mask(box, rows, columns)
        return tf.where(erased, self._fill_values(images, randomness.fold("paint")), images)

    def _fill_values(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Values of erased pixels: uint8, broadcastable to the images."""
        if self.fill == "noise":
            return tf.reshape(randomness.bytes(math.prod(images.shape[1:])), tf.shape(images))
        if self.fill == "mean":
            pixels = images.shape[1] * images.shape[2]
            total = tf.reduce_sum(tf.cast(images, tf.int64), axis=[1, 2], keepdims=True)
            return tf.cast((total + pixels // 2) // pixels, tf.uint8)
        return tf.zeros_like(images)
