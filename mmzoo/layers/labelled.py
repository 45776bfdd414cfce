"""A loss and a metric of those examples alone that have a label."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


def has_label(true: tf.Tensor) -> tf.Tensor:
    """Which targets are there, bool `[batch]`.

    Args:
        true: numbers of classes `[batch]`, -1 where there is none; or rows `[batch, width]`, of NaN
            where there is none.
    """
    if true.shape.rank == 1:
        return true >= 0
    return tf.logical_not(tf.reduce_any(tf.math.is_nan(true), axis=1))


def _harmless(true: tf.Tensor, has: tf.Tensor) -> tf.Tensor:
    """The targets with zeros where there are none: what is NaN would stay NaN times nothing."""
    return tf.where(has if true.shape.rank == 1 else has[:, None], true, tf.zeros_like(true))


@keras.saving.register_keras_serializable("mmzoo")
class LabelledLoss(keras.losses.Loss):
    """A loss that is zero for examples without a label, of targets as `has_label` takes them.

    Args:
        loss: the loss of the others.
    """

    def __init__(self, loss: keras.losses.Loss, **settings: Any) -> None:
        super().__init__(name=loss.name, **settings)
        self.loss = loss

    def call(self, true: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        has = has_label(true)
        values = self.loss.call(_harmless(true, has), predicted)
        return tf.where(has, values, tf.zeros_like(values))


@keras.saving.register_keras_serializable("mmzoo")
class LabelledMetric(keras.metrics.Metric):
    """A metric of examples that have a label, of targets as `has_label` takes them.

    Args:
        metric: what is measured of them; it takes weights of examples.
    """

    def __init__(self, metric: keras.metrics.Metric, **settings: Any) -> None:
        super().__init__(name=metric.name, **settings)
        self.metric = metric

    def update_state(
        self, true: tf.Tensor, predicted: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        true = tf.convert_to_tensor(true)
        has = has_label(true)
        weight = tf.cast(has, tf.float32)
        if sample_weight is not None:
            weight *= tf.cast(sample_weight, tf.float32)
        self.metric.update_state(_harmless(true, has), predicted, sample_weight=weight)

    def result(self) -> tf.Tensor:
        return self.metric.result()

    def reset_state(self) -> None:
        self.metric.reset_state()
