"""Contrast: pictures made flatter or harsher."""

from __future__ import annotations

import math
from typing import Literal

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


class Contrast(Spec):
    """Draws all pixels of a picture nearer to, or farther from, their mean."""

    type: Literal["contrast"] = "contrast"
    fraction: Fraction = 0.1
    """How much at most: 0.1 is from 0.9 to 1.1 times the distance."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        factor = randomness.uniform(1, 1.0 - self.fraction, 1.0 + self.fraction)[:, None, None]
        # Summed as integers: a sum of floats has other bits in a batch of another size.
        total = tf.reduce_sum(tf.cast(images, tf.int64), axis=[1, 2, 3], keepdims=True)
        mean = tf.cast(total, tf.float32) * (1.0 / math.prod(images.shape[1:]))
        changed = (tf.cast(images, tf.float32) - mean) * factor + mean
        return tf.saturate_cast(tf.round(changed), tf.uint8)
