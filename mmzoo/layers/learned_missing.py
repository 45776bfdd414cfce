"""A learned value in the place of each number that is missing."""

from __future__ import annotations

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class LearnedMissing(keras.layers.Layer):
    """Numbers `[batch, columns]` that may be NaN as numbers that are not, and where they were.

    In the place of NaN stands a learned value of the column. It begins at 0, the mean of normalised
    numbers, and stays there where a column never lacks a number in training.

    Returns:
        The numbers, and zeros with a one where each was missing; both `[batch, columns]`.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.value = self.add_weight(shape=(shape[-1],), initializer="zeros", name="value")

    def call(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        missing = tf.math.is_nan(inputs)
        filled = tf.where(missing, tf.cast(self.value, inputs.dtype), inputs)
        return filled, tf.cast(missing, inputs.dtype)
