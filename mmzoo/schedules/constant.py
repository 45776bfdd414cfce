"""The same learning rate throughout."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import tf
from mmzoo.schedules.base import BaseSchedule


class Constant(BaseSchedule):
    """The same learning rate throughout, after a warm-up if there is one."""

    type: Literal["constant"] = "constant"

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        return tf.ones_like(epoch)
