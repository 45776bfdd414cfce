"""Shift: pictures moved sideways, up or down."""

from __future__ import annotations

from typing import ClassVar, Literal

from mmzoo.inputs.image.augment.affine import Fill, translation
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


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
