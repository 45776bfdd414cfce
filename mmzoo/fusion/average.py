"""The average of features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo.fusion.common_width import CommonWidth
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features


class Average(CommonWidth):
    """The plain average of the inputs' vectors, entry by entry: all inputs count the same.

    Reference: Feichtenhofer et al., "Convolutional two-stream network fusion for video action
    recognition", 2016, section 3.1, where it is the sum.
    """

    type: Literal["average"] = "average"

    def joined(self, features: Mapping[str, Features]) -> keras.KerasTensor:
        vectors = list(self.projected(features).values())
        return keras.layers.Average(name="fusion_average")(vectors)
