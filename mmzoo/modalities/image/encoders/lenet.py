"""LeNet-5."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.modalities.image.encoders.image_encoder import ImageNetwork
from mmzoo.spec import PositiveInt, Problem

_KERNEL_SIZE = 5


class LeNet(ImageNetwork):
    """LeNet-5, the convolutional network for handwritten digits.

    The first convolution is padded, as the paper pads its 28x28 digits to 32x32; the others are
    not. With ten classes and 28x28 pixels, the network has 61,706 parameters. It differs from the
    paper in two ways: C3 is connected to all maps of S2, not to a subset, and the RBF outputs are
    replaced by a softmax.

    Reference: LeCun et al., "Gradient-based learning applied to document recognition", 1998.
    """

    type: Literal["lenet"] = "lenet"
    filters: tuple[PositiveInt, ...] = (6, 16)
    """Filters of each convolution; one stage per entry."""
    units: tuple[PositiveInt, ...] = (120, 84)
    """Width of each dense layer; the last is the width of the features."""
    activation: Activation = "tanh"
    """Activation of convolutions and dense layers."""
    pool_type: Literal["average", "max"] = "average"
    """Kind of the 2x2 pooling."""

    def rules(self) -> Iterator[Problem]:
        if not self.filters:
            yield Problem(("filters",), "expected at least one stage, got an empty list")

    def smallest_image(self) -> int:
        """Minimum height or width, in pixels, for which the last feature map is not empty."""
        return next(size for size in count(1) if self._size_after(size) >= 1)

    def build(self, image: keras.KerasTensor) -> Features:
        # As in the paper: background -0.1, ink 1.175, so that a digit has a mean of about 0 and a
        # variance of about 1.
        x = keras.layers.Rescaling(1.275 / 255, offset=-0.1, name="rescaling")(image)
        max_pool, average_pool = keras.layers.MaxPooling2D, keras.layers.AveragePooling2D
        pool = max_pool if self.pool_type == "max" else average_pool
        for stage, filters in enumerate(self.filters):
            x = keras.layers.Conv2D(
                filters,
                _KERNEL_SIZE,
                padding="same" if stage == 0 else "valid",
                activation=self.activation,
                name=f"conv{stage + 1}",
            )(x)
            x = pool(2, name=f"pool{stage + 1}")(x)
        tokens = keras.layers.Reshape((-1, x.shape[-1]), name="tokens")(x)
        x = keras.layers.Flatten(name="flatten")(x)
        for index, units in enumerate(self.units):
            x = keras.layers.Dense(units, self.activation, name=f"dense{index + 1}")(x)
        return Features(vector=x, tokens=tokens)

    def _size_after(self, size: int) -> int:
        for stage in range(len(self.filters)):
            size = (size if stage == 0 else size - _KERNEL_SIZE + 1) // 2
            if size < 1:
                return 0
        return size
