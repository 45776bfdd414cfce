"""What the blocks of transformers have in common, whatever looks at what in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mmzoo.lazy import keras
from mmzoo.spec import Problem

if TYPE_CHECKING:
    from keras import KerasTensor


def head_problems(dim: int, num_heads: int) -> Iterator[Problem]:
    """What is wrong with fields `dim` and `num_heads`, if the one is no multiple of the other."""
    if dim % num_heads:
        yield Problem(
            ("num_heads",),
            f"expected a number that divides `dim`, which is {dim}; got {num_heads}",
        )


def with_attended(
    x: KerasTensor,
    attended: KerasTensor,
    name: str,
    *,
    hidden: int,
    activation: str,
    dropout: float,
) -> KerasTensor:
    """Tokens, `[batch, positions, width]`, after a block that normalises first and adds after.

    Args:
        x: the tokens before it.
        attended: what they found where they looked, of the same shape.
        name: begins the names of its layers.
        hidden: units of the first of its two dense layers.
        activation: of that.
        dropout: share dropped, in training, of what each half of the block adds.
    """
    layers = keras.layers
    x = layers.Add(name=f"{name}_add1")([x, _dropped(attended, dropout, f"{name}_dropout1")])
    normed = normalised(x, f"{name}_norm2")
    inner = layers.Dense(hidden, activation, name=f"{name}_dense1")(normed)
    added = layers.Dense(x.shape[-1], name=f"{name}_dense2")(inner)
    return layers.Add(name=f"{name}_add2")([x, _dropped(added, dropout, f"{name}_dropout2")])


def normalised(x: KerasTensor, name: str) -> KerasTensor:
    """Each token with mean 0 and deviation 1 over its features, and a learned scale and shift."""
    return keras.layers.LayerNormalization(epsilon=1e-6, name=name)(x)


def _dropped(x: KerasTensor, dropout: float, name: str) -> KerasTensor:
    return keras.layers.Dropout(dropout, name=name)(x) if dropout else x
