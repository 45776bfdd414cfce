"""Brightness: pictures made lighter or darker."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


class Brightness(Spec):
    """Adds one random amount to all pixels of a picture."""

    type: Literal["brightness"] = "brightness"
    fraction: Fraction = 0.1
    """The largest amount either way, as a fraction of the way from black to white."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        amount = randomness.uniform(1, -self.fraction, self.fraction)[:, None, None] * 255.0
        return tf.saturate_cast(tf.round(tf.cast(images, tf.float32) + amount), tf.uint8)
