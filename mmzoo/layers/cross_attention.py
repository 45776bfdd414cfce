"""Attention of one sequence to another, in several heads."""

from __future__ import annotations

from typing import Any

from mmzoo.layers.self_attention import mixtures
from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class CrossAttention(keras.layers.Layer):
    """What each token of one sequence finds in another: a mixture of its tokens for each head.

    Tokens `[batch, positions, width]` that ask keep their shape; those asked are `[batch, other
    positions, width]`, with a bool `[batch, other positions]` that is true where one is there.
    Like `SelfAttention` it weighs in float32, and where nothing is there, nothing is mixed: beside
    `keras.layers.MultiHeadAttention`, which then averages over padding, and warns of a sequence of
    one token.

    Reference: Vaswani et al., "Attention is all you need", 2017, section 3.2.3.

    Args:
        num_heads: how many heads there are; their number divides the width.
        dropout: share of the weights of the mixtures dropped in training.
    """

    def __init__(self, num_heads: int, dropout: float = 0.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.num_heads = num_heads
        self.dropout = keras.layers.Dropout(dropout, name="dropout", dtype=self.dtype_policy)

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
        [queries] = self._by_head(self.queries(asking), 1)
        keys, values = self._by_head(self.keys_values(asked), 2)
        mixed = mixtures(
            queries, keys, values, present, lambda x: self.dropout(x, training=training)
        )
        return self.output_layer(mixed)

    def _by_head(self, projected: tf.Tensor, parts: int) -> list[tf.Tensor]:
        """`[batch, positions, parts * width]` as parts `[batch, heads, positions, size]`."""
        batch, positions = tf.unstack(tf.shape(projected)[:2])
        size = projected.shape[-1] // (parts * self.num_heads)
        split = tf.reshape(projected, [batch, positions, parts, self.num_heads, size])
        return tf.unstack(tf.transpose(split, [2, 0, 3, 1, 4]))

    def compute_output_shape(
        self, asking_shape: tuple[int | None, ...], asked_shape: Any, present_shape: Any
    ) -> tuple[int | None, ...]:
        return asking_shape

    def get_config(self) -> dict[str, Any]:
        settings = {"num_heads": self.num_heads, "dropout": self.dropout.rate}
        return {**super().get_config(), **settings}
