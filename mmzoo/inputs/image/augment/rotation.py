"""Rotation: pictures turned about their centre."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from mmzoo.inputs.image.augment.affine import Fill, rotation
from mmzoo.randomness import Randomness
from mmzoo.spec import Spec

if TYPE_CHECKING:
    import tensorflow as tf


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
