"""Self-attention between words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.modalities.encoder_blocks import head_problems, normalised, with_attended
from mmzoo.modalities.text.encoders.text_encoder import TextNetwork
from mmzoo.spec import PositiveInt, Problem, Rate


class TextTransformer(TextNetwork):
    """Blocks of self-attention and dense layers, in which every word looks at all others.

    Each half of a block normalises before it and adds to what it got, which trains without a
    warm-up. The vector is the average over the words.

    Reference: Vaswani et al., "Attention is all you need", 2017; Xiong et al., "On layer
    normalization in the transformer architecture", 2020.
    """

    type: Literal["transformer"] = "transformer"
    blocks: PositiveInt = 2
    """How many blocks there are."""
    num_heads: PositiveInt = 4
    """Heads of each self-attention; their number divides `dim`."""
    hidden: PositiveInt = 256
    """Width of the hidden dense layer of each block."""
    activation: Activation = "gelu"
    """The activation of the hidden dense layers."""
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    """How a word's vector says where it stands: by waves, or by a learned vector."""
    longest: PositiveInt = 512
    """How many positions have a vector, if they are learned; those beyond share the last one."""
    dropout: Rate = 0.1
    """Share of the words' vectors dropped, of what each half of a block adds, and of the attention
    weights."""

    def rules(self) -> Iterator[Problem]:
        yield from head_problems(self.dim, self.num_heads)

    def build(self, ids: keras.KerasTensor, words: int) -> Features:  # type: ignore[override]
        from mmzoo.layers.sequences import MaskedAverage, ZeroedPadding

        x, present = self.embedded(ids, words)
        x = self._with_positions(x)
        if self.dropout:
            x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        for index in range(1, self.blocks + 1):
            x = self._block(x, present, f"block{index}")
        tokens = ZeroedPadding(name="tokens")(normalised(x, "norm"), present)
        vector = MaskedAverage(name="average")(tokens, present)
        return Features(vector, tokens, mask=present)

    def _with_positions(self, x: keras.KerasTensor) -> keras.KerasTensor:
        from mmzoo.layers.positions import LearnedPositions, SinusoidalPositions

        if self.positions == "learned":
            return LearnedPositions(self.longest, name="positions")(x)
        return SinusoidalPositions(name="positions")(x)

    def _block(
        self, x: keras.KerasTensor, present: keras.KerasTensor, name: str
    ) -> keras.KerasTensor:
        """One block on `[batch, positions, dim]`; `name` begins the names of its layers."""
        from mmzoo.layers.attention_layers import SelfAttention

        attention = SelfAttention(self.num_heads, self.dropout, name=f"{name}_attention")
        return with_attended(
            x,
            attention(normalised(x, f"{name}_norm1"), present),
            name,
            hidden=self.hidden,
            activation=self.activation,
            dropout=self.dropout,
        )
