"""Features scaled and shifted as something else says."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class FeatureModulation(keras.layers.Layer):
    """FiLM: every feature times `gamma` plus `beta`, both a linear function of a condition.

    `x` is `[batch, width]` or `[batch, positions, width]`, of which all positions are modulated
    alike, and keeps its shape; the condition is `[batch, condition width]`. The function says how
    far `gamma` is from 1, so at zero weights nothing is changed.

    Reference: Perez et al., "FiLM: Visual reasoning with a general conditioning layer", 2018.
    """

    def build(self, x_shape: tuple[Any, ...], condition_shape: tuple[Any, ...]) -> None:
        width = x_shape[-1]
        self.function = keras.layers.Dense(2 * width, name="function", dtype=self.dtype_policy)
        self.function.build(condition_shape)

    def call(self, x: tf.Tensor, condition: tf.Tensor) -> tf.Tensor:
        function = self.function(condition)
        if len(x.shape) == 3:
            function = function[:, None, :]
        gamma, beta = tf.split(function, 2, axis=-1)
        return x * (1 + gamma) + beta

    def compute_output_shape(
        self, x_shape: tuple[int | None, ...], condition_shape: Any
    ) -> tuple[int | None, ...]:
        return x_shape
