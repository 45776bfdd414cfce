"""One rise and one long fall of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt

from mmzoo.lazy import tf
from mmzoo.schedules.base import BaseSchedule
from mmzoo.spec import Problem


class OneCycle(BaseSchedule):
    """Up to the learning rate along half a cosine, then down to nearly nothing along another.

    The optimizer's learning rate is the peak. Momentum stays as it is.

    Reference: Smith and Topin, "Super-convergence: very fast training of neural networks using
    large learning rates", 2018.
    """

    type: Literal["one_cycle"] = "one_cycle"
    rise: Annotated[float, Gt(0), Lt(1)] = 0.3
    """Share of all steps on the way up."""
    start_divisor: Annotated[float, Ge(1)] = 25.0
    """The first learning rate is the peak divided by this."""
    end_divisor: Annotated[float, Ge(1)] = 1e4
    """The last learning rate is the peak divided by this."""

    def rules(self) -> Iterator[Problem]:
        if self.warmup:
            yield Problem(("warmup",), "expected 0: one_cycle rises by itself (see `rise`)")

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        done = tf.clip_by_value(epoch / epochs, 0.0, 1.0)
        up = _cosine(1 / self.start_divisor, 1.0, done / self.rise)
        down = _cosine(1.0, 1 / self.end_divisor, (done - self.rise) / (1 - self.rise))
        return tf.where(done < self.rise, up, down)


def _cosine(start: float, end: float, done: tf.Tensor) -> tf.Tensor:
    return end + (start - end) * 0.5 * (1 + tf.cos(math.pi * done))
