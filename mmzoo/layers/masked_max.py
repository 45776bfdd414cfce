"""The maximum over what is there."""

from __future__ import annotations

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class MaskedMax(keras.layers.Layer):
    """Vectors `[batch, positions, width]` as each entry's maximum over the present positions.

    A text without any word has the maximum 0.
    """

    def call(self, words: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        lowest = tf.constant(words.dtype.min, words.dtype)
        highest = tf.reduce_max(tf.where(present[:, :, None], words, lowest), axis=1)
        return tf.where(tf.reduce_any(present, axis=1)[:, None], highest, tf.zeros_like(highest))
