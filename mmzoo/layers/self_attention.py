"""Self-attention in several heads."""

from __future__ import annotations

from typing import Any

from mmzoo.layers.attention import AttentionLayer
from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class SelfAttention(AttentionLayer):
    """Each vector becomes a mixture of those at the present positions, a mixture for each head.

    `[batch, positions, width]` keeps its shape. Queries, keys and values are made by one
    multiplication.

    Reference: Vaswani et al., "Attention is all you need", 2017, section 3.2.2.
    """

    def build(self, words_shape: tuple[Any, ...], present_shape: Any) -> None:
        width = words_shape[-1]
        self.projection = keras.layers.Dense(3 * width, name="projection", dtype=self.dtype_policy)
        self.output_layer = keras.layers.Dense(width, name="output", dtype=self.dtype_policy)
        self.projection.build(words_shape)
        self.output_layer.build(words_shape)

    def call(self, words: tf.Tensor, present: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        queries, keys, values = self.by_head(self.projection(words), 3)
        return self.output_layer(self.mixtures(queries, keys, values, present, training))

    def compute_output_shape(
        self, words_shape: tuple[int | None, ...], present_shape: Any
    ) -> tuple[int | None, ...]:
        return words_shape
