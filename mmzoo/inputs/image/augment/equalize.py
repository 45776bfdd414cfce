"""Equalize: pictures whose values are about equally frequent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.inputs.image.augment.chance import by_chance
from mmzoo.inputs.image.augment.tones import equalized
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec

if TYPE_CHECKING:
    import tensorflow as tf


class Equalize(Spec):
    """Equalizes the histogram of each channel of some of the pictures.

    What is hidden in deep shadow or bright light comes out, and so does noise.
    """

    type: Literal["equalize"] = "equalize"
    probability: Fraction = 0.5
    """The share of pictures that are equalized."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        return by_chance(equalized, images, self.probability, randomness)
