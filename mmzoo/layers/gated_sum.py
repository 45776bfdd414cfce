"""A sum of vectors behind gates."""

from __future__ import annotations

from collections.abc import Sequence

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class GatedSum(keras.layers.Layer):
    """Vectors, each `[batch, width]`, times their gates `[batch, vectors, width]`, and summed.

    Reference: Arevalo et al., "Gated multimodal units for information fusion", 2017.
    """

    def call(self, gates: tf.Tensor, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        return tf.reduce_sum(gates * tf.stack(vectors, axis=1), axis=1)
