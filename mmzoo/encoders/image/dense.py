"""The dense layers that AlexNet and VGG end with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.lazy import keras

if TYPE_CHECKING:
    from keras import KerasTensor


def dense_layers(x: KerasTensor, units: tuple[int, ...], dropout: float) -> KerasTensor:
    """A dense layer with a ReLU for each width, and dropout behind each; `[batch, units[-1]]`."""
    for index, width in enumerate(units, start=1):
        name = f"dense{index}"
        x = keras.layers.Dense(width, "relu", kernel_initializer="he_normal", name=name)(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"dropout{index}")(x)
    return x
