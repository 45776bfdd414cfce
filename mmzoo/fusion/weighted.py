"""An average whose weights are learned."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.common_width import CommonWidth
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features

_LAYER = "fusion_weights"


class Weighted(CommonWidth):
    """The average of the inputs' vectors, each with a learned weight.

    The weights are the softmax of a learned number for each input, the same for all examples; they
    begin equal, and a training says at its end what became of them. They weigh vectors, whose size
    is learned too: a small weight may stand before a large vector.

    Reference: Peters et al., "Deep contextualized word representations", 2018, equation 1, where
    the layers of a network are joined so.
    """

    type: Literal["weighted"] = "weighted"

    def joined(self, features: Mapping[str, Features]) -> keras.KerasTensor:

        return layers.LearnedAverage(name=_LAYER)(list(self.projected(features).values()))

    def learned_weights(
        self, model: keras.Model, inputs: Collection[str]
    ) -> dict[str, float] | None:
        if len(inputs) == 1:
            return None
        weights = model.get_layer(_LAYER).weights_of_inputs().numpy()
        return dict(zip(inputs, map(float, weights), strict=True))
