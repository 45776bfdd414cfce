"""Configurable convolutional network."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import ConvolutionalStages
from mmzoo.modalities.image.encoders.image_encoder import ImageNetwork


class CNN(ConvolutionalStages, ImageNetwork):
    """Convolutional network: stages of convolution, activation and pooling, then dense layers.

    With the defaults, it is the network of many tutorials. With batch normalization and several
    convolutions per stage, it is a strong small network for small images. Fields that accept a
    number or a list apply the number to every stage, or one entry to each.

    Reference: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image
    recognition", 2014, for stages of 3x3 convolutions; Ioffe and Szegedy, "Batch normalization",
    2015.
    """

    type: Literal["cnn"] = "cnn"

    def smallest_image(self) -> int:
        """Minimum height or width, in pixels, for which the last feature map is not empty."""
        return self.min_map_size()

    def build(self, image: keras.KerasTensor) -> Features:
        return self.convolutional_features(keras.layers.Rescaling(1 / 255, name="rescaling")(image))
