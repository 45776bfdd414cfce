"""Solarize: pictures whose bright parts are a negative."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le

from mmzoo.inputs.image.augment.chance import by_chance
from mmzoo.inputs.image.augment.tones import solarized
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


class Solarize(Spec):
    """Inverts the values from a threshold upwards in some of the pictures."""

    type: Literal["solarize"] = "solarize"
    probability: Fraction = 0.5
    """The share of pictures that are solarized."""
    threshold: Annotated[int, Ge(0), Le(255)] = 128
    """The darkest value that is inverted; 0 makes a full negative."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        return by_chance(self._solarized, images, self.probability, randomness)

    def _solarized(self, images: tf.Tensor) -> tf.Tensor:
        return solarized(images, tf.constant([self.threshold]))
