"""What all fusions of features share: they join them, and dense layers and heads follow."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping

from mmzoo.fusion.base import BaseFusion
from mmzoo.heads import Head
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.spec import PositiveInt, Rate


class FeatureFusion(BaseFusion):
    """The features of all inputs become one vector, from which every head predicts.

    One input alone passes through: there is nothing to join.
    """

    units: tuple[PositiveInt, ...] = ()
    """Width of each dense layer after the inputs are joined."""
    activation: Activation = "relu"
    """The activation of those layers."""
    dropout: Rate = 0.0
    """Share of each dense layer's output dropped in training."""

    @abstractmethod
    def joined(self, features: Mapping[str, Features]) -> keras.KerasTensor:
        """The features of two or more inputs as one vector, float `[batch, width]`."""

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        """The inputs whose vectors are projected first, with the width that they are given.

        Args:
            widths: of the vectors of all inputs, of which there are two or more.
        """
        return {}

    def build(
        self, features: Mapping[str, Features], heads: Mapping[str, Head]
    ) -> dict[str, keras.KerasTensor]:
        """Joins the features of all inputs and lets every head predict from them."""
        if len(features) == 1:
            [alone] = features.values()
            x = alone.vector
        else:
            x = self.joined(features)
        for index, units in enumerate(self.units, start=1):
            x = keras.layers.Dense(units, self.activation, name=f"fusion_dense{index}")(x)
            if self.dropout:
                x = keras.layers.Dropout(self.dropout, name=f"fusion_dropout{index}")(x)
        return {name: head.output(x, name) for name, head in heads.items()}

    def notes(self, features: Mapping[str, Features]) -> Iterator[str]:
        if len(features) == 1:
            return
        widths = vector_widths(features)
        projected: dict[int, list[str]] = {}
        for name, width in self.projections(widths).items():
            projected.setdefault(width, []).append(f"{name} ({widths[name]} wide)")
        for width, names in projected.items():
            yield f"the fusion {self.type} projects {' and '.join(names)} to a width of {width}"

    def projected(self, features: Mapping[str, Features]) -> dict[str, keras.KerasTensor]:
        """The vectors of all inputs by their names, after a linear layer where one is needed."""
        projections = self.projections(vector_widths(features))
        vectors = {name: feature.vector for name, feature in features.items()}
        for name, width in projections.items():
            layer = keras.layers.Dense(width, name=f"fusion_{name}_projection")
            vectors[name] = layer(vectors[name])
        return vectors


def vector_widths(features: Mapping[str, Features]) -> dict[str, int]:
    """The width of each input's vector."""
    return {name: int(feature.vector.shape[-1]) for name, feature in features.items()}
