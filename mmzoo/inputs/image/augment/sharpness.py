"""Sharpness: pictures blurred a little or sharpened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.inputs.image.augment.blends import sharpened
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec

if TYPE_CHECKING:
    import tensorflow as tf


class Sharpness(Spec):
    """Draws a picture nearer to, or farther from, its blur by one pixel."""

    type: Literal["sharpness"] = "sharpness"
    fraction: Fraction = 0.5
    """How much at most: 0.5 is from half to one and a half times the detail, 1 from none to twice
    of it."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        factors = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, 0]
        return sharpened(images, factors)
