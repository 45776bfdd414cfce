"""Crop: the picture padded on all sides and cut back to its size somewhere."""

from __future__ import annotations

from typing import ClassVar, Literal

from mmzoo.inputs.image.augment.affine import Fill, translation
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveInt, Spec


class Crop(Spec):
    """Pads each picture by some pixels and cuts its own size out at a random place.

    With `pixels: 4` and a flip it is the standard augmentation of CIFAR. It moves whole pixels, so
    unlike `shift` it blurs nothing.

    Reference: Lee et al., "Deeply-supervised nets", 2015.
    """

    whole_pixels: ClassVar[bool] = True

    type: Literal["crop"] = "crop"
    pixels: PositiveInt = 4
    """How far a picture moves at most, in each direction."""
    fill: Fill = "constant"
    """What the padding shows: constant (black), nearest (pixel) or reflect."""

    def map(self, randomness: Randomness, height: int, width: int) -> tf.Tensor:
        """The affine map of each example, float32 `[batch, 3, 3]`."""
        places = tf.floor(randomness.uniform(2) * (2.0 * self.pixels + 1.0))
        right, down = tf.unstack(places - self.pixels, axis=1)
        return translation(right, down)
