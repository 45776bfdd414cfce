"""The average over what is there."""

from __future__ import annotations

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class MaskedAverage(keras.layers.Layer):
    """Vectors `[batch, positions, width]` as their average over the positions that are present.

    A text without any word has the average 0. Sums are of float32 in mixed precision too, since a
    long text's may be too large for float16.
    """

    def call(self, words: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        weights = tf.cast(present, tf.float32)
        weights /= tf.maximum(tf.reduce_sum(weights, axis=1, keepdims=True), 1.0)
        average = tf.linalg.matvec(tf.cast(words, tf.float32), weights, transpose_a=True)
        return tf.cast(average, words.dtype)
