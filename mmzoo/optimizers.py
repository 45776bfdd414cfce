"""Optimizers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from mmzoo.lazy import keras
from mmzoo.schedules import Constant, Schedule
from mmzoo.spec import NonNegativeFloat, PositiveFloat, Problem, Rate, Spec

_NOT_DECAYED = [
    *("bias", "gamma", "beta"),
    # What a fusion or objective weighs inputs and losses by, and tells: decay would even it out.
    *("scores", "weights_of_inputs", "log_variances"),
]
"""Names of weights that do not decay."""


class BaseOptimizer(Spec):
    """How gradients become changes of the weights."""

    learning_rate: PositiveFloat = 1e-3
    """The learning rate, which the schedule multiplies."""
    schedule: Schedule = Constant()
    """How the learning rate changes over the training."""
    weight_decay: NonNegativeFloat = 0.0
    """Share of each weight, times the learning rate, that is taken off at each step. Biases and
    the scales and offsets of normalisations are spared, and what weighs inputs and losses."""
    clip_norm: PositiveFloat | None = None
    """Gradients are scaled so that their global norm is at most this."""
    clip_value: PositiveFloat | None = None
    """Every entry of a gradient is cut to between minus this and this."""

    def rules(self) -> Iterator[Problem]:
        if self.clip_norm and self.clip_value:
            yield Problem(("clip_value",), "expected `clip_norm` or `clip_value`, got both")

    @abstractmethod
    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        """The Keras optimizer with its own settings and the `shared` ones."""

    def build(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        ema: float | None = None,
    ) -> keras.optimizers.Optimizer:
        """The optimizer that follows `learning_rate`.

        Args:
            learning_rate: a number, or the schedule that gives it for each step.
            ema: momentum of a moving average of the weights, or None for none.
        """
        optimizer = self.keras_optimizer(
            learning_rate=learning_rate,
            # Keras asks for None where nothing is to be done, and refuses a plain 1 or 0.
            weight_decay=self.weight_decay or None,
            global_clipnorm=self.clip_norm,
            clipvalue=self.clip_value,
            use_ema=ema is not None,
            ema_momentum=ema or 0.99,
        )
        if self.weight_decay:
            optimizer.exclude_from_weight_decay(var_names=_NOT_DECAYED)
        return optimizer


class SGD(BaseOptimizer):
    """Stochastic gradient descent, with momentum.

    References: Robbins and Monro, "A stochastic approximation method", 1951; Sutskever et al., "On
    the importance of initialization and momentum in deep learning", 2013, for Nesterov momentum.
    """

    type: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = 0.01
    """The learning rate, which the schedule multiplies."""
    momentum: Rate = 0.9
    """Share of the last step that is taken again; 0 is plain gradient descent."""
    nesterov: bool = False
    """Look ahead along the momentum before taking the gradient."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        return keras.optimizers.SGD(momentum=self.momentum, nesterov=self.nesterov, **shared)


class Adagrad(BaseOptimizer):
    """Steps that shrink for weights which have had large gradients.

    Reference: Duchi et al., "Adaptive subgradient methods for online learning and stochastic
    optimization", 2011.
    """

    type: Literal["adagrad"] = "adagrad"
    learning_rate: PositiveFloat = 0.01
    """The learning rate, which the schedule multiplies."""
    initial_accumulator: NonNegativeFloat = 0.1
    """What the sums of squared gradients start from."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        return keras.optimizers.Adagrad(
            initial_accumulator_value=self.initial_accumulator, **shared
        )


class RMSprop(BaseOptimizer):
    """Gradients divided by a moving average of their size.

    Reference: Tieleman and Hinton, "Lecture 6.5: RMSProp", 2012.
    """

    type: Literal["rmsprop"] = "rmsprop"
    rho: Rate = 0.9
    """Momentum of the average of squared gradients."""
    momentum: Rate = 0.0
    """Share of the last step that is taken again."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        return keras.optimizers.RMSprop(rho=self.rho, momentum=self.momentum, **shared)


class Adam(BaseOptimizer):
    """Moving averages of the gradients and of their squares.

    Reference: Kingma and Ba, "Adam: a method for stochastic optimization", 2015.
    """

    type: Literal["adam"] = "adam"
    beta_1: Rate = 0.9
    """Momentum of the average of gradients."""
    beta_2: Rate = 0.999
    """Momentum of the average of squared gradients."""
    epsilon: PositiveFloat = 1e-7
    """Added to the divisor, for weights whose gradients are nearly 0."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        return keras.optimizers.Adam(
            beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon, **shared
        )


class AdamW(BaseOptimizer):
    """Adam, with weight decay apart from the gradient.

    Reference: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """

    type: Literal["adamw"] = "adamw"
    weight_decay: NonNegativeFloat = 0.004
    """Share of each weight, times the learning rate, that is taken off at each step. Biases and
    the scales and offsets of normalisations are spared, and what weighs inputs and losses."""
    beta_1: Rate = 0.9
    """Momentum of the average of gradients."""
    beta_2: Rate = 0.999
    """Momentum of the average of squared gradients."""
    epsilon: PositiveFloat = 1e-7
    """Added to the divisor, for weights whose gradients are nearly 0."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        shared["weight_decay"] = self.weight_decay  # Keras' AdamW refuses None for none.
        return keras.optimizers.AdamW(
            beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon, **shared
        )


class Lion(BaseOptimizer):
    """The sign of a momentum: every weight moves by the same amount.

    Wants a learning rate three to ten times smaller than Adam.

    Reference: Chen et al., "Symbolic discovery of optimization algorithms", 2023.
    """

    type: Literal["lion"] = "lion"
    learning_rate: PositiveFloat = 1e-4
    """The learning rate, which the schedule multiplies."""
    beta_1: Rate = 0.9
    """Share of the momentum in the step that is taken."""
    beta_2: Rate = 0.99
    """Momentum of the average of gradients."""

    def keras_optimizer(self, **shared: Any) -> keras.optimizers.Optimizer:
        return keras.optimizers.Lion(beta_1=self.beta_1, beta_2=self.beta_2, **shared)


Optimizer = Annotated[SGD | Adagrad | RMSprop | Adam | AdamW | Lion, Field(discriminator="type")]
