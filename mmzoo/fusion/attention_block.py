"""A block of attention and dense layers, as fusions by attention stack it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.fusion.features import FeatureFusion
from mmzoo.lazy import keras
from mmzoo.modalities.encoder_blocks import head_problems, with_attended
from mmzoo.spec import PositiveInt, Problem, Rate

if TYPE_CHECKING:
    from collections.abc import Iterator


class AttentionFusion(FeatureFusion):
    """Tokens look at one another in blocks, each half of which normalises first and adds after."""

    dim: PositiveInt = 128
    """The width that all tokens are projected to, each input's by a linear layer of its own."""
    blocks: PositiveInt = 1
    """How many blocks there are."""
    num_heads: PositiveInt = 4
    """Heads of each attention; their number divides `dim`."""
    hidden: PositiveInt | None = None
    """Width of the hidden dense layer of each block; by default twice `dim`."""
    attention_dropout: Rate = 0.0
    """Share dropped, in training, of what each half of a block adds, and of the attention
    weights."""

    def rules(self) -> Iterator[Problem]:
        yield from head_problems(self.dim, self.num_heads)

    def with_attended(
        self, x: keras.KerasTensor, attended: keras.KerasTensor, name: str
    ) -> keras.KerasTensor:
        """Tokens `[batch, positions, dim]` after a block; `name` begins the names of its layers.

        Args:
            x: the tokens before it.
            attended: what they found where they looked, of the same shape.
        """
        return with_attended(
            x,
            attended,
            name,
            hidden=self.hidden or 2 * self.dim,
            activation="gelu",
            dropout=self.attention_dropout,
        )
