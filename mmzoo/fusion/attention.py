"""Self-attention between inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.token_fusion import AttentionFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import layer_norm

_WEIGHTS = "fusion_weights"


class Attention(AttentionFusion):
    """Self-attention over the vectors of all inputs, one token each, then attention pooling.

    After the blocks of self-attention, a learned query weights the tokens for each example; the
    vector is their weighted average. The tokens are those of the inputs, in the config's order.

    References: Vaswani et al., "Attention is all you need", 2017, for the blocks; Yang et al.,
    "Hierarchical attention networks for document classification", 2016, for the average.
    """

    type: Literal["attention"] = "attention"

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        return dict.fromkeys(widths, self.dim)

    def combine_features(self, features: Mapping[str, Features]) -> Features:
        x = layers.StackVectors(axis=1, name="fusion_inputs")(
            list(self.projected(features).values())
        )
        present = layers.AllTrueMask(name="fusion_all_present")(x)
        for block in range(1, self.blocks + 1):
            name = f"fusion_block{block}"
            attention = layers.SelfAttention(
                self.num_heads, self.attention_dropout, name=f"{name}_attention"
            )
            x = self.residual_attention_block(
                x, attention(layer_norm(x, f"{name}_norm1"), present), name
            )
        x = layer_norm(x, "fusion_norm")
        # A bias would shift the scores of all inputs alike, which the softmax cancels.
        scores = keras.layers.Dense(1, use_bias=False, name="fusion_scores")(x)
        scores = keras.layers.Reshape((len(features),), name="fusion_scores_by_input")(scores)
        weights = keras.layers.Softmax(dtype="float32", name=_WEIGHTS)(scores)
        vector = keras.layers.Dot(axes=1, name="fusion_weighted_average")([weights, x])
        return Features(vector, x)

    def example_weights(self, model: keras.Model) -> keras.KerasTensor | None:
        if not any(layer.name == _WEIGHTS for layer in model.layers):
            return None
        return model.get_layer(_WEIGHTS).output
