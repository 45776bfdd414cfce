"""Losses and metrics over labelled rows only, and learned loss weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from mmzoo.lazy import keras, tf


def has_label(true: tf.Tensor) -> tf.Tensor:
    """Mask of targets that have a label, bool `[batch]`.

    Args:
        true: class ids `[batch]`, -1 where the label is missing; or targets `[batch, width]`, NaN
            where it is missing.
    """
    if true.shape.rank == 1:
        return true >= 0
    return tf.logical_not(tf.reduce_any(tf.math.is_nan(true), axis=1))


def _zero_missing(true: tf.Tensor, has: tf.Tensor) -> tf.Tensor:
    """Targets with 0 for missing labels, since `NaN * 0` is NaN in losses and gradients."""
    return tf.where(has if true.shape.rank == 1 else has[:, None], true, tf.zeros_like(true))


@keras.saving.register_keras_serializable("mmzoo")
class LabelledLoss(keras.losses.Loss):
    """Loss that is zero for examples without a label.

    Targets are those of `has_label`.

    Args:
        loss: loss of the labelled examples.
    """

    def __init__(self, loss: keras.losses.Loss, **settings: Any) -> None:
        super().__init__(name=loss.name, **settings)
        self.loss = loss

    def call(self, true: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        has = has_label(true)
        values = self.loss.call(_zero_missing(true, has), predicted)
        return tf.where(has, values, tf.zeros_like(values))


@keras.saving.register_keras_serializable("mmzoo")
class LabelledMetric(keras.metrics.Metric):
    """Metric over the examples that have a label.

    Targets are those of `has_label`.

    Args:
        metric: metric to compute. It must support `sample_weight`.
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
        self.metric.update_state(_zero_missing(true, has), predicted, sample_weight=weight)

    def result(self) -> tf.Tensor:
        return self.metric.result()

    def reset_state(self) -> None:
        self.metric.reset_state()


def has_target(target: tf.Tensor) -> tf.Tensor:
    """Mask of the examples with at least one value that is not NaN, bool `[batch]`.

    Args:
        target: float `[batch, ...]`.
    """
    there = tf.logical_not(tf.math.is_nan(target))
    return tf.reduce_any(there, axis=list(range(1, target.shape.rank)))


def masked_mean(values: tf.Tensor, there: tf.Tensor) -> tf.Tensor:
    """Mean over the unmasked values of each example, `[batch]`; NaN where all are masked.

    Gradients are finite in any case.

    Args:
        values: float `[batch, ...]`, finite also where they are masked.
        there: bool of the same shape; false masks a value.
    """
    axes = list(range(1, values.shape.rank))
    count = tf.reduce_sum(tf.cast(there, values.dtype), axis=axes)
    total = tf.reduce_sum(tf.where(there, values, tf.zeros_like(values)), axis=axes)
    return tf.where(count > 0, total / tf.maximum(count, 1), float("nan"))


def masked_sum(values: tf.Tensor, there: tf.Tensor) -> tf.Tensor:
    """Sum over the unmasked values of each example, `[batch]`; arguments as for `masked_mean`."""
    axes = list(range(1, values.shape.rank))
    return tf.reduce_sum(tf.where(there, values, tf.zeros_like(values)), axis=axes)


def normal_costs(squares: tf.Tensor, std: float) -> tf.Tensor:
    """The negative logarithms of normal densities, in nats, of the same shape as `squares`.

    Args:
        squares: squared differences from the mean.
        std: standard deviation.
    """
    return 0.5 * squares / std**2 + math.log(std * math.sqrt(2 * math.pi))


@keras.saving.register_keras_serializable("mmzoo")
class ExampleLoss(keras.losses.Loss):
    """Loss by a function of a batch; zero for examples without a target.

    Args:
        function: maps targets `[batch, ...]`, NaN where there is none, and outputs `[batch, ...]`
            to the loss of each example, float `[batch]`. Values for examples without any target
            are not used.
        name: of the loss.
    """

    def __init__(self, function: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], name: str) -> None:
        super().__init__(name=name)
        self.function = function

    def call(self, true: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        losses = self.function(true, predicted)
        return tf.where(has_target(true), losses, tf.zeros_like(losses))


@keras.saving.register_keras_serializable("mmzoo")
class UncertaintyWeights(keras.layers.Layer):
    """Loss weights learned from homoscedastic uncertainty.

    One log variance `s` is learned per loss. The weighted loss is the sum of `factor * exp(-s) *
    loss + penalty * s`. It is a layer so that the log variances are trained and saved with the
    model. Called on any tensor, it returns the log variances once per example: float32 `[batch,
    losses]`.

    Reference: Kendall et al., "Multi-task learning using uncertainty to weigh losses", 2018,
    equations 7 and 10: a classification loss is divided by the variance, a regression loss by twice
    the variance.

    Args:
        factors: weight of each loss at a variance of 1.
        penalties: factor of each log variance in `penalty`. Use 0.5 if the loss is divided by a
            variance, as the log of the standard deviation is meant; 1 if it is divided by the scale
            itself.
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

    def loss_weights(self) -> tf.Tensor:
        """Weights of the losses, float32 `[losses]`: the factors divided by the variances."""
        return tf.constant(self.factors) * tf.exp(-tf.cast(self.log_variances, tf.float32))

    def penalty(self) -> tf.Tensor:
        """Weighted sum of the log variances, a scalar: it keeps the variances from growing."""
        return tf.reduce_sum(tf.constant(self.penalties) * tf.cast(self.log_variances, tf.float32))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape[0], len(self.factors)

    def get_config(self) -> dict[str, Any]:
        settings = {"factors": self.factors, "penalties": self.penalties}
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable("mmzoo")
class ScaledMetric(keras.metrics.Metric):
    """Metric of standardized targets and predictions in the units before standardization.

    Targets and predictions are `[batch, width]`.

    Args:
        metric: metric whose result is multiplied by a factor if targets and predictions are, such
            as the mean absolute error.
        scale: standard deviation of each column.
    """

    def __init__(self, metric: keras.metrics.Metric, scale: Sequence[float], **settings: Any):
        super().__init__(name=metric.name, **settings)
        self.metric = metric
        self.scale = tuple(scale)

    def update_state(
        self, true: tf.Tensor, predicted: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        # Relative to the largest, as squares in the units of the data may leave float32.
        shares = tf.constant([one / max(self.scale) for one in self.scale], predicted.dtype)
        true = tf.cast(true, predicted.dtype)
        self.metric.update_state(true * shares, predicted * shares, sample_weight=sample_weight)

    def result(self) -> tf.Tensor:
        return self.metric.result() * max(self.scale)

    def reset_state(self) -> None:
        self.metric.reset_state()
