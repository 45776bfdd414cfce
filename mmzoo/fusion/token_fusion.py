"""Fusion of tokens: the tokens of any input, and the blocks of attention between them."""

from __future__ import annotations

from collections.abc import Iterator

from mmzoo import layers
from mmzoo.fusion.base_fusion import FeatureFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import num_heads_problems, residual_attention_block
from mmzoo.spec import PositiveInt, Problem, Rate


class AttentionFusion(FeatureFusion):
    """Tokens attend to one another in pre-norm transformer blocks."""

    dim: PositiveInt = 128
    """Width of all tokens; each input's are projected to it by their own linear layer."""
    blocks: PositiveInt = 1
    """Number of blocks."""
    num_heads: PositiveInt = 4
    """Attention heads; `dim` must be divisible by their number."""
    hidden: PositiveInt | None = None
    """Width of the hidden dense layer of each block; by default twice `dim`."""
    attention_dropout: Rate = 0.0
    """Dropout rate of the attention weights and of both residual branches of a block."""

    def rules(self) -> Iterator[Problem]:
        yield from num_heads_problems(self.dim, self.num_heads)

    def residual_attention_block(
        self, x: keras.KerasTensor, attended: keras.KerasTensor, name: str
    ) -> keras.KerasTensor:
        """The rest of a block after its attention: both residual additions and the dense layers.

        Args:
            x: the tokens before the block, float `[batch, positions, dim]`.
            attended: the output of the attention, of the same shape.
            name: prefix of the layers' names.
        """
        return residual_attention_block(
            x,
            attended,
            name,
            hidden=self.hidden or 2 * self.dim,
            activation="gelu",
            dropout=self.attention_dropout,
        )


def present_tokens(features: Features, name: str) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The tokens of an input and their mask, whether its encoder makes any or not.

    Args:
        features: of the input.
        name: the input's; the layers made here are named after it.

    Returns:
        Tokens, float `[batch, positions, width]`: the vector as a single token where there are
        none; and the mask, bool `[batch, positions]`, true where there is a token.
    """

    tokens = features.tokens
    if tokens is None:
        shape = (1, features.vector.shape[-1])
        tokens = keras.layers.Reshape(shape, name=f"fusion_{name}_token")(features.vector)
    if features.mask is not None:
        return tokens, features.mask
    return tokens, layers.AllTrueMask(name=f"fusion_{name}_present")(tokens)
