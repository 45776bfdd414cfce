"""The root of a number, with its sign."""

from __future__ import annotations

from mmzoo.lazy import keras, tf

_NEAR_ZERO = 1e-4
"""Added under the root, whose slope has no bound at 0."""


@keras.saving.register_keras_serializable("mmzoo")
class SignedRoot(keras.layers.Layer):
    """Every number's root, and for one below 0 the negative root of its size. Shapes stay.

    Reference: Yu et al., "Multi-modal factorized bilinear pooling with co-attention learning for
    visual question answering", 2017, where it is called power normalization.
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.sqrt(tf.nn.relu(x) + _NEAR_ZERO) - tf.sqrt(tf.nn.relu(-x) + _NEAR_ZERO)
