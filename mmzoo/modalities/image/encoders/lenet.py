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
    """The first convolutional network to read handwriting well.

    The first convolution pads, as the paper pads its 28x28 digits to 32x32; the others do not.
    With ten classes and 28x28 pixels it has 61,706 parameters: the paper's C3 joins only some maps
    of S2, to save time on the machines of 1998, and its RBF outputs have become a softmax.

    Reference: LeCun et al., "Gradient-based learning applied to document recognition", 1998.
    """

    type: Literal["lenet"] = "lenet"
    filters: tuple[PositiveInt, ...] = (6, 16)
    """Filters of each convolution: one stage per entry."""
    units: tuple[PositiveInt, ...] = (120, 84)
    """Width of each dense layer; the last is the width of the features."""
    activation: Activation = "tanh"
    """The activation of convolutions and dense layers."""
    pool_type: Literal["average", "max"] = "average"
    """What pooling takes of each 2x2 window."""

    def rules(self) -> Iterator[Problem]:
        if not self.filters:
            yield Problem(("filters",), "expected at least one stage, got an empty list")

    def smallest_image(self) -> int:
        """The smallest height or width, in pixels, that leaves something after the last stage."""
        return next(size for size in count(1) if self._size_after(size) >= 1)

    def build(self, image: keras.KerasTensor) -> Features:
        # The paper's scale: background -0.1, ink 1.175, which makes a digit's mean about 0 and its
        # variance about 1.
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
