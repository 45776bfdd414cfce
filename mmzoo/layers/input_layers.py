"""Input layers of text and tabular encoders: embeddings, one-hot encoding, n-gram hashing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class CategoryEmbedding(keras.layers.Layer):
    """Embedding of several categorical columns, concatenated.

    Each column has its own embedding table. Input: int32 `[batch, columns]`. Output: float `[batch,
    sum(dims)]`.

    Reference: Guo and Berkhahn, "Entity embeddings of categorical variables", 2016.

    Args:
        values: number of category ids of each column. Ids run from 0 to `values[i] - 1`.
        dims: embedding width of each column.

    Example:

    ```python
    layer = CategoryEmbedding(values=(3, 10), dims=(2, 4))
    layer(tf.constant([[0, 9], [2, 1]])).shape  # (2, 6)
    ```
    """

    def __init__(self, values: Sequence[int], dims: Sequence[int], **settings: Any) -> None:
        super().__init__(**settings)
        self.values = tuple(values)
        self.dims = tuple(dims)

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.tables = [
            self.add_weight(shape=sizes, initializer="uniform", name=f"table{column}")
            for column, sizes in enumerate(zip(self.values, self.dims, strict=True), start=1)
        ]

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        vectors = [
            tf.gather(tf.convert_to_tensor(table), inputs[:, column])
            for column, table in enumerate(self.tables)
        ]
        return tf.concat(vectors, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "values": self.values, "dims": self.dims}


@keras.saving.register_keras_serializable("mmzoo")
class OneHotCategories(keras.layers.Layer):
    """One-hot encoding of several categorical columns, concatenated.

    Input: int32 `[batch, columns]`. Output: float `[batch, sum(values)]`.

    Args:
        values: number of category ids of each column. Ids run from 0 to `values[i] - 1`.
    """

    def __init__(self, values: Sequence[int], **settings: Any) -> None:
        super().__init__(**settings)
        self.values = tuple(values)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        encoded = [
            tf.one_hot(inputs[:, column], count, dtype=self.compute_dtype)
            for column, count in enumerate(self.values)
        ]
        return tf.concat(encoded, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "values": self.values}


_SPLITMIX64_FACTORS = (0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64)
"""Multipliers of SplitMix64 as int64, with more TensorFlow operations than uint64; same bits."""


@keras.saving.register_keras_serializable("mmzoo")
class HashedNgrams(keras.layers.Layer):
    """Hashed n-gram ids of a sequence of token ids.

    Each n-gram of 2 to `longest` tokens is hashed to an id from 1 to `buckets`. An n-gram has the
    same id wherever it occurs; different n-grams may collide. N-grams that reach into the padding
    have id 0. Embeddings of trained models depend on these ids, so the hash must not change.

    Input: integer `[batch, positions]`, 0 at padding. Output: int32 `[batch, ngrams]`: all 2-grams,
    then all 3-grams, and so on.

    References: Joulin et al., "Bag of tricks for efficient text classification", 2016, for hashed
    n-grams; Steele et al., "Fast splittable pseudorandom number generators", 2014, for the hash.

    Args:
        longest: tokens in the longest n-grams, at least 2.
        buckets: number of n-gram ids, not counting 0.
    """

    def __init__(self, longest: int, buckets: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.longest = longest
        self.buckets = buckets

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        ids = tf.cast(ids, tf.int64)
        hashes, ngrams = ids, []
        for n in range(2, self.longest + 1):
            last = ids[:, n - 1 :]
            hashes = _splitmix64(hashes[:, : tf.shape(last)[1]]) + last
            ngram_ids = 1 + tf.math.floormod(
                _splitmix64(hashes), tf.constant(self.buckets, tf.int64)
            )
            ngrams.append(tf.where(last > 0, ngram_ids, 0))
        return tf.cast(tf.concat(ngrams, axis=1), tf.int32)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, positions = shape
        if positions is None:
            return batch, None
        return batch, sum(max(positions - n + 1, 0) for n in range(2, self.longest + 1))

    def compute_output_spec(self, ids: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(ids.shape), dtype="int32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "longest": self.longest, "buckets": self.buckets}


def _splitmix64(hashes: tf.Tensor) -> tf.Tensor:
    """SplitMix64 finalizer of int64 values: each output bit depends on every input bit.

    A weaker hash maps consecutive token ids to a regular pattern, which leaves some buckets half
    empty.
    """
    for shift, factor in zip((30, 27), _SPLITMIX64_FACTORS, strict=True):
        hashes = _xorshift(hashes, shift) * factor  # Overflow wraps around.
    return _xorshift(hashes, 31)


def _xorshift(hashes: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(hashes, tf.bitwise.right_shift(hashes, bits))


@keras.saving.register_keras_serializable("mmzoo")
class SplitColumns(keras.layers.Layer):
    """Split of tabular rows into numbers and category ids.

    Input: float32 `[batch, columns]`, numbers first. Output: float32 `[batch, numbers]` and int32
    `[batch, columns - numbers]`.

    Args:
        numbers: number of numeric columns.
    """

    def __init__(self, numbers: int, **settings: Any) -> None:
        # Under a half-precision policy, Keras would round category ids above 2,048.
        super().__init__(autocast=False, **settings)
        self.numbers = numbers

    def call(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return inputs[:, : self.numbers], tf.cast(inputs[:, self.numbers :], tf.int32)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "numbers": self.numbers}


@keras.saving.register_keras_serializable("mmzoo")
class Standardize(keras.layers.Layer):
    """Standardization of each example to mean 0 and standard deviation 1 over `axes`.

    The input is a float tensor of any shape; the output has the same shape and dtype. Statistics
    are computed in float32. A constant input gives zeros.

    Args:
        axes: axes to average over. Axis 0 is the batch.
        epsilon: small number added to the variance.
    """

    def __init__(
        self, axes: tuple[int, ...] = (1, 2), epsilon: float = 1e-3, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.axes = tuple(axes)
        self.epsilon = epsilon

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        values = tf.cast(inputs, tf.float32)  # Squared decibels overflow float16.
        mean, variance = tf.nn.moments(values, self.axes, keepdims=True)
        return tf.cast((values - mean) * tf.math.rsqrt(variance + self.epsilon), inputs.dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "epsilon": self.epsilon}
