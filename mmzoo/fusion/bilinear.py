"""Products of features, by factors of low rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.features import FeatureFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.spec import PositiveInt


class Bilinear(FeatureFusion):
    """Low-rank bilinear fusion: products of linear functions of the inputs, some of them summed.

    What each entry of the vector says depends on the product of all inputs, as with `tensor`, but
    through `rank` terms in place of a weight for every combination of features. A linear function
    has a bias, so products of fewer inputs are in it too.

    References: Liu et al., "Efficient low-rank multimodal fusion with modality-specific factors",
    2018, for any number of inputs; Yu et al., "Multi-modal factorized bilinear pooling with
    co-attention learning for visual question answering", 2017, for two, and for `normalize`.
    """

    type: Literal["bilinear"] = "bilinear"
    dim: PositiveInt = 128
    """Width of the vector."""
    rank: PositiveInt = 4
    """How many products are summed for each entry of it."""
    normalize: bool = False
    """Take the root of every entry, with its sign, and divide the vector by its length."""

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        return dict.fromkeys(widths, self.dim * self.rank)

    def joined(self, features: Mapping[str, Features]) -> keras.KerasTensor:

        factors = list(self.projected(features).values())
        x = layers.PooledProduct(self.rank, name="fusion_product")(factors)
        if not self.normalize:
            return x
        x = layers.SignedRoot(dtype="float32", name="fusion_root")(x)
        return keras.layers.UnitNormalization(dtype="float32", name="fusion_unit")(x)
