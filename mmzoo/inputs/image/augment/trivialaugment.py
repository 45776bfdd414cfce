"""TrivialAugment: one operation drawn for each picture, and its strength too."""

from __future__ import annotations

from typing import Literal

from mmzoo.inputs.image.augment.affine import Fill
from mmzoo.inputs.image.augment.distortions import NUM_OPERATIONS, moderate, wide
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Spec

NUM_STRENGTHS = 31


class TrivialAugment(Spec):
    """Does one operation on each picture, of any strength; there is nothing to tune.

    The operations are those of `randaugment`, done as they are there; the strength is one of 31,
    from nothing to the end of the range. A wide range ends at 135 degrees, a slant of 0.99, a
    shift of 32 pixels, 2 bits, and factors of 0.01 and 1.99, so that a picture of 32 pixels may
    leave its frame, as it may in the paper.

    Reference: Müller and Hutter, "TrivialAugment: tuning-free yet state-of-the-art data
    augmentation", 2021.
    """

    type: Literal["trivialaugment"] = "trivialaugment"
    ranges: Literal["wide", "moderate"] = "wide"
    """How far the operations go: wide, or as far as those of RandAugment."""
    fill: Fill = "constant"
    """What is seen where a moved picture does not reach: constant (black), nearest (pixel) or
    reflect."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        height, width = images.shape[1:3]
        distortions = (
            wide(self.fill) if self.ranges == "wide" else moderate(height, width, self.fill)
        )
        place, sign, strength = tf.unstack(randomness.uniform(3), axis=1)
        strength = tf.floor(strength * NUM_STRENGTHS) * (1.0 / (NUM_STRENGTHS - 1))
        return distortions.apply(
            images,
            tf.cast(place * NUM_OPERATIONS, tf.int32),
            tf.where(sign < 0.5, -1.0, 1.0) * strength,
        )
