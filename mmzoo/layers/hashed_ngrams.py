"""Numbers for the runs of words in a text."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf

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
