"""A block of attention and dense layers, as fusions by attention stack it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.fusion.features import FeatureFusion
from mmzoo.lazy import keras
from mmzoo.spec import PositiveInt, Problem, Rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras import KerasTensor


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
        if self.dim % self.num_heads:
            yield Problem(
                ("num_heads",),
                f"expected a number that divides `dim`, which is {self.dim}; got {self.num_heads}",
            )

    def with_attended(self, x: KerasTensor, attended: KerasTensor, name: str) -> KerasTensor:
        """Tokens `[batch, positions, dim]` after a block; `name` begins the names of its layers.

        Args:
            x: the tokens before it.
            attended: what they found where they looked, of the same shape.
        """
        layers = keras.layers
        attended = self._dropped(attended, f"{name}_dropout1")
        x = layers.Add(name=f"{name}_add1")([x, attended])
        normed = normalised(x, f"{name}_norm2")
        hidden = layers.Dense(self.hidden or 2 * self.dim, "gelu", name=f"{name}_dense1")(normed)
        added = layers.Dense(self.dim, name=f"{name}_dense2")(hidden)
        return layers.Add(name=f"{name}_add2")([x, self._dropped(added, f"{name}_dropout2")])

    def _dropped(self, x: KerasTensor, name: str) -> KerasTensor:
        if not self.attention_dropout:
            return x
        return keras.layers.Dropout(self.attention_dropout, name=name)(x)


def normalised(x: KerasTensor, name: str) -> KerasTensor:
    """Each token with mean 0 and deviation 1 over its features, and a learned scale and shift."""
    return keras.layers.LayerNormalization(epsilon=1e-6, name=name)(x)
