"""Random erasing: a random box of the image is filled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import Gt, Le

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Problem, Spec


def inside_box(boxes: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Which pixels lie in each picture's box: bool `[batch, height, width, 1]`.

    Args:
        boxes: float32 `[batch, 4]`: top, left, bottom, right in whole pixels, the last two
            excluded.
        height: Of the pictures.
        width: Of the pictures.
    """
    top, left, bottom, right = tf.split(boxes, 4, axis=1)
    rows, columns = tf.range(float(height)), tf.range(float(width))
    in_rows = (rows >= top) & (rows < bottom)
    in_columns = (columns >= left) & (columns < right)
    return in_rows[:, :, None, None] & in_columns[:, None, :, None]


class Erasing(Spec):
    """Paints over a random box in some of the pictures, so that no single part decides.

    A box that would be longer than the picture is cut to it, where the paper draws another one.

    Reference: Zhong et al., "Random erasing data augmentation", 2017.
    """

    type: Literal["erasing"] = "erasing"
    probability: Fraction = 0.5
    """The share of pictures that lose a box."""
    area: tuple[Fraction, Fraction] = (0.02, 0.4)
    """The smallest and the largest box, as fractions of the picture's area."""
    aspect: Annotated[float, Gt(0), Le(1)] = 0.3
    """The slimmest box: its short side over its long side, upright or lying."""
    fill: Literal["noise", "mean", "black"] = "noise"
    """The paint: a random value for each pixel, the picture's mean for each channel, or black."""

    def rules(self) -> Iterator[Problem]:
        """The smallest area is not above the largest."""
        smallest, largest = self.area
        if smallest > largest:
            yield Problem(
                ("area",),
                f"the smallest area, {smallest}, is above the largest, {largest}: "
                f"write [{largest}, {smallest}]",
            )

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        rows, columns = images.shape[1:3]
        chance, size, slimness, upright, top, left = tf.split(randomness.uniform(6), 6, axis=1)
        smallest, largest = self.area
        pixels = (smallest + (largest - smallest) * size) * float(rows * columns)
        slimness = self.aspect + (1.0 - self.aspect) * slimness
        aspect = tf.where(upright < 0.5, slimness, 1.0 / slimness)
        height = tf.clip_by_value(tf.round(tf.sqrt(pixels * aspect)), 1.0, float(rows))
        width = tf.clip_by_value(tf.round(tf.sqrt(pixels / aspect)), 1.0, float(columns))
        top = tf.floor(top * (float(rows) - height + 1.0))
        left = tf.floor(left * (float(columns) - width + 1.0))
        box = tf.concat([top, left, top + height, left + width], axis=1)
        erased = (chance < self.probability)[:, :, None, None] & inside_box(box, rows, columns)
        return tf.where(erased, self._paint(images, randomness.fold("paint")), images)

    def _paint(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 that broadcasts to the pictures."""
        if self.fill == "noise":
            return tf.reshape(randomness.bytes(math.prod(images.shape[1:])), tf.shape(images))
        if self.fill == "mean":
            pixels = images.shape[1] * images.shape[2]
            total = tf.reduce_sum(tf.cast(images, tf.int64), axis=[1, 2], keepdims=True)
            return tf.cast((total + pixels // 2) // pixels, tf.uint8)
        return tf.zeros_like(images)
