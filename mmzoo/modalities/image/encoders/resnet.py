"""ResNet, the residual networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.image.encoders.image_encoder import (
    ImageNetwork,
    Stem,
    scaled,
    strides_like_imagenet,
)
from mmzoo.spec import PositiveFloat, PositiveInt, Problem, Rate
from mmzoo.spec.wording import either

Block = Literal["basic", "bottleneck"]
Convolution = tuple[int, int, int]
"""Kernel size, filters and strides."""

_DEPTHS: dict[int, tuple[Block, tuple[int, ...]]] = {
    # In three stages of 16, 32 and 64 filters, for CIFAR.
    20: ("basic", (3, 3, 3)),
    32: ("basic", (5, 5, 5)),
    44: ("basic", (7, 7, 7)),
    56: ("basic", (9, 9, 9)),
    110: ("basic", (18, 18, 18)),
    164: ("bottleneck", (18, 18, 18)),
    # In four stages of 64 to 512 filters, for ImageNet.
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}
_CIFAR_STAGES = 3
_EXPANSION = 4
"""A bottleneck block ends with this many times the filters of its 3x3 convolution."""


class ResNet(ImageNetwork):
    """Stages of residual blocks, each stage at half the resolution of the one before.

    In version 1 a block is convolution, batch norm and activation, with the shortcut added before
    the last activation; in version 2 batch norm and activation come before each convolution, and
    nothing stands in the way of the shortcut. A bottleneck block that halves the resolution does so
    in its 3x3 convolution: as everywhere today, and unlike the first paper and keras.applications,
    where the 1x1 convolution before it leaves out three quarters of the positions. The papers'
    networks for CIFAR are depths 20 to 110 with `shortcut: identity`.

    References: He et al., "Deep residual learning for image recognition", 2015, for version 1; He
    et al., "Identity mappings in deep residual networks", 2016, for version 2.
    """

    type: Literal["resnet"] = "resnet"
    depth: PositiveInt | tuple[PositiveInt, ...] = 18
    """A depth of the papers: 18, 34, 50, 101 or 152 layers in four stages, for ImageNet; 20, 32,
    44, 56, 110 or 164 in three narrow ones, for CIFAR. Or freely: the blocks of each stage."""
    filters: tuple[PositiveInt, ...] | None = None
    """Filters of the 3x3 convolutions of each stage. By default 64 in the first, or 16 where there
    are three stages, and twice as many in each that follows."""
    block: Block | None = None
    """`basic` is two 3x3 convolutions; `bottleneck` a 1x1, a 3x3 and a 1x1 with four times the
    filters. By default what the depth has in the papers, or `basic`."""
    version: Literal[1, 2] = 1
    """1 activates after each convolution, 2 before."""
    width: PositiveFloat = 1.0
    """Multiplies all filters."""
    stem: Stem = "auto"
    """The first layers: `imagenet` is a 7x7 convolution and a pooling that leave a quarter of
    height and width; `small` is a 3x3 convolution that keeps them; `auto` takes `small` for
    pictures under 64 pixels."""
    shortcut: Literal["projection", "identity"] = "projection"
    """Where a block changes the shape: a 1x1 convolution (the paper's option B), or every second
    position and maps of zeros, without weights (option A)."""
    zero_init: bool = False
    """Let each block begin as nothing but its shortcut: its last scale, or in version 2 its last
    convolution, starts at 0. Steadies the first steps of deep networks.
    (Goyal et al., "Accurate, large minibatch SGD", 2017)."""
    norm_momentum: Rate = 0.9
    """How much of the moving statistics of batch norm each step keeps. Keras' own default of 0.99
    needs thousands of steps before evaluation sees what training saw."""
    dropout: Rate = 0.0
    """Share of the feature vector dropped."""

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
                "identity can add feature maps but not take any away: expected `filters` that "
                "never become fewer from stage to stage, or projection",
            )

    def _depth_rules(self) -> Iterator[Problem]:
        if isinstance(self.depth, tuple):
            if not self.depth:
                yield Problem(("depth",), "expected at least one stage, got an empty list")
        elif self.depth not in _DEPTHS:
            yield Problem(
                ("depth",),
                f"expected {either([str(depth) for depth in sorted(_DEPTHS)])}, or the blocks of "
                f"each stage, as in [2, 2, 2]; got {self.depth}",
            )
        elif self.block not in (None, _DEPTHS[self.depth][0]):
            papers, blocks = _DEPTHS[self.depth]
            yield Problem(
                ("block",),
                f"depth {self.depth} is made of {papers} blocks: leave this out, or write the "
                f"blocks of each stage instead of the depth: {list(blocks)}",
            )

    def smallest_image(self) -> int:
        """The smallest height or width, in pixels, that every stride still makes smaller."""
        strides = len(self._blocks()) - 1 + (2 if self.stem == "imagenet" else 0)
        return 2 ** (strides - 1) + 1 if strides else 1

    def build(self, image: keras.KerasTensor) -> Features:
        filters = [scaled(number, self.width) for number in self._filters()]
        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(image)
        x = self._stem(x, filters[0])
        block = self._post_activated if self.version == 1 else self._pre_activated
        for stage, blocks in enumerate(self._blocks()):
            for index in range(blocks):
                convolutions = self._convolutions(filters[stage], 2 if stage and not index else 1)
                x = block(x, convolutions, f"stage{stage + 1}_block{index + 1}", index == 0)
        if self.version == 2:
            x = self._activated(x, "last")
        tokens = keras.layers.Reshape((-1, x.shape[-1]), name="tokens")(x)
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
        if self.dropout:
            x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        return Features(vector=x, tokens=tokens)

    def _blocks(self) -> tuple[int, ...]:
        """How many blocks each stage has."""
        return _DEPTHS[self.depth][1] if isinstance(self.depth, int) else self.depth

    def _filters(self) -> tuple[int, ...]:
        """The filters of each stage, before they are multiplied by the width."""
        stages = len(self._blocks())
        first = 16 if stages == _CIFAR_STAGES else 64
        return self.filters or tuple(first * 2**stage for stage in range(stages))

    def _convolutions(self, filters: int, strides: int) -> tuple[Convolution, ...]:
        """The convolutions of one block."""
        block = self.block
        if isinstance(self.depth, int):
            block, _ = _DEPTHS[self.depth]
        if block == "bottleneck":
            return (1, filters, 1), (3, filters, strides), (1, _EXPANSION * filters, 1)
        return (3, filters, strides), (3, filters, 1)

    def _stem(self, x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
        if not strides_like_imagenet(self.stem, x):
            x = _convolved(x, (3, filters, 1), "stem_conv")
            return self._activated(x, "stem_conv") if self.version == 1 else x
        x = _convolved(x, (7, filters, 2), "stem_conv")
        if self.version == 1:
            x = self._activated(x, "stem_conv")
        return keras.layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)

    def _post_activated(
        self, x: keras.KerasTensor, convolutions: tuple[Convolution, ...], name: str, first: bool
    ) -> keras.KerasTensor:
        """A block of version 1; `first` of its stage or not."""
        shortcut = self._shortcut(x, convolutions, name)
        if shortcut is not x and self.shortcut == "projection":
            shortcut = self._normalised(shortcut, f"{name}_shortcut")
        for position, convolution in enumerate(convolutions[:-1], start=1):
            x = _convolved(x, convolution, f"{name}_conv{position}")
            x = self._activated(x, f"{name}_conv{position}")
        last = f"{name}_conv{len(convolutions)}"
        x = _convolved(x, convolutions[-1], last)
        x = self._normalised(x, last, gamma="zeros" if self.zero_init else "ones")
        x = keras.layers.Add(name=f"{name}_add")([shortcut, x])
        return keras.layers.Activation("relu", name=f"{name}_relu")(x)

    def _pre_activated(
        self, x: keras.KerasTensor, convolutions: tuple[Convolution, ...], name: str, first: bool
    ) -> keras.KerasTensor:
        """A block of version 2; the `first` of a stage activates before the ways part."""
        activated = self._activated(x, f"{name}_conv1")
        shortcut = self._shortcut(activated if first else x, convolutions, name)
        x = _convolved(activated, convolutions[0], f"{name}_conv1")
        for position, convolution in enumerate(convolutions[1:], start=2):
            x = self._activated(x, f"{name}_conv{position}")
            last = position == len(convolutions)
            kernel = "zeros" if last and self.zero_init else "he_normal"
            x = _convolved(x, convolution, f"{name}_conv{position}", kernel)
        return keras.layers.Add(name=f"{name}_add")([shortcut, x])

    def _shortcut(
        self, x: keras.KerasTensor, convolutions: tuple[Convolution, ...], name: str
    ) -> keras.KerasTensor:
        """The input of a block in the shape of its output; itself where that is the same."""
        from mmzoo.layers.convolutional import IdentityShortcut

        strides = max(convolution[2] for convolution in convolutions)
        filters = convolutions[-1][1]
        if strides == 1 and x.shape[-1] == filters:
            return x
        if self.shortcut == "projection":
            return _convolved(x, (1, filters, strides), f"{name}_shortcut")
        return IdentityShortcut(filters, strides, name=f"{name}_shortcut")(x)

    def _activated(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        x = self._normalised(x, name)
        return keras.layers.Activation("relu", name=f"{name}_relu")(x)

    def _normalised(
        self, x: keras.KerasTensor, name: str, gamma: str = "ones"
    ) -> keras.KerasTensor:
        from mmzoo.layers.convolutional import BatchNorm

        return BatchNorm(momentum=self.norm_momentum, gamma_initializer=gamma, name=f"{name}_norm")(
            x
        )


def _convolved(
    x: keras.KerasTensor, convolution: Convolution, name: str, kernel: str = "he_normal"
) -> keras.KerasTensor:
    """Without a bias: wherever it is used, a batch norm comes behind and has an offset."""
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
