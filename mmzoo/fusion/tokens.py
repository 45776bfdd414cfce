"""Tokens of every input, whether its encoder makes any or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.encoders import Features
from mmzoo.lazy import keras

if TYPE_CHECKING:
    from keras import KerasTensor


def present_tokens(features: Features, name: str) -> tuple[KerasTensor, KerasTensor]:
    """The tokens of an input, and which of them are there.

    Args:
        features: of the input.
        name: the input's; the layers that are made here are named after it.

    Returns:
        Float `[batch, positions, width]`, the vector as a single token where there are none; and
        bool `[batch, positions]`.
    """
    from mmzoo.layers.all_present import AllPresent

    tokens = features.tokens
    if tokens is None:
        shape = (1, features.vector.shape[-1])
        tokens = keras.layers.Reshape(shape, name=f"fusion_{name}_token")(features.vector)
    if features.mask is not None:
        return tokens, features.mask
    return tokens, AllPresent(name=f"fusion_{name}_present")(tokens)
