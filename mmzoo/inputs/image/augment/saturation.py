"""Saturation: pictures of paler or stronger colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.inputs.image.augment.blends import saturated
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec

if TYPE_CHECKING:
    import tensorflow as tf


class Saturation(Spec):
    """Draws the colours of a picture nearer to, or farther from, grey."""

    type: Literal["saturation"] = "saturation"
    fraction: Fraction = 0.3
    """How much at most: 0.3 is from 0.7 to 1.3 times the colour, 1 from none to twice of it."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        factors = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, 0]
        return saturated(images, factors)
