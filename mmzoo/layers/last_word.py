"""What stands at a text's last word."""

from __future__ import annotations

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class LastWord(keras.layers.Layer):
    """The vector at the last present position: `[batch, positions, width]` to `[batch, width]`.

    A text without any word has zeros.
    """

    def call(self, words: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        lengths = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
        last = tf.gather(words, tf.maximum(lengths - 1, 0), axis=1, batch_dims=1)
        return tf.where(lengths[:, None] > 0, last, tf.zeros_like(last))
