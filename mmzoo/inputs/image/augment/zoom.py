"""Zoom: pictures seen from nearer or farther."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from mmzoo.inputs.image.augment.affine import Fill, scaling
from mmzoo.randomness import Randomness
from mmzoo.spec import Rate, Spec

if TYPE_CHECKING:
    import tensorflow as tf


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
