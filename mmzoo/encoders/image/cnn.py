"""A convolutional network, freely described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.encoders.convolutions import Convolutions
from mmzoo.encoders.features import Features
from mmzoo.encoders.image.base import ImageNetwork
from mmzoo.lazy import keras

if TYPE_CHECKING:
    from keras import KerasTensor


class CNN(Convolutions, ImageNetwork):
    """Stages of convolution, activation and pooling, then dense layers.

    The networks that tutorials begin with; with batch norm and several convolutions a stage, also
    the small nets that do best on small images. A field that takes one number or a list gives the
    number to every stage, or one entry to each.

    Reference: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image
    recognition", 2014, for stages of 3x3 convolutions; Ioffe and Szegedy, "Batch normalization",
    2015.
    """

    type: Literal["cnn"] = "cnn"

    def smallest_image(self) -> int:
        """The smallest height or width, in pixels, that leaves something after the last stage."""
        return self.smallest_map()

    def build(self, image: KerasTensor) -> Features:
        return self.convolved(keras.layers.Rescaling(1 / 255, name="rescaling")(image))
