"""Concatenation of features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo.fusion.features import FeatureFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features


class Concat(FeatureFusion):
    """All features side by side. One input alone passes through.

    Reference: Ngiam et al., "Multimodal deep learning", 2011.
    """

    type: Literal["concat"] = "concat"

    def joined(self, features: Mapping[str, Features]) -> keras.KerasTensor:
        vectors = [feature.vector for feature in features.values()]
        return keras.layers.Concatenate(name="concat")(vectors)
