"""Optimizers: SGD, Adagrad, RMSprop, Adam, AdamW and Lion."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from mmzoo.lazy import keras
from mmzoo.schedules import Constant, Schedule
from mmzoo.spec import NonNegativeFloat, PositiveFloat, Problem, Rate, Spec

_NO_WEIGHT_DECAY = [
    *("bias", "gamma", "beta"),
    # Learned weights of inputs and losses: decay would equalize them.
    *("scores", "weights_of_inputs", "log_variances"),
    "log_scale",  # Of similarities.
]
"""Names of weights without weight decay."""


class BaseOptimizer(Spec):
    """Base class of optimizers: learning rate, schedule, weight decay and gradient clipping."""

    learning_rate: PositiveFloat = 1e-3
    """Base learning rate, which the schedule multiplies."""
    schedule: Schedule = Constant()
    """Learning rate schedule."""
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled weight decay: each step subtracts this fraction of a weight, times the learning
    rate. It does not apply to biases, the scales and offsets of normalization layers, and learned
    weights of inputs, losses and similarities."""
    clip_norm: PositiveFloat | None = None
    """Maximum global norm of the gradients; larger gradients are scaled down."""
    clip_value: PositiveFloat | None = None
    """Maximum absolute value of each gradient entry; larger entries are clipped."""

    def rules(self) -> Iterator[Problem]:
        if self.clip_norm and self.clip_value:
            yield Problem(
                ("clip_value",), "expected only one of `clip_norm` and `clip_value`, got both"
            )

    @abstractmethod
    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        """Keras optimizer with the options of this class and the `shared` options."""

    def build(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        ema: float | None = None,
    ) -> keras.optimizers.Optimizer:
        """Keras optimizer that follows a learning rate schedule.

        Args:
            learning_rate: a constant, or a schedule of the step.
            ema: momentum of an exponential moving average of the weights, or None for no average.
        """
        optimizer = self.keras_optimizer(
            learning_rate=learning_rate,
            # Keras expects None for no weight decay, and rejects integers.
            weight_decay=self.weight_decay or None,
            global_clipnorm=self.clip_norm,
            clipvalue=self.clip_value,
            use_ema=ema is not None,
            ema_momentum=ema or 0.99,
        )
        if self.weight_decay:
            optimizer.exclude_from_weight_decay(var_names=_NO_WEIGHT_DECAY)
        return optimizer


class SGD(BaseOptimizer):
    """Stochastic gradient descent with momentum.

    References: Robbins and Monro, "A stochastic approximation method", 1951; Sutskever et al., "On
    the importance of initialization and momentum in deep learning", 2013, for Nesterov momentum.
    """

    type: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = 0.01
    """Base learning rate, which the schedule multiplies."""
    momentum: Rate = 0.9
    """Momentum; 0 is plain gradient descent."""
    nesterov: bool = False
    """Whether to use Nesterov momentum."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        return keras.optimizers.SGD(momentum=self.momentum, nesterov=self.nesterov, **shared)


class Adagrad(BaseOptimizer):
    """Adagrad: per-weight learning rates that decrease with the sum of squared gradients.

    Reference: Duchi et al., "Adaptive subgradient methods for online learning and stochastic
    optimization", 2011.
    """

    type: Literal["adagrad"] = "adagrad"
    learning_rate: PositiveFloat = 0.01
    """Base learning rate, which the schedule multiplies."""
    initial_accumulator: NonNegativeFloat = 0.1
    """Initial value of the sums of squared gradients."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        return keras.optimizers.Adagrad(
            initial_accumulator_value=self.initial_accumulator, **shared
        )


class RMSprop(BaseOptimizer):
    """RMSprop: gradients divided by a moving average of their magnitude.

    Reference: Tieleman and Hinton, "Lecture 6.5: RMSProp", 2012.
    """

    type: Literal["rmsprop"] = "rmsprop"
    rho: Rate = 0.9
    """Decay rate of the moving average of squared gradients."""
    momentum: Rate = 0.0
    """Momentum of the updates."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        return keras.optimizers.RMSprop(rho=self.rho, momentum=self.momentum, **shared)


class Adam(BaseOptimizer):
    """Adam: adaptive learning rates from moving averages of gradients and squared gradients.

    Reference: Kingma and Ba, "Adam: a method for stochastic optimization", 2015.
    """

    type: Literal["adam"] = "adam"
    beta_1: Rate = 0.9
    """Decay rate of the moving average of gradients."""
    beta_2: Rate = 0.999
    """Decay rate of the moving average of squared gradients."""
    epsilon: PositiveFloat = 1e-7
    """Small number added to the denominator for numerical stability."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        return keras.optimizers.Adam(
            beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon, **shared
        )


class AdamW(BaseOptimizer):
    """AdamW: Adam with decoupled weight decay.

    Reference: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """

    type: Literal["adamw"] = "adamw"
    weight_decay: NonNegativeFloat = 0.004
    """Decoupled weight decay: each step subtracts this fraction of a weight, times the learning
    rate. It does not apply to biases, the scales and offsets of normalization layers, and learned
    weights of inputs, losses and similarities."""
    beta_1: Rate = 0.9
    """Decay rate of the moving average of gradients."""
    beta_2: Rate = 0.999
    """Decay rate of the moving average of squared gradients."""
    epsilon: PositiveFloat = 1e-7
    """Small number added to the denominator for numerical stability."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        shared["weight_decay"] = self.weight_decay  # Keras' AdamW rejects None.
        return keras.optimizers.AdamW(
            beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon, **shared
        )


class Lion(BaseOptimizer):
    """Lion: the sign of a momentum, so that all weights change by the same amount.

    Use a learning rate 3 to 10 times smaller than for Adam.

    Reference: Chen et al., "Symbolic discovery of optimization algorithms", 2023.
    """

    type: Literal["lion"] = "lion"
    learning_rate: PositiveFloat = 1e-4
    """Base learning rate, which the schedule multiplies."""
    beta_1: Rate = 0.9
    """Weight of the momentum relative to the current gradient in an update."""
    beta_2: Rate = 0.99
    """Decay rate of the moving average of gradients."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        return keras.optimizers.Lion(beta_1=self.beta_1, beta_2=self.beta_2, **shared)


Optimizer = Annotated[SGD | Adagrad | RMSprop | Adam | AdamW | Lion, Field(discriminator="type")]
