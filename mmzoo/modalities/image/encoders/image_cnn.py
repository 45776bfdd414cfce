"""A convolutional network, freely described."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import Convolutions
from mmzoo.modalities.image.encoders.image_encoder import ImageNetwork


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

    def build(self, image: keras.KerasTensor) -> Features:
        return self.convolved(keras.layers.Rescaling(1 / 255, name="rescaling")(image))
