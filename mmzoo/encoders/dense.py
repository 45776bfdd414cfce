"""Dense layers at the end of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.lazy import keras

if TYPE_CHECKING:
    from keras import KerasTensor


def dense_layers(
    x: KerasTensor,
    units: tuple[int, ...],
    activation: str,
    dropout: float,
    kernel_initializer: str = "glorot_uniform",
) -> KerasTensor:
    """A vector, float `[batch, width]`, after a layer per entry of `units`, with dropout behind."""
    for index, width in enumerate(units, start=1):
        x = keras.layers.Dense(
            width, activation, kernel_initializer=kernel_initializer, name=f"dense{index}"
        )(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"dropout{index}")(x)
    return x
