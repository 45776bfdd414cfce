"""Tokens of every input, whether its encoder makes any or not."""

from __future__ import annotations

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features


def present_tokens(features: Features, name: str) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The tokens of an input, and which of them are there.

    Args:
        features: of the input.
        name: the input's; the layers that are made here are named after it.

    Returns:
        Float `[batch, positions, width]`, the vector as a single token where there are none; and
        bool `[batch, positions]`.
    """

    tokens = features.tokens
    if tokens is None:
        shape = (1, features.vector.shape[-1])
        tokens = keras.layers.Reshape(shape, name=f"fusion_{name}_token")(features.vector)
    if features.mask is not None:
        return tokens, features.mask
    return tokens, layers.AllPresent(name=f"fusion_{name}_present")(tokens)
