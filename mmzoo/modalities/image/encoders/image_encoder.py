"""Image encoders: what the networks share."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Encoder


class ImageNetwork(Encoder):
    """Pixels from 0 to 255 in, features out; each network scales the pixels for itself."""

    channels: ClassVar[tuple[int, ...]] = (1, 3)
    """How many channels its pictures may have."""

    @abstractmethod
    def smallest_image(self) -> int:
        """The smallest height or width, in pixels, that the network works with."""


def scaled(filters: int, width: float) -> int:
    """The filters of a layer where all layers are `width` times as wide; at least 1."""
    return max(1, round(filters * width))


Norm = Literal["local_response", "batch", "none"]
"""How the networks of before batch norm may be normalised."""


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
    """A convolution with a ReLU, and batch norm between the two where it has a momentum.

    The kernels are drawn as He et al. do ("Delving deep into rectifiers", 2015), since the fixed
    deviations of older papers let deep networks without batch norm learn slowly or not at all.
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

_PHOTO = 64
"""Height and width, in pixels, from which a picture can bear the strides of ImageNet's stems, which
leave a quarter of each or less."""


def strides_like_imagenet(stem: Stem, image: keras.KerasTensor) -> bool:
    """Whether the network begins as the paper's did on ImageNet; `auto` goes by the size.

    Args:
        stem: as the config has it.
        image: `[batch, height, width, channels]`.
    """
    return stem == "imagenet" or (stem == "auto" and min(image.shape[1:3]) >= _PHOTO)
