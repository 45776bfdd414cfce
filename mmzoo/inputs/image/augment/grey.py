"""Grey: some of the pictures without their colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.inputs.image.augment.chance import by_chance
from mmzoo.inputs.image.fitting import with_channels
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec

if TYPE_CHECKING:
    import tensorflow as tf


class Grey(Spec):
    """Shows some of the pictures in grey, with as many channels as before."""

    type: Literal["grey"] = "grey"
    probability: Fraction = 0.1
    """The share of pictures that lose their colour."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        return by_chance(_without_color, images, self.probability, randomness)


def _without_color(images: tf.Tensor) -> tf.Tensor:
    return with_channels(with_channels(images, 1), images.shape[-1])
