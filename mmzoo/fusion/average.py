"""The average of features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo.fusion.base_fusion import CommonWidthFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features


class Average(CommonWidthFusion):
    """Averages the vectors of all inputs, which count the same.

    Reference: Feichtenhofer et al., "Convolutional two-stream network fusion for video action
    recognition", 2016, section 3.1, where it is a sum.
    """

    type: Literal["average"] = "average"

    def combine_features(self, features: Mapping[str, Features]) -> Features:
        vectors = list(self.projected(features).values())
        return Features(keras.layers.Average(name="fusion_average")(vectors))
