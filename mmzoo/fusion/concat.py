"""Concatenation of features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo.fusion.base_fusion import FeatureFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features


class Concat(FeatureFusion):
    """Concatenates the vectors of all inputs. One input alone passes through.

    Reference: Ngiam et al., "Multimodal deep learning", 2011.
    """

    type: Literal["concat"] = "concat"

    def combine_features(self, features: Mapping[str, Features]) -> Features:
        vectors = [feature.vector for feature in features.values()]
        return Features(keras.layers.Concatenate(name="concat")(vectors))
