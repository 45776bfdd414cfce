"""Exponential decay of the learning rate."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Gt, Lt

from mmzoo.lazy import tf
from mmzoo.schedules.base import BaseSchedule


class Exponential(BaseSchedule):
    """The learning rate is multiplied by `gamma` over each epoch, smoothly within it."""

    type: Literal["exponential"] = "exponential"
    gamma: Annotated[float, Gt(0), Lt(1)] = 0.95
    """The factor of one epoch."""

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        return tf.pow(tf.constant(self.gamma, tf.float32), epoch)
