"""A weighted average whose weights are learned."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class AdditiveAttention(keras.layers.Layer):
    """Vectors `[batch, positions, width]` as their average, weighted by what each says of itself.

    The weights are the softmax of `v . tanh(W x + b)` over the present positions. The paper's
    decoder asks anew for each word that it writes; here one learned question, `v`, is asked of a
    whole text. A text without any word has zeros.

    Reference: Bahdanau et al., "Neural machine translation by jointly learning to align and
    translate", 2015.

    Args:
        units: the width of `v`.
    """

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.units = units

    def build(self, words_shape: tuple[int | None, ...], present_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(words_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.question = self.add_weight(shape=(self.units, 1), name="question")

    def call(self, words: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        hidden = tf.tanh(tf.tensordot(words, self.kernel, axes=1) + self.bias)
        scores = tf.cast(tf.tensordot(hidden, self.question, axes=1)[:, :, 0], tf.float32)
        scores = tf.where(present, scores, tf.float32.min)
        weights = tf.nn.softmax(scores, axis=1) * tf.cast(present, tf.float32)
        return tf.linalg.matvec(words, tf.cast(weights, words.dtype), transpose_a=True)

    def compute_output_shape(
        self, words_shape: tuple[int | None, ...], present_shape: Any
    ) -> tuple[int | None, ...]:
        return words_shape[0], words_shape[2]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}
