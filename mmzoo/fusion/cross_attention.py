"""Attention between the tokens of different inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.attention_block import AttentionFusion
from mmzoo.fusion.tokens import present_tokens
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import normalised


class CrossAttention(AttentionFusion):
    """Every token looks at the tokens of all other inputs: words at the places of an image.

    In each block every input's tokens ask, those of all others answer, and a dense layer follows;
    then each input's tokens are averaged, and the averages stand side by side with the inputs'
    vectors. An input whose encoder has no tokens gives its vector as its only one; padding is not
    looked at.

    References: Lu et al., "ViLBERT: Pretraining task-agnostic visiolinguistic representations for
    vision-and-language tasks", 2019; Tsai et al., "Multimodal transformer for unaligned multimodal
    language sequences", 2019, for more than two inputs, of which each looks at one other at a time.
    """

    type: Literal["cross_attention"] = "cross_attention"
    positions: Literal["sinusoidal", "none"] = "sinusoidal"
    """How a token says where it stands among those of its input: by waves added to it, or not."""

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

    def joined(self, features: Mapping[str, Features]) -> keras.KerasTensor:

        tokens, present = {}, {}
        for name, feature in features.items():
            given, present[name] = present_tokens(feature, name)
            tokens[name] = self._projected(given, name)
        for block in range(1, self.blocks + 1):
            tokens = self._block(tokens, present, block)
        averages = [
            layers.MaskedAverage(name=f"fusion_{name}_average")(
                normalised(x, f"fusion_{name}_norm"), present[name]
            )
            for name, x in tokens.items()
        ]
        vectors = [feature.vector for feature in features.values()]
        return keras.layers.Concatenate(name="fusion_beside")([*averages, *vectors])

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
        """All inputs' tokens after a block, in which all look at what was before it."""

        normed = {
            name: normalised(x, f"fusion_{name}_block{block}_norm1") for name, x in tokens.items()
        }
        after = {}
        for name, x in tokens.items():
            begin = f"fusion_{name}_block{block}"
            others = [other for other in tokens if other != name]
            asked = _end_to_end([normed[other] for other in others], f"{begin}_others")
            there = _end_to_end([present[other] for other in others], f"{begin}_others_mask")
            layer = layers.CrossAttention(
                self.num_heads, self.attention_dropout, name=f"{begin}_attention"
            )
            after[name] = self.with_attended(x, layer(normed[name], asked, there), begin)
        return after


def _end_to_end(parts: list[keras.KerasTensor], name: str) -> keras.KerasTensor:
    """Tokens, or masks, of several inputs as those of one."""
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate(axis=1, name=name)(parts)
