"""Shear: pictures slanted sideways, up or down."""

from __future__ import annotations

from typing import ClassVar, Literal

from mmzoo.inputs.image.augment.affine import Fill, shearing
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


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
