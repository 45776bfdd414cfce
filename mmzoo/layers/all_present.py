"""That all positions have something."""

from __future__ import annotations

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class AllPresent(keras.layers.Layer):
    """Tokens `[batch, positions, width]` as bool `[batch, positions]`, true everywhere."""

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        return tf.ones(tf.shape(tokens)[:2], tf.bool)

    def compute_output_spec(self, tokens: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor(tokens.shape[:2], dtype="bool")
