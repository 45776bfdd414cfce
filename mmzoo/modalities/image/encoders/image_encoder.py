"""Base class of image encoders, and the blocks that several of them share."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Encoder


class ImageNetwork(Encoder):
    """Base class of image encoders: pixels from 0 to 255 in, features out.

    Each network scales the pixels itself.
    """

    channels: ClassVar[tuple[int, ...]] = (1, 3)
    """Supported numbers of channels."""

    @abstractmethod
    def smallest_image(self) -> int:
        """Minimum height and width, in pixels, that the network accepts."""


def scale_filters(filters: int, width: float) -> int:
    """Number of filters of a layer, multiplied by the width multiplier; at least 1."""
    return max(1, round(filters * width))


Norm = Literal["local_response", "batch", "none"]
"""Normalizations of networks that predate batch normalization."""


def convolution(
    x: keras.KerasTensor,
    filters: int,
    kernel_size: int,
    name: str,
    *,
    strides: int = 1,
    padding: str = "same",
    groups: int = 1,
    norm_momentum: float | None = None,
) -> keras.KerasTensor:
    """Convolution with ReLU, and batch normalization in between if it has a momentum.

    Kernels are initialized as in He et al., "Delving deep into rectifiers", 2015. With the fixed
    standard deviations of older papers, deep networks without batch normalization train slowly or
    not at all.
    """

    conv = keras.layers.Conv2D if groups == 1 else layers.GroupedConv
    x = conv(
        filters,
        kernel_size,
        strides,
        padding=padding,
        groups=groups,
        use_bias=norm_momentum is None,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    if norm_momentum is not None:
        x = layers.BatchNorm(momentum=norm_momentum, name=f"{name}_norm")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)


Stem = Literal["auto", "imagenet", "small"]

_MIN_IMAGENET_STEM_SIZE = 64
"""Minimum image size, in pixels, for which `auto` uses an ImageNet stem, which divides it by 4 or
more."""


def uses_imagenet_stem(stem: Stem, image: keras.KerasTensor) -> bool:
    """Whether the network starts with the strides of the paper's ImageNet network.

    Args:
        stem: `stem` field of the config; `auto` depends on the image size.
        image: `[batch, height, width, channels]`.
    """
    return stem == "imagenet" or (
        stem == "auto" and min(image.shape[1:3]) >= _MIN_IMAGENET_STEM_SIZE
    )
