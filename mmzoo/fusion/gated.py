"""Gates that weigh the inputs anew for each example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo.fusion.common_width import CommonWidth
from mmzoo.fusion.features import vector_widths
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features

_GATES = "fusion_gates"


class Gated(CommonWidth):
    """Gated multimodal unit: each entry of the vector is an average weighted by example.

    Every input's vector goes through a tanh layer of its own. Gates look at all inputs and say for
    each entry how much of it comes from which, by a softmax over the inputs; with two inputs this
    is the paper's `z` and `1 - z`.

    Reference: Arevalo et al., "Gated multimodal units for information fusion", 2017.
    """

    type: Literal["gated"] = "gated"

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        return dict.fromkeys(widths, self.width(widths))

    def joined(self, features: Mapping[str, Features]) -> keras.KerasTensor:
        from mmzoo.layers.fusion_layers import GatedSum

        layers = keras.layers
        projections = self.projections(vector_widths(features))
        hidden = [
            layers.Dense(width, "tanh", name=f"fusion_{name}_projection")(features[name].vector)
            for name, width in projections.items()
        ]
        inputs, width = len(hidden), hidden[0].shape[-1]
        vectors = [feature.vector for feature in features.values()]
        everything = layers.Concatenate(name="fusion_all_inputs")(vectors)
        scores = layers.Dense(inputs * width, name="fusion_gate_scores")(everything)
        scores = layers.Reshape((inputs, width), name="fusion_gates_by_input")(scores)
        gates = layers.Softmax(axis=1, dtype="float32", name=_GATES)(scores)
        return GatedSum(name="fusion_gated_sum")(gates, hidden)

    def example_weights(self, model: keras.Model) -> keras.KerasTensor | None:
        """The gates of each input, averaged over the entries of the vector."""
        if not any(layer.name == _GATES for layer in model.layers):
            return None
        return keras.ops.mean(model.get_layer(_GATES).output, axis=-1)
