"""ResNet: residual networks for CIFAR and ImageNet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.image.encoders.image_encoder import (
    ImageNetwork,
    Stem,
    scale_filters,
    uses_imagenet_stem,
)
from mmzoo.spec import PositiveFloat, PositiveInt, Problem, Rate
from mmzoo.spec.wording import join_or

Block = Literal["basic", "bottleneck"]
Convolution = tuple[int, int, int]
"""Kernel size, filters and strides."""

_DEPTHS: dict[int, tuple[Block, tuple[int, ...]]] = {
    # Three stages of 16, 32 and 64 filters, for CIFAR.
    20: ("basic", (3, 3, 3)),
    32: ("basic", (5, 5, 5)),
    44: ("basic", (7, 7, 7)),
    56: ("basic", (9, 9, 9)),
    110: ("basic", (18, 18, 18)),
    164: ("bottleneck", (18, 18, 18)),
    # Four stages of 64 to 512 filters, for ImageNet.
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}
_CIFAR_STAGES = 3
_EXPANSION = 4
"""Ratio of the output filters of a bottleneck block to those of its 3x3 convolution."""


class ResNet(ImageNetwork):
    """Residual network (ResNet), version 1 or 2, trained from scratch.

    Each stage halves the resolution of the previous one. In version 1, a block is convolution,
    batch normalization and activation, and the shortcut is added before the last activation. In
    version 2 (pre-activation), batch normalization and activation precede each convolution, and the
    shortcut is an identity. A bottleneck block has its stride in the 3x3 convolution, as is common
    today; the first paper and keras.applications have it in the preceding 1x1 convolution, which
    skips three quarters of the positions. The papers' networks for CIFAR are depths 20 to 110 with
    `shortcut: identity`.

    References: He et al., "Deep residual learning for image recognition", 2015, for version 1; He
    et al., "Identity mappings in deep residual networks", 2016, for version 2.
    """

    type: Literal["resnet"] = "resnet"
    depth: PositiveInt | tuple[PositiveInt, ...] = 18
    """Depth of a network of the papers: 18, 34, 50, 101 or 152 layers in four stages, for ImageNet;
    20, 32, 44, 56, 110 or 164 in three narrow stages, for CIFAR. Or the number of blocks of each
    stage."""
    filters: tuple[PositiveInt, ...] | None = None
    """Filters of the 3x3 convolutions of each stage. By default 64 in the first stage, or 16 if
    there are three stages, doubled in each further stage."""
    block: Block | None = None
    """`basic` is two 3x3 convolutions; `bottleneck` is 1x1, 3x3 and 1x1 convolutions, the last with
    four times the filters. By default that of the papers for the depth, else `basic`."""
    version: Literal[1, 2] = 1
    """1 activates after each convolution, 2 before (pre-activation)."""
    width: PositiveFloat = 1.0
    """Width multiplier of all filters."""
    stem: Stem = "auto"
    """First layers: `imagenet` is a 7x7 convolution and a pooling that divide height and width by
    4; `small` is a 3x3 convolution that keeps both; `auto` is `small` for images under 64
    pixels."""
    shortcut: Literal["projection", "identity"] = "projection"
    """Shortcut of blocks that change the shape: a 1x1 convolution (the paper's option B), or
    strided subsampling with zero-padded channels, without weights (option A)."""
    zero_init: bool = False
    """Initialize the last scale of each block (in version 2, its last convolution) with zeros, so
    that blocks start as identities. This stabilizes the first steps of deep networks (Goyal et al.,
    "Accurate, large minibatch SGD", 2017)."""
    norm_momentum: Rate = 0.9
    """Momentum of the moving statistics of batch normalization. Keras' default of 0.99 needs
    thousands of steps before evaluation matches training."""
    dropout: Rate = 0.0
    """Dropout rate of the feature vector."""

    def rules(self) -> Iterator[Problem]:
        yield from self._depth_rules()
        if self.filters is None or (isinstance(self.depth, int) and self.depth not in _DEPTHS):
            return
        stages = len(self._blocks())
        if len(self.filters) != stages:
            yield Problem(
                ("filters",),
                f"expected one number for each of the {stages} stages; got {len(self.filters)}",
            )
        if self.shortcut == "identity" and list(self.filters) != sorted(self.filters):
            yield Problem(
                ("shortcut",),
                "an identity shortcut cannot reduce the number of feature maps: expected `filters` "
                "that do not decrease from stage to stage, or `shortcut: projection`",
            )

    def _depth_rules(self) -> Iterator[Problem]:
        if isinstance(self.depth, tuple):
            if not self.depth:
                yield Problem(("depth",), "expected at least one stage, got an empty list")
        elif self.depth not in _DEPTHS:
            yield Problem(
                ("depth",),
                f"expected {join_or([str(depth) for depth in sorted(_DEPTHS)])}, or the number of "
                f"blocks per stage, as in [2, 2, 2]; got {self.depth}",
            )
        elif self.block not in (None, _DEPTHS[self.depth][0]):
            kind, blocks = _DEPTHS[self.depth]
            yield Problem(
                ("block",),
                f"depth {self.depth} has {kind} blocks: remove `block`, or set `depth` to the "
                f"number of blocks per stage, {list(blocks)}",
            )

    def smallest_image(self) -> int:
        """Minimum height or width, in pixels, that every stride still reduces."""
        strides = len(self._blocks()) - 1 + (2 if self.stem == "imagenet" else 0)
        return 2 ** (strides - 1) + 1 if strides else 1

    def build(self, image: keras.KerasTensor) -> Features:
        filters = [scale_filters(number, self.width) for number in self._filters()]
        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(image)
        x = self._stem(x, filters[0])
        block = self._post_activation_block if self.version == 1 else self._pre_activation_block
        for stage, blocks in enumerate(self._blocks()):
            for index in range(blocks):
                convolutions = self._convolutions(filters[stage], 2 if stage and not index else 1)
                x = block(x, convolutions, f"stage{stage + 1}_block{index + 1}", index == 0)
        if self.version == 2:
            x = self._norm_relu(x, "last")
        tokens = keras.layers.Reshape((-1, x.shape[-1]), name="tokens")(x)
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
        if self.dropout:
            x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        return Features(vector=x, tokens=tokens)

    def _blocks(self) -> tuple[int, ...]:
        """Number of blocks of each stage."""
        return _DEPTHS[self.depth][1] if isinstance(self.depth, int) else self.depth

    def _filters(self) -> tuple[int, ...]:
        """Filters of each stage, before the width multiplier."""
        stages = len(self._blocks())
        first = 16 if stages == _CIFAR_STAGES else 64
        return self.filters or tuple(first * 2**stage for stage in range(stages))

    def _convolutions(self, filters: int, strides: int) -> tuple[Convolution, ...]:
        """Convolutions of one block."""
        block = self.block
        if isinstance(self.depth, int):
            block, _ = _DEPTHS[self.depth]
        if block == "bottleneck":
            return (1, filters, 1), (3, filters, strides), (1, _EXPANSION * filters, 1)
        return (3, filters, strides), (3, filters, 1)

    def _stem(self, x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
        if not uses_imagenet_stem(self.stem, x):
            x = _convolution(x, (3, filters, 1), "stem_conv")
            return self._norm_relu(x, "stem_conv") if self.version == 1 else x
        x = _convolution(x, (7, filters, 2), "stem_conv")
        if self.version == 1:
            x = self._norm_relu(x, "stem_conv")
        return keras.layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)

    def _post_activation_block(
        self, x: keras.KerasTensor, convolutions: tuple[Convolution, ...], name: str, first: bool
    ) -> keras.KerasTensor:
        """Block of version 1. `first`: whether it is the first of its stage."""
        shortcut = self._shortcut(x, convolutions, name)
        if shortcut is not x and self.shortcut == "projection":
            shortcut = self._norm(shortcut, f"{name}_shortcut")
        for position, convolution in enumerate(convolutions[:-1], start=1):
            x = _convolution(x, convolution, f"{name}_conv{position}")
            x = self._norm_relu(x, f"{name}_conv{position}")
        last = f"{name}_conv{len(convolutions)}"
        x = _convolution(x, convolutions[-1], last)
        x = self._norm(x, last, gamma="zeros" if self.zero_init else "ones")
        x = keras.layers.Add(name=f"{name}_add")([shortcut, x])
        return keras.layers.Activation("relu", name=f"{name}_relu")(x)

    def _pre_activation_block(
        self, x: keras.KerasTensor, convolutions: tuple[Convolution, ...], name: str, first: bool
    ) -> keras.KerasTensor:
        """Block of version 2. The first of a stage activates before the shortcut branches off."""
        preactivated = self._norm_relu(x, f"{name}_conv1")
        shortcut = self._shortcut(preactivated if first else x, convolutions, name)
        x = _convolution(preactivated, convolutions[0], f"{name}_conv1")
        for position, convolution in enumerate(convolutions[1:], start=2):
            x = self._norm_relu(x, f"{name}_conv{position}")
            last = position == len(convolutions)
            kernel = "zeros" if last and self.zero_init else "he_normal"
            x = _convolution(x, convolution, f"{name}_conv{position}", kernel)
        return keras.layers.Add(name=f"{name}_add")([shortcut, x])

    def _shortcut(
        self, x: keras.KerasTensor, convolutions: tuple[Convolution, ...], name: str
    ) -> keras.KerasTensor:
        """Block input in the shape of the block output; the input itself if the shapes agree."""

        strides = max(convolution[2] for convolution in convolutions)
        filters = convolutions[-1][1]
        if strides == 1 and x.shape[-1] == filters:
            return x
        if self.shortcut == "projection":
            return _convolution(x, (1, filters, strides), f"{name}_shortcut")
        return layers.IdentityShortcut(filters, strides, name=f"{name}_shortcut")(x)

    def _norm_relu(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        x = self._norm(x, name)
        return keras.layers.Activation("relu", name=f"{name}_relu")(x)

    def _norm(self, x: keras.KerasTensor, name: str, gamma: str = "ones") -> keras.KerasTensor:
        return layers.BatchNorm(
            momentum=self.norm_momentum, gamma_initializer=gamma, name=f"{name}_norm"
        )(x)


def _convolution(
    x: keras.KerasTensor, convolution: Convolution, name: str, kernel: str = "he_normal"
) -> keras.KerasTensor:
    """Convolution without bias, as batch normalization with an offset always follows."""
    kernel_size, filters, strides = convolution
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer=kernel,
        name=name,
    )(x)
