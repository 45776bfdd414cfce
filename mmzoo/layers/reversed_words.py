"""Texts from their last word to their first."""

from __future__ import annotations

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class ReversedWords(keras.layers.Layer):
    """Vectors `[batch, positions, width]` with each text's words in reverse, its padding behind.

    So a network that reads backwards begins at the last word, and needs no mask to pass padding.
    """

    def call(self, words: tf.Tensor, present: tf.Tensor | None = None) -> tf.Tensor:
        if present is None:  # There is no padding.
            return tf.reverse(words, [1])
        lengths = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
        return tf.reverse_sequence(words, lengths, seq_axis=1, batch_axis=0)
