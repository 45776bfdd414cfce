"""Convolution over stacked features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from annotated_types import MinLen

from mmzoo import layers
from mmzoo.fusion.base_fusion import CommonWidthFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.spec import PositiveInt


class Conv(CommonWidthFusion):
    """Stacks the vectors of all inputs as channels of one signal and convolves along it.

    Each filter combines an entry of all inputs with its neighbours; the last feature map is
    flattened. The entries of a vector have no order except the one that training gives them.

    Reference: Feichtenhofer et al., "Convolutional two-stream network fusion for video action
    recognition", 2016, section 3.1, where it runs over the positions of two feature maps.
    """

    type: Literal["conv"] = "conv"
    filters: Annotated[tuple[PositiveInt, ...], MinLen(1)] = (8,)
    """Number of filters of each convolution."""
    kernel_size: PositiveInt = 3
    """Number of neighbouring entries that a filter sees."""
    conv_activation: Activation = "relu"
    """The activation of the convolutions."""

    def combine_features(self, features: Mapping[str, Features]) -> Features:

        x = layers.StackVectors(axis=2, name="fusion_channels")(
            list(self.projected(features).values())
        )
        for index, filters in enumerate(self.filters, start=1):
            x = keras.layers.Conv1D(
                filters,
                self.kernel_size,
                padding="same",
                activation=self.conv_activation,
                name=f"fusion_conv{index}",
            )(x)
        return Features(keras.layers.Flatten(name="fusion_flatten")(x))
