"""RandAugment: a few operations drawn for each picture, all of one magnitude."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le

from mmzoo.inputs.image.augment.affine import Fill
from mmzoo.inputs.image.augment.distortions import NUM_OPERATIONS, moderate
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveInt, Spec


class RandAugment(Spec):
    """Does some operations on each picture, one after the other, drawn anew for each.

    They are the paper's fourteen: identity, auto-contrast, equalize, rotate, solarize, color,
    posterize, contrast, brightness, sharpness, shear and translate along x and y. Those that have
    a direction go either way, which for color, contrast, brightness and sharpness is less or more;
    the paper's own code has these from less to more as the magnitude grows. Other deviations:
    pictures are slanted about their centre and not a corner, interpolated where the paper takes
    the nearest pixel, and black is seen beyond the border, unless `fill` says otherwise.

    Reference: Cubuk et al., "RandAugment: practical automated data augmentation with a reduced
    search space", 2019.
    """

    type: Literal["randaugment"] = "randaugment"
    operations: PositiveInt = 2
    """How many are done on each picture: the paper's N."""
    magnitude: Annotated[float, Ge(0), Le(10)] = 9.0
    """How strong they are: the paper's M, from 0 to 10. Tools that count to 30 write 27 for 9."""
    fill: Fill = "constant"
    """What is seen where a moved picture does not reach: constant (black), nearest (pixel) or
    reflect."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        height, width = images.shape[1:3]
        distortions = moderate(height, width, self.fill)
        for n in range(self.operations):
            place, sign = tf.unstack(randomness.fold(n).uniform(2), axis=1)
            images = distortions.apply(
                images,
                tf.cast(place * NUM_OPERATIONS, tf.int32),
                tf.where(sign < 0.5, -1.0, 1.0) * (self.magnitude / 10.0),
            )
        return images
