"""The learning rate of a stage of a training, as a Keras schedule."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Self

from mmzoo.lazy import keras, tf

if TYPE_CHECKING:
    from mmzoo.optimizers import BaseOptimizer
    from mmzoo.train_config import Train


class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A Keras schedule made from a schedule spec.

    Keras passes the number of updates, which is smaller than that of steps where gradients are
    accumulated or steps are skipped, so `step` is used instead.

    Attributes:
        step: steps done of the whole training, int64.
        last_step: the value of `step` after the last step of the stage.
        plateau_factor: float32 scalar, reduced by the plateau schedule; part of a checkpoint.
    """

    def __init__(
        self, train: Train, steps_per_epoch: int, first_step: int, step: tf.Variable
    ) -> None:
        self._base = train.optimizer.learning_rate
        self._schedule = train.optimizer.schedule
        self._epochs = train.epochs
        self._steps_per_epoch = steps_per_epoch
        self._first_step = first_step
        self.step = step
        self.last_step = first_step + train.epochs * steps_per_epoch
        self.plateau_factor = tf.Variable(1.0, trainable=False, name="plateau_factor")

    def of(self, optimizer: BaseOptimizer) -> Self:
        """The learning rate of another optimizer of the same stage, at the same step."""
        other = copy(self)
        other._base, other._schedule = optimizer.learning_rate, optimizer.schedule
        return other

    def __call__(self, updates: Any) -> tf.Tensor:
        return self._at(self.step)

    def last(self) -> float:
        """The learning rate of the last step."""
        return float(self._at(self.step - 1))

    def _at(self, step: tf.Tensor) -> tf.Tensor:
        # At the middle of the step, so neither a warm-up's first rate nor a cosine's last one is 0.
        epoch = (tf.cast(step - self._first_step, tf.float32) + 0.5) / self._steps_per_epoch
        return (
            self._base
            * self._schedule.factor_with_warmup(epoch, self._epochs)
            * self.plateau_factor
        )
