"""What all schedules share: a factor on the learning rate as a function of the epoch."""

from __future__ import annotations

from abc import abstractmethod

from mmzoo.lazy import tf
from mmzoo.spec import Rate, Spec


class BaseSchedule(Spec):
    """A factor on the learning rate: a function of the step alone, so it needs no saved state."""

    warmup: Rate = 0.0
    """Share of all steps in which the learning rate rises in a line from nearly 0 to its value."""

    @abstractmethod
    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        """The factor at `epoch`, a float32 scalar from 0 to `epochs` that grows with every step."""

    def warmed(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        """`factor` with the warm-up before it."""
        factor = self.factor(epoch, epochs)
        if self.warmup == 0:
            return factor
        return factor * tf.minimum(epoch / (self.warmup * epochs), 1.0)
