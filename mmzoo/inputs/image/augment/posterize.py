"""Posterize: pictures of a few tones, as on a poster."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le

from mmzoo.inputs.image.augment.chance import by_chance
from mmzoo.inputs.image.augment.tones import posterized
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


class Posterize(Spec):
    """Keeps the upper bits of all values in some of the pictures."""

    type: Literal["posterize"] = "posterize"
    probability: Fraction = 0.5
    """The share of pictures that lose bits."""
    bits: Annotated[int, Ge(1), Le(8)] = 4
    """How many are kept: 4 leave 16 tones for each channel, 8 change nothing."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        return by_chance(self._posterized, images, self.probability, randomness)

    def _posterized(self, images: tf.Tensor) -> tf.Tensor:
        return posterized(images, tf.constant([self.bits]))
