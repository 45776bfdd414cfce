"""Attention of one sequence to another, in several heads."""

from __future__ import annotations

from typing import Any

from mmzoo.layers.attention import AttentionLayer
from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class CrossAttention(AttentionLayer):
    """What each token of one sequence finds in another: a mixture of its tokens for each head.

    Tokens `[batch, positions, width]` that ask keep their shape; those asked are `[batch, other
    positions, width]`, with a bool `[batch, other positions]` that is true where one is there.

    Reference: Vaswani et al., "Attention is all you need", 2017, section 3.2.3.
    """

    def build(
        self, asking_shape: tuple[Any, ...], asked_shape: tuple[Any, ...], present_shape: Any
    ) -> None:
        width = asking_shape[-1]
        policy = self.dtype_policy
        self.queries = keras.layers.Dense(width, name="queries", dtype=policy)
        self.keys_values = keras.layers.Dense(2 * width, name="keys_values", dtype=policy)
        self.output_layer = keras.layers.Dense(width, name="output", dtype=policy)
        self.queries.build(asking_shape)
        self.keys_values.build(asked_shape)
        self.output_layer.build(asking_shape)

    def call(
        self,
        asking: tf.Tensor,
        asked: tf.Tensor,
        present: tf.Tensor,
        training: bool | None = None,
    ) -> tf.Tensor:
        [queries] = self.by_head(self.queries(asking), 1)
        keys, values = self.by_head(self.keys_values(asked), 2)
        return self.output_layer(self.mixtures(queries, keys, values, present, training))

    def compute_output_shape(
        self, asking_shape: tuple[int | None, ...], asked_shape: Any, present_shape: Any
    ) -> tuple[int | None, ...]:
        return asking_shape
