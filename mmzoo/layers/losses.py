"""Losses over labelled rows only, and learned loss weights."""

from __future__ import annotations

from collections.abc import Sequence
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


@keras.saving.register_keras_serializable("mmzoo")
class LogVariances(keras.layers.Layer):
    """A learned logarithm of a variance for each loss, and what weight follows from it.

    It stands in the model so that it is trained and saved with it, and gives the logarithms as they
    are, once for each example of whatever it is called on: float32 `[batch, losses]`.

    Reference: Kendall et al., "Multi-task learning using uncertainty to weigh losses", 2018,
    equations 7 and 10: a loss of classes is divided by the variance, one of numbers by twice that.

    Args:
        factors: of each loss, what the weight is at a variance of 1.
        penalties: of each loss, what the logarithm is multiplied by where it is added. That is 0.5
            for a variance, the logarithm of whose root is meant; 1 for a loss that is divided by
            the scale itself.
    """

    def __init__(
        self, factors: Sequence[float], penalties: Sequence[float], **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.factors = tuple(factors)
        self.penalties = tuple(penalties)

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.log_variances = self.add_weight(
            shape=(len(self.factors),), initializer="zeros", name="log_variances"
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.zeros([tf.shape(x)[0], 1]) + tf.cast(self.log_variances, tf.float32)

    def weights_of_losses(self) -> tf.Tensor:
        """Float32 `[losses]`: the factors divided by the variances."""
        return tf.constant(self.factors) * tf.exp(-tf.cast(self.log_variances, tf.float32))

    def penalty(self) -> tf.Tensor:
        """What keeps the variances from growing: the sum of their logarithms, a scalar."""
        return tf.reduce_sum(tf.constant(self.penalties) * tf.cast(self.log_variances, tf.float32))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape[0], len(self.factors)

    def get_config(self) -> dict[str, Any]:
        settings = {"factors": self.factors, "penalties": self.penalties}
        return {**super().get_config(), **settings}


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
