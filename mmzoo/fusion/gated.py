"""Gated fusion: weights of the inputs computed for each example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.base_fusion import CommonWidthFusion, vector_widths
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features

_GATES = "fusion_gates"


class Gated(CommonWidthFusion):
    """Gated multimodal unit: a weighted average whose weights depend on the example.

    Every input's vector goes through its own tanh layer. Gates computed from all inputs weight each
    entry by a softmax over the inputs; with two inputs these are the paper's `z` and `1 - z`.

    Reference: Arevalo et al., "Gated multimodal units for information fusion", 2017.
    """

    type: Literal["gated"] = "gated"

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        return dict.fromkeys(widths, self.width(widths))

    def combine_features(self, features: Mapping[str, Features]) -> Features:
        projections = self.projections(vector_widths(features))
        hidden = [
            keras.layers.Dense(width, "tanh", name=f"fusion_{name}_projection")(
                features[name].vector
            )
            for name, width in projections.items()
        ]
        inputs, width = len(hidden), hidden[0].shape[-1]
        vectors = [feature.vector for feature in features.values()]
        everything = keras.layers.Concatenate(name="fusion_all_inputs")(vectors)
        scores = keras.layers.Dense(inputs * width, name="fusion_gate_scores")(everything)
        scores = keras.layers.Reshape((inputs, width), name="fusion_gates_by_input")(scores)
        gates = keras.layers.Softmax(axis=1, dtype="float32", name=_GATES)(scores)
        return Features(layers.GatedSum(name="fusion_gated_sum")(gates, hidden))

    def example_weights(self, model: keras.Model) -> keras.KerasTensor | None:
        """The gates of each input, averaged over the entries of the vector."""
        if not any(layer.name == _GATES for layer in model.layers):
            return None
        return keras.ops.mean(model.get_layer(_GATES).output, axis=-1)
