"""AlexNet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import dense_layers
from mmzoo.modalities.image.encoders.image_encoder import (
    ImageNetwork,
    Norm,
    Stem,
    convolution,
    scaled,
    strides_like_imagenet,
)
from mmzoo.spec import PositiveFloat, PositiveInt, Problem, Rate

_PADDING = 2
"""Pixels around the picture in the `imagenet` stem."""


class AlexNet(ImageNetwork):
    """Five convolutions and two wide dense layers: the network that won ImageNet in 2012.

    Overlapping 3x3 poolings with stride 2 follow the first two convolutions and the last. With
    `groups: 2` the second convolution and those from the fourth on see only the half of the feature
    maps that was on their own graphics card; the third sees both. The first convolution of the
    `imagenet` stem pads by 2 pixels, which makes 55x55 positions of 224x224 pixels, as in the
    paper. Weights are drawn as He et al. do, not with the paper's fixed deviation.

    Reference: Krizhevsky et al., "ImageNet classification with deep convolutional neural
    networks", 2012.
    """

    type: Literal["alexnet"] = "alexnet"
    filters: tuple[PositiveInt, ...] = (96, 256, 384, 384, 256)
    """Filters of each convolution."""
    width: PositiveFloat = 1.0
    """Multiplies all filters."""
    groups: PositiveInt = 2
    """Parts into which the feature maps are split for the second convolution and those from the
    fourth on; 1 lets every convolution see all maps."""
    norm: Norm = "local_response"
    """`local_response`, after the activations of the first two convolutions, is the paper's;
    `batch` normalises every convolution's output over the batch, before the activation."""
    norm_momentum: Rate = 0.9
    """How much of the moving statistics of batch norm each step keeps. Keras' own default of 0.99
    needs thousands of steps before evaluation sees what training saw."""
    stem: Stem = "auto"
    """The first convolution: `imagenet` is 11x11 pixels with stride 4, `small` 3x3 with stride 1;
    `auto` takes `small` for pictures under 64 pixels."""
    units: tuple[PositiveInt, ...] = (4096, 4096)
    """Width of each dense layer; the last is the width of the features."""
    dropout: Rate = 0.5
    """Share of each dense layer's output dropped."""

    def rules(self) -> Iterator[Problem]:
        if not self.filters:
            yield Problem(("filters",), "expected at least one convolution, got an empty list")
        widths = self._widths()
        if len(widths) > 1 and any(width % self.groups for width in widths):
            yield Problem(
                ("groups",),
                f"expected a number that divides the filters of every convolution, which are "
                f"{list(widths)} where the width is {self.width:g}; got {self.groups}",
            )

    def smallest_image(self) -> int:
        """The smallest height or width, in pixels, that leaves something after the last pooling."""
        return next(size for size in count(1) if self._size_after(size) >= 1)

    def build(self, image: keras.KerasTensor) -> Features:
        from mmzoo.layers.convolutional import LocalResponseNorm

        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(image)
        for position in range(1, len(self.filters) + 1):
            x = self._first(x) if position == 1 else self._convolution(x, position)
            if position <= 2 and self.norm == "local_response":
                x = LocalResponseNorm(name=f"conv{position}_norm")(x)
            if self._pools_after(position):
                x = keras.layers.MaxPooling2D(3, 2, name=f"pool{position}")(x)
        tokens = keras.layers.Reshape((-1, x.shape[-1]), name="tokens")(x)
        x = keras.layers.Flatten(name="flatten")(x)
        vector = dense_layers(x, self.units, "relu", self.dropout, "he_normal")
        return Features(vector=vector, tokens=tokens)

    def _first(self, x: keras.KerasTensor) -> keras.KerasTensor:
        [filters, *_] = self._widths()
        norm_momentum = self._batch_norm_momentum()
        if not strides_like_imagenet(self.stem, x):
            return convolution(x, filters, 3, "conv1", norm_momentum=norm_momentum)
        x = keras.layers.ZeroPadding2D(_PADDING, name="padding")(x)
        return convolution(
            x, filters, 11, "conv1", strides=4, padding="valid", norm_momentum=norm_momentum
        )

    def _convolution(self, x: keras.KerasTensor, position: int) -> keras.KerasTensor:
        """Any but the first."""
        return convolution(
            x,
            self._widths()[position - 1],
            5 if position == 2 else 3,
            f"conv{position}",
            groups=1 if position == 3 else self.groups,
            norm_momentum=self._batch_norm_momentum(),
        )

    def _widths(self) -> tuple[int, ...]:
        return tuple(scaled(filters, self.width) for filters in self.filters)

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
