"""Half a cosine from the learning rate down."""

from __future__ import annotations

import math
from typing import Literal

from mmzoo.lazy import tf
from mmzoo.schedules.base import BaseSchedule
from mmzoo.spec import Fraction


class Cosine(BaseSchedule):
    """Half a cosine from the learning rate down to `floor` times it, after the warm-up.

    Reference: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    """

    type: Literal["cosine"] = "cosine"
    floor: Fraction = 0.0
    """Where it ends, as a share of the learning rate."""

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        start = self.warmup * epochs
        done = tf.clip_by_value((epoch - start) / (epochs - start), 0.0, 1.0)
        return self.floor + (1 - self.floor) * 0.5 * (1 + tf.cos(math.pi * done))
