"""An average whose weights are learned."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.base_fusion import CommonWidthFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features

_LAYER = "fusion_weights"


class Weighted(CommonWidthFusion):
    """Averages the vectors of all inputs with learned weights, the same for all examples.

    The weights are the softmax of one learned number per input. They start equal and are reported
    at the end of training. The size of the vectors is learned too, so a small weight can multiply a
    large vector.

    Reference: Peters et al., "Deep contextualized word representations", 2018, equation 1, which
    combines the layers of a network this way.
    """

    type: Literal["weighted"] = "weighted"

    def combine_features(self, features: Mapping[str, Features]) -> Features:

        return Features(layers.LearnedAverage(name=_LAYER)(list(self.projected(features).values())))

    def learned_weights(
        self, model: keras.Model, inputs: Collection[str]
    ) -> dict[str, float] | None:
        if len(inputs) == 1:
            return None
        weights = model.get_layer(_LAYER).weights_of_inputs().numpy()
        return dict(zip(inputs, map(float, weights), strict=True))
