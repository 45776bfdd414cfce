"""Zeros in the place of padding."""

from __future__ import annotations

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class ZeroedPadding(keras.layers.Layer):
    """Vectors of words `[batch, positions, width]`, with zeros where `present` is false.

    So what stands behind a text's last word is what a convolution finds at its border anyway.
    """

    def call(self, words: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        return tf.where(present[:, :, None], words, tf.zeros_like(words))
