"""Flip: the mirror image of half of the pictures."""

from __future__ import annotations

from typing import ClassVar, Literal

from mmzoo.inputs.image.augment.affine import Fill, scaling
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Spec


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
