"""What stands at a text's first word."""

from __future__ import annotations

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class FirstWord(keras.layers.Layer):
    """The vector at the first position: `[batch, positions, width]` to `[batch, width]`."""

    def call(self, words: tf.Tensor) -> tf.Tensor:
        return words[:, 0]
