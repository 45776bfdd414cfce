"""Attention between the tokens of different inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.token_fusion import AttentionFusion, present_tokens
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import layer_norm


class CrossAttentionFusion(AttentionFusion):
    """Cross-attention: the tokens of each input attend to those of all others.

    For example, words attend to the positions of an image. In each block every input's tokens are
    the queries, those of all other inputs the keys and values, and dense layers follow. Then each
    input's tokens are averaged, and the averages are concatenated with the inputs' vectors. An
    input whose encoder makes no tokens contributes its vector as a single token. Padding is masked.

    References: Lu et al., "ViLBERT: Pretraining task-agnostic visiolinguistic representations for
    vision-and-language tasks", 2019; Tsai et al., "Multimodal transformer for unaligned multimodal
    language sequences", 2019, for more than two inputs, of which each looks at one other at a time.
    """

    type: Literal["cross_attention"] = "cross_attention"
    positions: Literal["sinusoidal", "none"] = "sinusoidal"
    """Position encoding added to the tokens of each input."""

    def reads_tokens(self, name: str, inputs: Collection[str]) -> bool:
        return len(inputs) > 1

    def notes(self, features: Mapping[str, Features]) -> Iterator[str]:
        if len(features) == 1:
            return
        given = [
            name if feature.tokens is not None else f"{name} (its vector, having none)"
            for name, feature in features.items()
        ]
        yield (
            f"the fusion cross_attention projects the tokens of {' and '.join(given)} to a width "
            f"of {self.dim}"
        )

    def combine_features(self, features: Mapping[str, Features]) -> Features:

        tokens, present = {}, {}
        for name, feature in features.items():
            given, present[name] = present_tokens(feature, name)
            tokens[name] = self._projected(given, name)
        for block in range(1, self.blocks + 1):
            tokens = self._block(tokens, present, block)
        averages = [
            layers.MaskedAverage(name=f"fusion_{name}_average")(
                layer_norm(x, f"fusion_{name}_norm"), present[name]
            )
            for name, x in tokens.items()
        ]
        vectors = [feature.vector for feature in features.values()]
        vector = keras.layers.Concatenate(name="fusion_beside")([*averages, *vectors])
        return Features(
            vector,
            _concatenated(list(tokens.values()), "fusion_tokens"),
            _concatenated(list(present.values()), "fusion_tokens_mask"),
        )

    def _projected(self, tokens: keras.KerasTensor, name: str) -> keras.KerasTensor:

        x = keras.layers.Dense(self.dim, name=f"fusion_{name}_projection")(tokens)
        if self.positions == "none":
            return x
        return layers.SinusoidalPositions(scaled=False, name=f"fusion_{name}_positions")(x)

    def _block(
        self,
        tokens: Mapping[str, keras.KerasTensor],
        present: Mapping[str, keras.KerasTensor],
        block: int,
    ) -> dict[str, keras.KerasTensor]:
        """The tokens of all inputs after a block; all attend to the tokens from before it."""

        normed = {
            name: layer_norm(x, f"fusion_{name}_block{block}_norm1") for name, x in tokens.items()
        }
        after = {}
        for name, x in tokens.items():
            begin = f"fusion_{name}_block{block}"
            others = [other for other in tokens if other != name]
            asked = _concatenated([normed[other] for other in others], f"{begin}_others")
            there = _concatenated([present[other] for other in others], f"{begin}_others_mask")
            layer = layers.CrossAttention(
                self.num_heads, self.attention_dropout, name=f"{begin}_attention"
            )
            after[name] = self.residual_attention_block(x, layer(normed[name], asked, there), begin)
        return after


def _concatenated(parts: list[keras.KerasTensor], name: str) -> keras.KerasTensor:
    """The tokens, or masks, of several inputs as those of one."""
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate(axis=1, name=name)(parts)
