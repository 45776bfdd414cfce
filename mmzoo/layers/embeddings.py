"""First layers of text and tabular encoders: hashed n-grams, categories, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class CategoryVectors(keras.layers.Layer):
    """Categories int32 `[batch, columns]` as their vectors side by side, `[batch, sum(dims)]`.

    Reference: Guo and Berkhahn, "Entity embeddings of categorical variables", 2016.

    Args:
        values: of each column, how many values it may have: 0, 1, ...
        dims: of each column, the width of its vectors.
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
    """Categories int32 `[batch, columns]` as zeros and, for each column, a one in its place.

    Gives `[batch, sum(values)]`.

    Args:
        values: of each column, how many values it may have: 0, 1, ...
    """

    def __init__(self, values: Sequence[int], **settings: Any) -> None:
        super().__init__(**settings)
        self.values = tuple(values)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        places = [
            tf.one_hot(inputs[:, column], count, dtype=self.compute_dtype)
            for column, count in enumerate(self.values)
        ]
        return tf.concat(places, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "values": self.values}


_FACTORS = (0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64)
"""As int64: TensorFlow has more operations on those, and a product's bits are the same."""


@keras.saving.register_keras_serializable("mmzoo")
class HashedNgrams(keras.layers.Layer):
    """Ids of words `[batch, positions]` as ids of the n-grams in each text, int32 `[batch, any]`.

    Each run of 2 to `longest` adjacent words has a number from 1 to `buckets`, by a hash of its
    words' ids: the same run has the same number anywhere, and some runs share one. 0 stands where
    a run would reach into the padding. The vectors of a finished run rely on these numbers, so they
    may not change.

    Reference: Joulin et al., "Bag of tricks for efficient text classification", 2016; Steele et
    al., "Fast splittable pseudorandom number generators", 2014, for the hash.

    Args:
        longest: how many words the longest runs have, at least 2.
        buckets: how many numbers there are.
    """

    def __init__(self, longest: int, buckets: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.longest = longest
        self.buckets = buckets

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        ids = tf.cast(ids, tf.int64)
        hashes, found = ids, []
        for n in range(2, self.longest + 1):
            last = ids[:, n - 1 :]
            hashes = _mixed(hashes[:, : tf.shape(last)[1]]) + last
            numbers = 1 + tf.math.floormod(_mixed(hashes), tf.constant(self.buckets, tf.int64))
            found.append(tf.where(last > 0, numbers, 0))
        return tf.cast(tf.concat(found, axis=1), tf.int32)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, positions = shape
        if positions is None:
            return batch, None
        return batch, sum(max(positions - n + 1, 0) for n in range(2, self.longest + 1))

    def compute_output_spec(self, ids: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(ids.shape), dtype="int32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "longest": self.longest, "buckets": self.buckets}


def _mixed(hashes: tf.Tensor) -> tf.Tensor:
    """SplitMix64's finaliser: every bit of an int64 comes to depend on all of them.

    With less, ids in a row leave a pattern, and some numbers of buckets fill but by half.
    """
    for shift, factor in zip((30, 27), _FACTORS, strict=True):
        hashes = _shifted_into(hashes, shift) * factor  # Wraps around, which loses nothing.
    return _shifted_into(hashes, 31)


def _shifted_into(hashes: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(hashes, tf.bitwise.right_shift(hashes, bits))


@keras.saving.register_keras_serializable("mmzoo")
class RowParts(keras.layers.Layer):
    """Rows float32 `[batch, columns]` as numbers float32 and categories int32, `[batch, ...]` each.

    Args:
        numbers: how many of the columns are numbers; those stand first.
    """

    def __init__(self, numbers: int, **settings: Any) -> None:
        # In a half-precision policy Keras would round categories above 2,048.
        super().__init__(autocast=False, **settings)
        self.numbers = numbers

    def call(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return inputs[:, : self.numbers], tf.cast(inputs[:, self.numbers :], tf.int32)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "numbers": self.numbers}


@keras.saving.register_keras_serializable("mmzoo")
class Standardize(keras.layers.Layer):
    """Gives each example a mean of 0 and a deviation of 1 along some axes.

    Float of any shape keeps it. Of values that are all equal, all become 0.

    Args:
        axes: that are averaged over, counted with the batch as 0.
        epsilon: added to the variance.
    """

    def __init__(
        self, axes: tuple[int, ...] = (1, 2), epsilon: float = 1e-3, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.axes = tuple(axes)
        self.epsilon = epsilon

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        values = tf.cast(inputs, tf.float32)  # Squares of decibels overflow in float16.
        mean, variance = tf.nn.moments(values, self.axes, keepdims=True)
        return tf.cast((values - mean) * tf.math.rsqrt(variance + self.epsilon), inputs.dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "epsilon": self.epsilon}
