"""A drop of the learning rate when a metric stops getting better."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Gt, Lt

from mmzoo.lazy import tf
from mmzoo.schedules.base import BaseSchedule
from mmzoo.spec import Fraction, NonNegativeFloat, NonNegativeInt, PositiveInt


class Plateau(BaseSchedule):
    """The learning rate drops when the watched metric has not got better for `patience` epochs.

    The one schedule that depends on more than the step: the drops so far are part of a checkpoint,
    and `mmzoo.training.watch` counts them.
    """

    type: Literal["plateau"] = "plateau"
    gamma: Annotated[float, Gt(0), Lt(1)] = 0.5
    """The factor of each drop."""
    patience: PositiveInt = 3
    """Epochs without a better value before a drop."""
    cooldown: NonNegativeInt = 0
    """Epochs after a drop in which nothing is counted."""
    min_delta: NonNegativeFloat = 0.0
    """How much better a value must be to count."""
    floor: Fraction = 1e-3
    """The smallest factor that drops may come to."""

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        return tf.ones_like(epoch)
