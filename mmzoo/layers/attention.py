"""Attention in several heads: what self-attention and cross-attention have in common."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


class AttentionLayer(keras.layers.Layer):
    """Mixes values by how well queries find their keys, a mixture for each head.

    Beside `keras.layers.MultiHeadAttention` it weighs in float32 whatever the precision, takes a
    sequence of one token without a warning, and where no token is present it mixes nothing, not
    even padding.

    Args:
        num_heads: how many heads there are; their number divides the width.
        dropout: share of the weights of the mixtures dropped in training.
    """

    def __init__(self, num_heads: int, dropout: float = 0.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.num_heads = num_heads
        self.dropout = keras.layers.Dropout(dropout, name="dropout", dtype=self.dtype_policy)

    def by_head(self, projected: tf.Tensor, parts: int) -> list[tf.Tensor]:
        """`[batch, positions, parts * width]` as parts `[batch, heads, positions, size]`."""
        batch, positions = tf.unstack(tf.shape(projected)[:2])
        size = projected.shape[-1] // (parts * self.num_heads)
        split = tf.reshape(projected, [batch, positions, parts, self.num_heads, size])
        return tf.unstack(tf.transpose(split, [2, 0, 3, 1, 4]))

    def mixtures(
        self,
        queries: tf.Tensor,
        keys: tf.Tensor,
        values: tf.Tensor,
        present: tf.Tensor,
        training: bool | None,
    ) -> tf.Tensor:
        """The values that each query finds by the keys, the heads side by side.

        Args:
            queries: `[batch, heads, positions, size]`.
            keys: `[batch, heads, other positions, size]`.
            values: of the keys' shape.
            present: bool `[batch, other positions]`. Where none is, all is zeros.
            training: whether weights are dropped.

        Returns:
            `[batch, positions, heads * size]`.
        """
        batch, heads, positions, _ = tf.unstack(tf.shape(queries))
        size = queries.shape[-1]
        # Scaled before they are multiplied, which in float16 might overflow.
        queries *= tf.cast(size**-0.5, queries.dtype)
        scores = tf.cast(tf.matmul(queries, keys, transpose_b=True), tf.float32)
        seen = present[:, None, None, :]
        weights = tf.nn.softmax(tf.where(seen, scores, tf.float32.min))
        weights = tf.cast(weights * tf.cast(seen, tf.float32), values.dtype)
        mixed = tf.matmul(self.dropout(weights, training=training), values)
        return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, positions, heads * size])

    def get_config(self) -> dict[str, Any]:
        settings = {"num_heads": self.num_heads, "dropout": self.dropout.rate}
        return {**super().get_config(), **settings}
