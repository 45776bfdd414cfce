"""Learning rate schedules: a factor on the learning rate per epoch."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt
from pydantic import Field

from mmzoo.lazy import tf
from mmzoo.spec import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Problem,
    Rate,
    Spec,
)


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


class Constant(BaseSchedule):
    """The same learning rate throughout, after a warm-up if there is one."""

    type: Literal["constant"] = "constant"

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        return tf.ones_like(epoch)


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


class Exponential(BaseSchedule):
    """The learning rate is multiplied by `gamma` over each epoch, smoothly within it."""

    type: Literal["exponential"] = "exponential"
    gamma: Annotated[float, Gt(0), Lt(1)] = 0.95
    """The factor of one epoch."""

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        return tf.pow(tf.constant(self.gamma, tf.float32), epoch)


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


Schedule = Annotated[
    Constant | Step | Exponential | Cosine | OneCycle | Plateau, Field(discriminator="type")
]
