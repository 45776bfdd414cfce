"""From the last feature map to a vector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.lazy import keras

if TYPE_CHECKING:
    from keras import KerasTensor

Pooling = Literal["flatten", "average", "max"]


def pooled(x: KerasTensor, pooling: Pooling) -> KerasTensor:
    """All of a `[batch, height, width, channels]` map, or each channel's average or maximum."""
    match pooling:
        case "flatten":
            return keras.layers.Flatten(name="flatten")(x)
        case "average":
            return keras.layers.GlobalAveragePooling2D(name="average")(x)
        case "max":
            return keras.layers.GlobalMaxPooling2D(name="max")(x)
