"""Standardisation of each example by itself."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class Standardize(keras.layers.Layer):
    """Gives each example a mean of 0 and a deviation of 1 along some axes.

    Float of any shape keeps it. Of values that are all equal, all become 0.

    Args:
        axes: that are averaged over, counted with the batch as 0.
        epsilon: added to the variance.
    """

    def __init__(
        self, axes: tuple[int, ...] = (1, 2), epsilon: float = 1e-3, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.axes = tuple(axes)
        self.epsilon = epsilon

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        values = tf.cast(inputs, tf.float32)  # Squares of decibels overflow in float16.
        mean, variance = tf.nn.moments(values, self.axes, keepdims=True)
        return tf.cast((values - mean) * tf.math.rsqrt(variance + self.epsilon), inputs.dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "epsilon": self.epsilon}
