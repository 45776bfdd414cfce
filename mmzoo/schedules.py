"""Learning rate schedules: a factor of the learning rate, as a function of the epoch."""

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
    """Base class of schedules: a stateless function of the training step."""

    warmup: Rate = 0.0
    """Fraction of all steps over which the learning rate increases linearly from almost 0."""

    @abstractmethod
    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        """Factor of the learning rate at a point in training, without warm-up.

        Args:
            epoch: float32 scalar from 0 to `epochs` that increases with every step.
            epochs: total number of epochs.
        """

    def factor_with_warmup(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        """Factor of the learning rate, including the warm-up. Arguments are those of `factor`."""
        factor = self.factor(epoch, epochs)
        if self.warmup == 0:
            return factor
        return factor * tf.minimum(epoch / (self.warmup * epochs), 1.0)


class Constant(BaseSchedule):
    """Constant learning rate, after an optional warm-up."""

    type: Literal["constant"] = "constant"

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        return tf.ones_like(epoch)


class Step(BaseSchedule):
    """Step decay: the learning rate is multiplied by `gamma` after each of the given epochs.

    Reference: He et al., "Deep residual learning", 2015, with two divisions by 10.
    """

    type: Literal["step"] = "step"
    epochs: tuple[PositiveFloat, ...]
    """Epochs after which the learning rate decreases, in ascending order: [80, 120]."""
    gamma: PositiveFloat = 0.1
    """Factor of each decrease."""

    def rules(self) -> Iterator[Problem]:
        if not self.epochs or list(self.epochs) != sorted(set(self.epochs)):
            yield Problem(
                ("epochs",), f"expected epochs in ascending order, got {list(self.epochs)}"
            )

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        drops = tf.reduce_sum(tf.cast(epoch >= tf.constant(self.epochs, tf.float32), tf.float32))
        return tf.pow(tf.constant(self.gamma, tf.float32), drops)


class Exponential(BaseSchedule):
    """Exponential decay: the learning rate is multiplied by `gamma` per epoch, continuously."""

    type: Literal["exponential"] = "exponential"
    gamma: Annotated[float, Gt(0), Lt(1)] = 0.95
    """Factor per epoch."""

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        return tf.pow(tf.constant(self.gamma, tf.float32), epoch)


class Cosine(BaseSchedule):
    """Cosine decay from the learning rate to `floor` times the learning rate, after the warm-up.

    Reference: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    """

    type: Literal["cosine"] = "cosine"
    floor: Fraction = 0.0
    """Final learning rate, as a fraction of the learning rate."""

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        start = self.warmup * epochs
        progress = tf.clip_by_value((epoch - start) / (epochs - start), 0.0, 1.0)
        return self.floor + (1 - self.floor) * 0.5 * (1 + tf.cos(math.pi * progress))


class OneCycle(BaseSchedule):
    """One-cycle policy: half a cosine up to the peak, then half a cosine down to almost 0.

    The optimizer's learning rate is the peak. Momentum does not change.

    Reference: Smith and Topin, "Super-convergence: very fast training of neural networks using
    large learning rates", 2018.
    """

    type: Literal["one_cycle"] = "one_cycle"
    rise: Annotated[float, Gt(0), Lt(1)] = 0.3
    """Fraction of all steps before the peak."""
    start_divisor: Annotated[float, Ge(1)] = 25.0
    """Ratio of the peak to the initial learning rate."""
    end_divisor: Annotated[float, Ge(1)] = 1e4
    """Ratio of the peak to the final learning rate."""

    def rules(self) -> Iterator[Problem]:
        if self.warmup:
            yield Problem(("warmup",), "expected 0: one_cycle has its own warm-up, set by `rise`")

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        progress = tf.clip_by_value(epoch / epochs, 0.0, 1.0)
        up = _half_cosine(1 / self.start_divisor, 1.0, progress / self.rise)
        down = _half_cosine(1.0, 1 / self.end_divisor, (progress - self.rise) / (1 - self.rise))
        return tf.where(progress < self.rise, up, down)


def _half_cosine(start: float, end: float, progress: tf.Tensor) -> tf.Tensor:
    return end + (start - end) * 0.5 * (1 + tf.cos(math.pi * progress))


class Plateau(BaseSchedule):
    """Reduce on plateau: the learning rate decreases if the monitored metric stops improving.

    The only schedule with a state: the number of decreases is part of each checkpoint.
    """

    type: Literal["plateau"] = "plateau"
    gamma: Annotated[float, Gt(0), Lt(1)] = 0.5
    """Factor of each decrease."""
    patience: PositiveInt = 3
    """Number of epochs without improvement before a decrease."""
    cooldown: NonNegativeInt = 0
    """Number of epochs after a decrease that do not count towards `patience`."""
    min_delta: NonNegativeFloat = 0.0
    """Minimum change that counts as an improvement."""
    floor: Fraction = 1e-3
    """Minimum factor of the learning rate after all decreases."""

    def factor(self, epoch: tf.Tensor, epochs: int) -> tf.Tensor:
        return tf.ones_like(epoch)


Schedule = Annotated[
    Constant | Step | Exponential | Cosine | OneCycle | Plateau, Field(discriminator="type")
]
