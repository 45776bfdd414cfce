"""Transformer encoder of texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.modalities.encoder_blocks import layer_norm, num_heads_problems, residual_attention_block
from mmzoo.modalities.text.encoders.text_encoder import TextNetwork
from mmzoo.spec import PositiveInt, Problem, Rate


class TextTransformer(TextNetwork):
    """Transformer encoder: pre-norm blocks of self-attention and feed-forward layers.

    The feature vector is the average of the token features. Pre-norm blocks train without learning
    rate warm-up.

    Reference: Vaswani et al., "Attention is all you need", 2017; Xiong et al., "On layer
    normalization in the transformer architecture", 2020.
    """

    type: Literal["transformer"] = "transformer"
    blocks: PositiveInt = 2
    """Number of blocks."""
    num_heads: PositiveInt = 4
    """Number of attention heads; it must divide `dim`."""
    hidden: PositiveInt = 256
    """Width of the hidden feed-forward layer of each block."""
    activation: Activation = "gelu"
    """Activation of the hidden feed-forward layers."""
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    """Position embeddings: sinusoidal or learned."""
    longest: PositiveInt = 512
    """Number of learned position embeddings; later positions share the last one."""
    dropout: Rate = 0.1
    """Dropout rate of the embeddings, the attention weights, and the outputs of attention and
    feed-forward layers."""

    def rules(self) -> Iterator[Problem]:
        yield from num_heads_problems(self.dim, self.num_heads)

    def build(self, ids: keras.KerasTensor, words: int) -> Features:  # type: ignore[override]
        x, present = self.embed(ids, words)
        x = self._with_positions(x)
        if self.dropout:
            x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        for index in range(1, self.blocks + 1):
            x = self._block(x, present, f"block{index}")
        tokens = layers.ZeroPaddedSteps(name="tokens")(layer_norm(x, "norm"), present)
        vector = layers.MaskedAverage(name="average")(tokens, present)
        return Features(vector, tokens, mask=present)

    def _with_positions(self, x: keras.KerasTensor) -> keras.KerasTensor:
        if self.positions == "learned":
            return layers.LearnedPositions(self.longest, name="positions")(x)
        return layers.SinusoidalPositions(name="positions")(x)

    def _block(
        self, x: keras.KerasTensor, present: keras.KerasTensor, name: str
    ) -> keras.KerasTensor:
        """One transformer block; `name` is the prefix of its layer names."""

        attention = layers.SelfAttention(self.num_heads, self.dropout, name=f"{name}_attention")
        return residual_attention_block(
            x,
            attention(layer_norm(x, f"{name}_norm1"), present),
            name,
            hidden=self.hidden,
            activation=self.activation,
            dropout=self.dropout,
        )
