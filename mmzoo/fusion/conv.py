"""Convolution over stacked features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from annotated_types import MinLen

from mmzoo import layers
from mmzoo.fusion.common_width import CommonWidth
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.spec import PositiveInt


class Conv(CommonWidth):
    """The inputs' vectors as the channels of one signal, which convolutions run along.

    Each filter combines the same entry of all inputs with its neighbours; what the last filters
    give is laid side by side. Entries of a vector have no order but that which training gives them.

    Reference: Feichtenhofer et al., "Convolutional two-stream network fusion for video action
    recognition", 2016, section 3.1, where it runs over the places of two feature maps.
    """

    type: Literal["conv"] = "conv"
    filters: Annotated[tuple[PositiveInt, ...], MinLen(1)] = (8,)
    """Filters of each convolution."""
    kernel_size: PositiveInt = 3
    """How many entries in a row a filter sees."""
    conv_activation: Activation = "relu"
    """The activation of the convolutions."""

    def joined(self, features: Mapping[str, Features]) -> keras.KerasTensor:

        x = layers.Stacked(axis=2, name="fusion_channels")(list(self.projected(features).values()))
        for index, filters in enumerate(self.filters, start=1):
            x = keras.layers.Conv1D(
                filters,
                self.kernel_size,
                padding="same",
                activation=self.conv_activation,
                name=f"fusion_conv{index}",
            )(x)
        return keras.layers.Flatten(name="fusion_flatten")(x)
