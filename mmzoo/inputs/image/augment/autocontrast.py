"""Autocontrast: pictures stretched from black to white."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.inputs.image.augment.chance import by_chance
from mmzoo.inputs.image.augment.tones import autocontrasted
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec

if TYPE_CHECKING:
    import tensorflow as tf


class Autocontrast(Spec):
    """Stretches each channel of some of the pictures until it reaches from 0 to 255."""

    type: Literal["autocontrast"] = "autocontrast"
    probability: Fraction = 0.5
    """The share of pictures that are stretched."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        return by_chance(autocontrasted, images, self.probability, randomness)
