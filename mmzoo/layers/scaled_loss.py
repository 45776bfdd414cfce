"""A loss of numbers that are measured in other units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class ScaledLoss(keras.losses.Loss):
    """A loss of labels and predictions `[batch, numbers]` that are divided by a scale before.

    Args:
        loss: one of their differences, such as the mean squared error.
        scale: of each number, one unit of what the loss is to see.
    """

    def __init__(self, loss: keras.losses.Loss, scale: Sequence[float], **settings: Any) -> None:
        super().__init__(name=loss.name, **settings)
        self.loss = loss
        self.scale = tuple(scale)

    def call(self, true: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        scale = tf.constant(self.scale, predicted.dtype)
        return self.loss.call(tf.cast(true, predicted.dtype) / scale, predicted / scale)
