"""Self-attention between inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo.fusion.attention_block import AttentionFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import normalised

_WEIGHTS = "fusion_weights"


class Attention(AttentionFusion):
    """Every input is one token, its vector; the tokens look at one another, and are then averaged.

    After the blocks of self-attention, a learned question asks each token how much it counts for
    this example; the vector is their average with these weights. By then each token knows of the
    others too.

    References: Vaswani et al., "Attention is all you need", 2017, for the blocks; Yang et al.,
    "Hierarchical attention networks for document classification", 2016, for the average.
    """

    type: Literal["attention"] = "attention"

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        return dict.fromkeys(widths, self.dim)

    def joined(self, features: Mapping[str, Features]) -> keras.KerasTensor:
        from mmzoo.layers.attention_layers import SelfAttention
        from mmzoo.layers.fusion_layers import Stacked
        from mmzoo.layers.missing_features import AllPresent

        layers = keras.layers
        x = Stacked(axis=1, name="fusion_inputs")(list(self.projected(features).values()))
        present = AllPresent(name="fusion_all_present")(x)
        for block in range(1, self.blocks + 1):
            name = f"fusion_block{block}"
            attention = SelfAttention(
                self.num_heads, self.attention_dropout, name=f"{name}_attention"
            )
            x = self.with_attended(x, attention(normalised(x, f"{name}_norm1"), present), name)
        x = normalised(x, "fusion_norm")
        # A bias would move the scores of all inputs alike, which no softmax notices.
        scores = layers.Dense(1, use_bias=False, name="fusion_scores")(x)
        scores = layers.Reshape((len(features),), name="fusion_scores_by_input")(scores)
        weights = layers.Softmax(dtype="float32", name=_WEIGHTS)(scores)
        return layers.Dot(axes=1, name="fusion_weighted_average")([weights, x])

    def example_weights(self, model: keras.Model) -> keras.KerasTensor | None:
        if not any(layer.name == _WEIGHTS for layer in model.layers):
            return None
        return model.get_layer(_WEIGHTS).output
