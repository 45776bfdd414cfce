"""VGG networks, trained from scratch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import Pooling, dense_layers, global_pooling
from mmzoo.modalities.image.encoders.image_encoder import ImageNetwork, convolution, scale_filters
from mmzoo.spec import PositiveFloat, PositiveInt, Problem, Rate
from mmzoo.spec.wording import join_or

_DEPTHS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
"""Convolutions of each stage in the paper's networks A, B, D and E."""


class VGG(ImageNetwork):
    """VGG, trained from scratch: stages of 3x3 convolutions with max pooling, then dense layers.

    Pooling rounds up, so that 28x28 pixels are enough for all five stages; for 224x224 pixels this
    changes nothing. For pretrained weights, use `vgg16` or `vgg19`.

    Reference: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image
    recognition", 2014.
    """

    type: Literal["vgg"] = "vgg"
    depth: PositiveInt | tuple[PositiveInt, ...] = 16
    """Depth of a network of the paper, 11, 13, 16 or 19 layers with weights (including the head's);
    or the number of convolutions of each stage."""
    filters: tuple[PositiveInt, ...] = (64, 128, 256, 512, 512)
    """Filters of the convolutions of each stage; one stage per entry."""
    width: PositiveFloat = 1.0
    """Width multiplier of all filters."""
    batch_norm: bool = False
    """Whether to add batch normalization between each convolution and its activation."""
    norm_momentum: Rate = 0.9
    """Momentum of the moving statistics of batch normalization. Keras' default of 0.99 needs
    thousands of steps before evaluation matches training."""
    pooling: Pooling = "flatten"
    """How the last feature map becomes a vector: flattened, or global average or max pooling."""
    units: tuple[PositiveInt, ...] = (4096, 4096)
    """Width of each dense layer; the last is the width of the features."""
    dropout: Rate = 0.5
    """Dropout rate of each dense layer's output."""

    def rules(self) -> Iterator[Problem]:
        if not self.filters:
            yield Problem(("filters",), "expected at least one stage, got an empty list")
        elif isinstance(self.depth, int) and self.depth not in _DEPTHS:
            yield Problem(
                ("depth",),
                f"expected {join_or([str(depth) for depth in _DEPTHS])}, or the number of "
                f"convolutions per stage, as in [1, 1, 2]; got {self.depth}",
            )
        elif len(self._convolutions()) != len(self.filters):
            got = f"{len(self._convolutions())} numbers"
            if isinstance(self.depth, int):
                got = f"depth {self.depth}, which has {list(self._convolutions())}"
            yield Problem(
                ("depth",),
                f"expected the number of convolutions of each of the {len(self.filters)} stages of "
                f"`filters`; got {got}",
            )

    def smallest_image(self) -> int:
        """Minimum height or width, in pixels, that every pooling still reduces."""
        return 2 ** (len(self.filters) - 1) + 1

    def build(self, image: keras.KerasTensor) -> Features:
        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(image)
        stages = zip(self.filters, self._convolutions(), strict=True)
        for stage, (filters, convolutions) in enumerate(stages, start=1):
            for index in range(convolutions):
                x = convolution(
                    x,
                    scale_filters(filters, self.width),
                    3,
                    f"stage{stage}_conv{index + 1}",
                    norm_momentum=self.norm_momentum if self.batch_norm else None,
                )
            x = keras.layers.MaxPooling2D(2, padding="same", name=f"stage{stage}_pool")(x)
        tokens = keras.layers.Reshape((-1, x.shape[-1]), name="tokens")(x)
        x = global_pooling(x, self.pooling)
        vector = dense_layers(x, self.units, "relu", self.dropout, "he_normal")
        return Features(vector=vector, tokens=tokens)

    def _convolutions(self) -> tuple[int, ...]:
        """Number of convolutions of each stage."""
        return _DEPTHS[self.depth] if isinstance(self.depth, int) else self.depth
