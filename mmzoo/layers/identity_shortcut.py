"""A shortcut without weights around a block that changes the shape."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class IdentityShortcut(keras.layers.Layer):
    """Every `strides`-th position of each feature map, with empty maps added up to `filters`.

    `[batch, height, width, channels]` becomes `[batch, ceil(height / strides), ceil(width /
    strides), filters]`; half of the maps of zeros stand before the given ones and half behind.

    Reference: He et al., "Deep residual learning for image recognition", 2015: option A.

    Args:
        filters: how many feature maps there shall be, no fewer than there are.
        strides: the distance in pixels from one position that is kept to the next.
    """

    def __init__(self, filters: int, strides: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.filters = filters
        self.strides = strides

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        missing = self.filters - inputs.shape[-1]
        before = missing // 2
        kept = inputs[:, :: self.strides, :: self.strides]
        return tf.pad(kept, [[0, 0], [0, 0], [0, 0], [before, missing - before]])

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sides, _ = shape
        kept = [None if side is None else -(-side // self.strides) for side in sides]
        return (batch, *kept, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}
