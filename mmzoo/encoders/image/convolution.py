"""Convolution, normalisation, activation: what the networks of before ResNet are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.lazy import keras

if TYPE_CHECKING:
    from keras import KerasTensor

Norm = Literal["local_response", "batch", "none"]
"""How the networks of before batch norm may be normalised."""


def convolution(
    x: KerasTensor,
    filters: int,
    kernel_size: int,
    name: str,
    *,
    strides: int = 1,
    padding: str = "same",
    groups: int = 1,
    norm_momentum: float | None = None,
) -> KerasTensor:
    """A convolution with a ReLU, and batch norm between the two where it has a momentum.

    The kernels are drawn as He et al. do ("Delving deep into rectifiers", 2015), since the fixed
    deviations of older papers let deep networks without batch norm learn slowly or not at all.
    """
    from mmzoo.layers.batch_norm import BatchNorm
    from mmzoo.layers.grouped_conv import GroupedConv

    conv = keras.layers.Conv2D if groups == 1 else GroupedConv
    x = conv(
        filters,
        kernel_size,
        strides,
        padding=padding,
        groups=groups,
        use_bias=norm_momentum is None,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    if norm_momentum is not None:
        x = BatchNorm(momentum=norm_momentum, name=f"{name}_norm")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)
