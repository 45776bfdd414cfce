"""GoogLeNet and other networks of inception modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.image.encoders.image_encoder import (
    ImageNetwork,
    Norm,
    Stem,
    convolution,
    scale_filters,
    uses_imagenet_stem,
)
from mmzoo.spec import PositiveFloat, PositiveInt, Problem, Rate

Module = tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt, PositiveInt, PositiveInt]
"""Filters of one module: a row of the paper's table 1, from "#1x1" to "pool proj"."""

_GOOGLENET: tuple[tuple[Module, ...], ...] = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),  # 3a, 3b
    (
        (192, 96, 208, 16, 48, 64),  # 4a
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),  # 4e
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),  # 5a, 5b
)


class Inception(ImageNetwork):
    """Network of inception modules: by default GoogLeNet, the winner of ImageNet 2014.

    A module applies 1x1, 3x3 and 5x5 convolutions and a max pooling in parallel and concatenates
    their outputs. The paper's auxiliary classifiers after modules 4a and 4d, used in training only,
    are left out: He initialization or batch normalization serves their purpose.

    Reference: Szegedy et al., "Going deeper with convolutions", 2014.
    """

    type: Literal["inception"] = "inception"
    stages: tuple[tuple[Module, ...], ...] = _GOOGLENET
    """Modules of each stage; max pooling between stages halves the resolution. A module is six
    numbers of filters, in the order of the paper's table: 1x1; 1x1 before 3x3, 3x3; 1x1 before 5x5,
    5x5; 1x1 after pooling."""
    width: PositiveFloat = 1.0
    """Width multiplier of all filters."""
    norm: Norm = "local_response"
    """`local_response`, twice in the stem, as in the paper; `batch` before the activation of every
    convolution; or `none`."""
    norm_momentum: Rate = 0.9
    """Momentum of the moving statistics of batch normalization. Keras' default of 0.99 needs
    thousands of steps before evaluation matches training."""
    stem: Stem = "auto"
    """The three convolutions before the modules: `imagenet` has strides and pooling that divide
    height and width by 8; `small` keeps both, with a 3x3 first convolution instead of 7x7; `auto`
    is `small` for images under 64 pixels."""
    dropout: Rate = 0.4
    """Dropout rate of the feature vector."""

    def rules(self) -> Iterator[Problem]:
        if not self.stages:
            yield Problem(("stages",), "expected at least one stage, got an empty list")
        for index, modules in enumerate(self.stages):
            if not modules:
                yield Problem(
                    ("stages", index), "expected at least one module in a stage, got an empty list"
                )

    def smallest_image(self) -> int:
        """Minimum height or width, in pixels, that every stride still reduces."""
        strides = len(self.stages) - 1 + (3 if self.stem == "imagenet" else 0)
        return 2 ** (strides - 1) + 1 if strides else 1

    def build(self, image: keras.KerasTensor) -> Features:
        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(image)
        x = self._stem(x)
        for stage, modules in enumerate(self.stages, start=1):
            if stage > 1:
                x = _max_pool(x, f"stage{stage}_pool")
            for index, module in enumerate(modules, start=1):
                x = self._module(x, module, f"stage{stage}_module{index}")
        tokens = keras.layers.Reshape((-1, x.shape[-1]), name="tokens")(x)
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
        if self.dropout:
            x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        return Features(vector=x, tokens=tokens)

    def _stem(self, x: keras.KerasTensor) -> keras.KerasTensor:
        large = uses_imagenet_stem(self.stem, x)
        x = self._convolution(x, 64, 7 if large else 3, "stem_conv1", strides=2 if large else 1)
        if large:
            x = _max_pool(x, "stem_pool1")
        x = self._local_response(x, "stem_norm1")
        x = self._convolution(x, 64, 1, "stem_conv2")
        x = self._convolution(x, 192, 3, "stem_conv3")
        x = self._local_response(x, "stem_norm2")
        return _max_pool(x, "stem_pool2") if large else x

    def _module(self, x: keras.KerasTensor, module: Module, name: str) -> keras.KerasTensor:
        conv1, reduce3, conv3, reduce5, conv5, projection = module
        branch1 = self._convolution(x, conv1, 1, f"{name}_1x1")
        branch3 = self._convolution(x, reduce3, 1, f"{name}_3x3_reduce")
        branch3 = self._convolution(branch3, conv3, 3, f"{name}_3x3")
        branch5 = self._convolution(x, reduce5, 1, f"{name}_5x5_reduce")
        branch5 = self._convolution(branch5, conv5, 5, f"{name}_5x5")
        pool = keras.layers.MaxPooling2D(3, 1, padding="same", name=f"{name}_pool")(x)
        pool = self._convolution(pool, projection, 1, f"{name}_pool_projection")
        return keras.layers.Concatenate(name=f"{name}_concat")([branch1, branch3, branch5, pool])

    def _convolution(
        self, x: keras.KerasTensor, filters: int, kernel_size: int, name: str, strides: int = 1
    ) -> keras.KerasTensor:
        return convolution(
            x,
            scale_filters(filters, self.width),
            kernel_size,
            name,
            strides=strides,
            norm_momentum=self.norm_momentum if self.norm == "batch" else None,
        )

    def _local_response(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return layers.LocalResponseNorm(name=name)(x) if self.norm == "local_response" else x


def _max_pool(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.MaxPooling2D(3, 2, padding="same", name=name)(x)
