"""AlexNet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import dense_layers
from mmzoo.modalities.image.encoders.image_encoder import (
    ImageNetwork,
    Norm,
    Stem,
    convolution,
    scale_filters,
    uses_imagenet_stem,
)
from mmzoo.spec import PositiveFloat, PositiveInt, Problem, Rate

_PADDING = 2
"""Padding of the image in the `imagenet` stem, in pixels per side."""


class AlexNet(ImageNetwork):
    """AlexNet, the winner of ImageNet 2012: five convolutions and two wide dense layers.

    Overlapping 3x3 max pooling with stride 2 follows the first two convolutions and the last. With
    `groups: 2`, the second, fourth and later convolutions are grouped, as the paper split them
    across two GPUs; the third sees all feature maps. The `imagenet` stem pads by 2 pixels, so that
    224x224 pixels give 55x55 positions, as in the paper. Kernels have He initialization instead of
    the paper's fixed standard deviation.

    Reference: Krizhevsky et al., "ImageNet classification with deep convolutional neural networks",
    2012.
    """

    type: Literal["alexnet"] = "alexnet"
    filters: tuple[PositiveInt, ...] = (96, 256, 384, 384, 256)
    """Filters of each convolution."""
    width: PositiveFloat = 1.0
    """Width multiplier of all filters."""
    groups: PositiveInt = 2
    """Groups of the second, fourth and later convolutions; 1 means no groups."""
    norm: Norm = "local_response"
    """`local_response` after the activations of the first two convolutions, as in the paper;
    `batch` before the activation of every convolution; or `none`."""
    norm_momentum: Rate = 0.9
    """Momentum of the moving statistics of batch normalization. Keras' default of 0.99 needs
    thousands of steps before evaluation matches training."""
    stem: Stem = "auto"
    """First convolution: `imagenet` has 11x11 kernels with stride 4, `small` 3x3 kernels with
    stride 1; `auto` is `small` for images under 64 pixels."""
    units: tuple[PositiveInt, ...] = (4096, 4096)
    """Width of each dense layer; the last is the width of the features."""
    dropout: Rate = 0.5
    """Dropout rate of each dense layer's output."""

    def rules(self) -> Iterator[Problem]:
        if not self.filters:
            yield Problem(("filters",), "expected at least one convolution, got an empty list")
        widths = self._widths()
        if len(widths) > 1 and any(width % self.groups for width in widths):
            yield Problem(
                ("groups",),
                f"expected a divisor of the filters of every convolution, which are "
                f"{list(widths)} with width {self.width:g}; got {self.groups}",
            )

    def smallest_image(self) -> int:
        """Minimum height or width, in pixels, for which the last feature map is not empty."""
        return next(size for size in count(1) if self._size_after(size) >= 1)

    def build(self, image: keras.KerasTensor) -> Features:
        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(image)
        for position in range(1, len(self.filters) + 1):
            x = self._first(x) if position == 1 else self._convolution(x, position)
            if position <= 2 and self.norm == "local_response":
                x = layers.LocalResponseNorm(name=f"conv{position}_norm")(x)
            if self._pools_after(position):
                x = keras.layers.MaxPooling2D(3, 2, name=f"pool{position}")(x)
        tokens = keras.layers.Reshape((-1, x.shape[-1]), name="tokens")(x)
        x = keras.layers.Flatten(name="flatten")(x)
        vector = dense_layers(x, self.units, "relu", self.dropout, "he_normal")
        return Features(vector=vector, tokens=tokens)

    def _first(self, x: keras.KerasTensor) -> keras.KerasTensor:
        [filters, *_] = self._widths()
        norm_momentum = self._batch_norm_momentum()
        if not uses_imagenet_stem(self.stem, x):
            return convolution(x, filters, 3, "conv1", norm_momentum=norm_momentum)
        x = keras.layers.ZeroPadding2D(_PADDING, name="padding")(x)
        return convolution(
            x, filters, 11, "conv1", strides=4, padding="valid", norm_momentum=norm_momentum
        )

    def _convolution(self, x: keras.KerasTensor, position: int) -> keras.KerasTensor:
        """Any convolution but the first."""
        return convolution(
            x,
            self._widths()[position - 1],
            5 if position == 2 else 3,
            f"conv{position}",
            groups=1 if position == 3 else self.groups,
            norm_momentum=self._batch_norm_momentum(),
        )

    def _widths(self) -> tuple[int, ...]:
        return tuple(scale_filters(filters, self.width) for filters in self.filters)

    def _batch_norm_momentum(self) -> float | None:
        return self.norm_momentum if self.norm == "batch" else None

    def _pools_after(self, position: int) -> bool:
        return position in (1, 2, len(self.filters))

    def _size_after(self, size: int) -> int:
        if self.stem == "imagenet":
            size = (size + 2 * _PADDING - 11) // 4 + 1
        poolings = sum(self._pools_after(i) for i in range(1, len(self.filters) + 1))
        for _ in range(poolings):
            if size < 3:
                return 0
            size = (size - 3) // 2 + 1
        return size
