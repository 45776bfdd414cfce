"""Concatenation of features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from mmzoo.encoders import Features
from mmzoo.encoders.activations import Activation
from mmzoo.fusion.base import BaseFusion
from mmzoo.heads import Head
from mmzoo.lazy import keras
from mmzoo.spec import PositiveInt, Rate

if TYPE_CHECKING:
    from keras import KerasTensor


class Concat(BaseFusion):
    """All features side by side, then dense layers. One input alone passes through."""

    type: Literal["concat"] = "concat"
    units: tuple[PositiveInt, ...] = ()
    """Width of each dense layer after the concatenation."""
    activation: Activation = "relu"
    """The activation of those layers."""
    dropout: Rate = 0.0
    """Share of each dense layer's output dropped in training."""

    def build(
        self, features: Mapping[str, Features], heads: Mapping[str, Head]
    ) -> dict[str, KerasTensor]:
        """Joins the features of all inputs and lets every head predict from them."""
        vectors = [feature.vector for feature in features.values()]
        x = vectors[0] if len(vectors) == 1 else keras.layers.Concatenate(name="concat")(vectors)
        for index, units in enumerate(self.units):
            x = keras.layers.Dense(units, self.activation, name=f"fusion_dense{index + 1}")(x)
            if self.dropout:
                x = keras.layers.Dropout(self.dropout, name=f"fusion_dropout{index + 1}")(x)
        return {name: head.output(x, name) for name, head in heads.items()}
