"""Self-attention in several heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class SelfAttention(keras.layers.Layer):
    """Each vector becomes a mixture of those at the present positions, a mixture for each head.

    `[batch, positions, width]` keeps its shape. Beside `keras.layers.MultiHeadAttention` it makes
    queries, keys and values by one multiplication, weighs in float32 whatever the precision, and
    takes a text of a single word without a warning. Without any word, nothing is mixed.

    Reference: Vaswani et al., "Attention is all you need", 2017, section 3.2.2.

    Args:
        num_heads: how many heads there are; their number divides the width.
        dropout: share of the weights of the mixtures dropped in training.
    """

    def __init__(self, num_heads: int, dropout: float = 0.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.num_heads = num_heads
        self.dropout = keras.layers.Dropout(dropout, name="dropout", dtype=self.dtype_policy)

    def build(self, words_shape: tuple[Any, ...], present_shape: Any) -> None:
        width = words_shape[-1]
        self.projection = keras.layers.Dense(3 * width, name="projection", dtype=self.dtype_policy)
        self.output_layer = keras.layers.Dense(width, name="output", dtype=self.dtype_policy)
        self.projection.build(words_shape)
        self.output_layer.build(words_shape)

    def call(self, words: tf.Tensor, present: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        batch, positions = tf.unstack(tf.shape(words)[:2])
        size = words.shape[-1] // self.num_heads
        mixed = tf.reshape(self.projection(words), [batch, positions, 3, self.num_heads, size])
        queries, keys, values = tf.unstack(tf.transpose(mixed, [2, 0, 3, 1, 4]))
        heads = mixtures(
            queries, keys, values, present, lambda x: self.dropout(x, training=training)
        )
        return self.output_layer(heads)

    def compute_output_shape(
        self, words_shape: tuple[int | None, ...], present_shape: Any
    ) -> tuple[int | None, ...]:
        return words_shape

    def get_config(self) -> dict[str, Any]:
        settings = {"num_heads": self.num_heads, "dropout": self.dropout.rate}
        return {**super().get_config(), **settings}


def mixtures(
    queries: tf.Tensor,
    keys: tf.Tensor,
    values: tf.Tensor,
    present: tf.Tensor,
    dropped: Callable[[tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """The values that each query finds by the keys, the heads side by side.

    Args:
        queries: `[batch, heads, positions, size]`.
        keys: `[batch, heads, other positions, size]`.
        values: of the keys' shape.
        present: bool `[batch, other positions]`. Where none is, all is zeros.
        dropped: what is done to the weights.

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
    mixed = tf.matmul(dropped(weights), values)
    return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, positions, heads * size])
