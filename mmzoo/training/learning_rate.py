"""The learning rate of each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmzoo.lazy import keras, tf

if TYPE_CHECKING:
    from mmzoo.recipe import Train


class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule spec as Keras takes it: a function of the step, computed inside it.

    Keras counts updates, of which there are fewer than steps where gradients are accumulated, or
    left out; so this goes by a count of its own.

    Attributes:
        step: steps done of the whole training, int64.
        plateau_factor: float32 scalar that the plateau schedule lowers; part of a checkpoint.
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
        self.plateau_factor = tf.Variable(1.0, trainable=False, name="plateau_factor")

    def __call__(self, updates: Any) -> tf.Tensor:
        return self._at(self.step)

    def last(self) -> float:
        """The learning rate of the last step that was done."""
        return float(self._at(self.step - 1))

    def _at(self, step: tf.Tensor) -> tf.Tensor:
        # The middle of the step: so neither a warm-up's first rate nor a cosine's last one is 0.
        epoch = (tf.cast(step - self._first_step, tf.float32) + 0.5) / self._steps_per_epoch
        return self._base * self._schedule.warmed(epoch, self._epochs) * self.plateau_factor
