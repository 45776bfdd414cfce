"""Low-rank products of features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.base_fusion import FeatureFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.spec import PositiveInt


class Bilinear(FeatureFusion):
    """Low-rank bilinear fusion: sums of products of linear functions of the inputs.

    Each entry of the vector depends on products of all inputs, as with `tensor`, but through `rank`
    terms instead of one weight for every combination of features. The linear functions have biases,
    so products of fewer inputs are included.

    References: Liu et al., "Efficient low-rank multimodal fusion with modality-specific factors",
    2018, for any number of inputs; Yu et al., "Multi-modal factorized bilinear pooling with
    co-attention learning for visual question answering", 2017, for two, and for `normalize`.
    """

    type: Literal["bilinear"] = "bilinear"
    dim: PositiveInt = 128
    """Width of the vector."""
    rank: PositiveInt = 4
    """Number of products summed for each entry."""
    normalize: bool = False
    """Apply a signed square root to every entry and divide the vector by its length."""

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        return dict.fromkeys(widths, self.dim * self.rank)

    def combine_features(self, features: Mapping[str, Features]) -> Features:

        factors = list(self.projected(features).values())
        x = layers.PooledProduct(self.rank, name="fusion_product")(factors)
        if not self.normalize:
            return Features(x)
        x = layers.SignedSqrt(dtype="float32", name="fusion_root")(x)
        return Features(keras.layers.UnitNormalization(dtype="float32", name="fusion_unit")(x))
