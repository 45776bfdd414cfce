"""How pixels become what a pretrained network was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmzoo.lazy import keras

if TYPE_CHECKING:
    from keras import KerasTensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, from 0 to 1."""
_BGR_MEAN = (103.939, 116.779, 123.68)
"""Of the blue, green and red that Caffe's networks saw, from 0 to 255."""


@dataclass(frozen=True)
class Scaling:
    """Pixels from 0 to 255 times `scale` plus `offset`, each one number a channel."""

    words: str
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    reversed_channels: bool = False
    """Whether the channels come as blue, green and red; scale and offset are in that order."""

    def scaled(self, image: KerasTensor) -> KerasTensor:
        """The picture as the network takes it.

        Args:
            image: uint8 `[batch, height, width, 3]`.

        Returns:
            Float32 of that shape, whatever the precision of the layers: in half of it, a pixel less
            the mean would lose the last bits that it has.
        """
        x = keras.ops.flip(image, axis=-1) if self.reversed_channels else image
        return keras.layers.Rescaling(
            list(self.scale), list(self.offset), dtype="float32", name="scaling"
        )(x)


CAFFE = Scaling(
    "blue, green and red, less ImageNet's mean",
    scale=(1.0, 1.0, 1.0),
    offset=tuple(-mean for mean in _BGR_MEAN),
    reversed_channels=True,
)
SYMMETRIC = Scaling("from -1 to 1", scale=(1 / 127.5,) * 3, offset=(-1.0,) * 3)
NEARLY_SYMMETRIC = Scaling("divided by 128, less 1", scale=(1 / 128,) * 3, offset=(-1.0,) * 3)
STANDARDISED = Scaling(
    "less ImageNet's mean, divided by its deviation",
    scale=tuple(1 / (255 * deviation) for deviation in _DEVIATION),
    offset=tuple(
        -mean / deviation for mean, deviation in zip(IMAGENET_MEAN, _DEVIATION, strict=True)
    ),
)
STANDARDISED_TIMES_255 = Scaling(
    STANDARDISED.words,  # Once the network's own first layer has divided by 255.
    scale=tuple(255 * scale for scale in STANDARDISED.scale),
    offset=tuple(255 * offset for offset in STANDARDISED.offset),
)
