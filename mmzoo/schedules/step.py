"""A drop of the learning rate at given epochs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.lazy import tf
from mmzoo.schedules.base import BaseSchedule
from mmzoo.spec import PositiveFloat, Problem


class Step(BaseSchedule):
    """The learning rate is multiplied by `gamma` after each of the given epochs.

    Reference: He et al., "Deep residual learning", 2015, divides by ten twice.
    """

    type: Literal["step"] = "step"
    epochs: tuple[PositiveFloat, ...]
    """The epochs after which it drops, rising: [80, 120]."""
    gamma: PositiveFloat = 0.1
    """The factor of each drop."""

    def rules(self) -> Iterator[Problem]:
        if not self.epochs or list(self.epochs) != sorted(set(self.epochs)):
            yield Problem(("epochs",), f"expected rising epochs, got {list(self.epochs)}")

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        drops = tf.reduce_sum(tf.cast(epoch >= tf.constant(self.epochs, tf.float32), tf.float32))
        return tf.pow(tf.constant(self.gamma, tf.float32), drops)
