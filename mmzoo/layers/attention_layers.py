"""Attention layers: multi-head self- and cross-attention, and additive attention pooling."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


class AttentionLayer(keras.layers.Layer):
    """Base class of multi-head scaled dot-product attention.

    Differences from `keras.layers.MultiHeadAttention`: the softmax is computed in float32 whatever
    the precision; a sequence of one token raises no warning; and if all keys are masked, the output
    is zero instead of an average over padding.

    Args:
        num_heads: number of heads; it must divide the width.
        dropout: dropout rate of the attention weights.
    """

    def __init__(self, num_heads: int, dropout: float = 0.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.num_heads = num_heads
        self.dropout = keras.layers.Dropout(dropout, name="dropout", dtype=self.dtype_policy)

    def split_heads(self, projected: tf.Tensor, parts: int) -> list[tf.Tensor]:
        """Projections split by head.

        `[batch, positions, parts * width]` becomes `parts` tensors `[batch, heads, positions,
        size]`.
        """
        batch, positions = tf.unstack(tf.shape(projected)[:2])
        size = projected.shape[-1] // (parts * self.num_heads)
        split = tf.reshape(projected, [batch, positions, parts, self.num_heads, size])
        return tf.unstack(tf.transpose(split, [2, 0, 3, 1, 4]))

    def dot_product_attention(
        self,
        queries: tf.Tensor,
        keys: tf.Tensor,
        values: tf.Tensor,
        present: tf.Tensor,
        training: bool | None,
    ) -> tf.Tensor:
        """Scaled dot-product attention, with the heads concatenated.

        Args:
            queries: `[batch, heads, positions, size]`.
            keys: `[batch, heads, key positions, size]`.
            values: same shape as `keys`.
            present: bool `[batch, key positions]`, false at padding. If all are false, the output
                is 0.
            training: whether attention weights are dropped.

        Returns:
            `[batch, positions, heads * size]`.
        """
        batch, heads, positions, _ = tf.unstack(tf.shape(queries))
        size = queries.shape[-1]
        # Scaling before the product avoids overflow in float16.
        queries *= tf.cast(size**-0.5, queries.dtype)
        scores = tf.cast(tf.matmul(queries, keys, transpose_b=True), tf.float32)
        attended = present[:, None, None, :]
        weights = tf.nn.softmax(tf.where(attended, scores, tf.float32.min))
        weights = tf.cast(weights * tf.cast(attended, tf.float32), values.dtype)
        mixed = tf.matmul(self.dropout(weights, training=training), values)
        return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, positions, heads * size])

    def get_config(self) -> dict[str, Any]:
        settings = {"num_heads": self.num_heads, "dropout": self.dropout.rate}
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable("mmzoo")
class AdditiveAttention(keras.layers.Layer):
    """Additive attention pooling: a weighted average with content-based weights.

    The weights are the softmax of `v . tanh(W x + b)` over the positions that are not padding. The
    paper computes a query for each output word; here, `v` is one learned query for the whole
    sequence.

    Input: `[batch, positions, width]` and `present`, bool `[batch, positions]`. Output: `[batch,
    width]`; zeros for an empty sequence.

    Reference: Bahdanau et al., "Neural machine translation by jointly learning to align and
    translate", 2015.

    Args:
        units: width of the hidden layer and of `v`.
    """

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.units = units

    def build(self, x_shape: tuple[int | None, ...], present_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(x_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.query = self.add_weight(shape=(self.units, 1), name="question")

    def call(self, x: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        hidden = tf.tanh(tf.tensordot(x, self.kernel, axes=1) + self.bias)
        scores = tf.cast(tf.tensordot(hidden, self.query, axes=1)[:, :, 0], tf.float32)
        scores = tf.where(present, scores, tf.float32.min)
        weights = tf.nn.softmax(scores, axis=1) * tf.cast(present, tf.float32)
        return tf.linalg.matvec(x, tf.cast(weights, x.dtype), transpose_a=True)

    def compute_output_shape(
        self, x_shape: tuple[int | None, ...], present_shape: Any
    ) -> tuple[int | None, ...]:
        return x_shape[0], x_shape[2]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("mmzoo")
class SelfAttention(AttentionLayer):
    """Multi-head self-attention with a fused projection to queries, keys and values.

    Input and output: `[batch, positions, width]`; `present` is bool `[batch, positions]`, false at
    padding.

    Reference: Vaswani et al., "Attention is all you need", 2017, section 3.2.2.
    """

    def build(self, x_shape: tuple[Any, ...], present_shape: Any) -> None:
        width = x_shape[-1]
        self.projection = keras.layers.Dense(3 * width, name="projection", dtype=self.dtype_policy)
        self.output_layer = keras.layers.Dense(width, name="output", dtype=self.dtype_policy)
        self.projection.build(x_shape)
        self.output_layer.build(x_shape)

    def call(self, x: tf.Tensor, present: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        queries, keys, values = self.split_heads(self.projection(x), 3)
        return self.output_layer(
            self.dot_product_attention(queries, keys, values, present, training)
        )

    def compute_output_shape(
        self, x_shape: tuple[int | None, ...], present_shape: Any
    ) -> tuple[int | None, ...]:
        return x_shape


@keras.saving.register_keras_serializable("mmzoo")
class CrossAttention(AttentionLayer):
    """Multi-head cross-attention from one sequence to another.

    Inputs: `x`, `[batch, positions, width]`, for the queries; `context`, `[batch, context
    positions, context width]`, for keys and values; `present`, bool `[batch, context positions]`,
    false at padding. Output: same shape as `x`.

    Reference: Vaswani et al., "Attention is all you need", 2017, section 3.2.3.
    """

    def build(
        self, x_shape: tuple[Any, ...], context_shape: tuple[Any, ...], present_shape: Any
    ) -> None:
        width = x_shape[-1]
        policy = self.dtype_policy
        self.queries = keras.layers.Dense(width, name="queries", dtype=policy)
        self.keys_values = keras.layers.Dense(2 * width, name="keys_values", dtype=policy)
        self.output_layer = keras.layers.Dense(width, name="output", dtype=policy)
        self.queries.build(x_shape)
        self.keys_values.build(context_shape)
        self.output_layer.build(x_shape)

    def call(
        self,
        x: tf.Tensor,
        context: tf.Tensor,
        present: tf.Tensor,
        training: bool | None = None,
    ) -> tf.Tensor:
        [queries] = self.split_heads(self.queries(x), 1)
        keys, values = self.split_heads(self.keys_values(context), 2)
        return self.output_layer(
            self.dot_product_attention(queries, keys, values, present, training)
        )

    def compute_output_shape(
        self, x_shape: tuple[int | None, ...], context_shape: Any, present_shape: Any
    ) -> tuple[int | None, ...]:
        return x_shape
