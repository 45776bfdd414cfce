"""Attention layers: dot-product, additive, self- and cross-attention."""

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


@keras.saving.register_keras_serializable("mmzoo")
class AdditiveAttention(keras.layers.Layer):
    """Vectors `[batch, positions, width]` as their average, weighted by what each says of itself.

    The weights are the softmax of `v . tanh(W x + b)` over the present positions. The paper's
    decoder asks anew for each word that it writes; here one learned question, `v`, is asked of a
    whole text. A text without any word has zeros.

    Reference: Bahdanau et al., "Neural machine translation by jointly learning to align and
    translate", 2015.

    Args:
        units: the width of `v`.
    """

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.units = units

    def build(self, words_shape: tuple[int | None, ...], present_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(words_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.question = self.add_weight(shape=(self.units, 1), name="question")

    def call(self, words: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        hidden = tf.tanh(tf.tensordot(words, self.kernel, axes=1) + self.bias)
        scores = tf.cast(tf.tensordot(hidden, self.question, axes=1)[:, :, 0], tf.float32)
        scores = tf.where(present, scores, tf.float32.min)
        weights = tf.nn.softmax(scores, axis=1) * tf.cast(present, tf.float32)
        return tf.linalg.matvec(words, tf.cast(weights, words.dtype), transpose_a=True)

    def compute_output_shape(
        self, words_shape: tuple[int | None, ...], present_shape: Any
    ) -> tuple[int | None, ...]:
        return words_shape[0], words_shape[2]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


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
