"""Adam."""

from __future__ import annotations

from typing import Any, Literal

from mmzoo.lazy import keras
from mmzoo.optimizers.base import BaseOptimizer
from mmzoo.spec import PositiveFloat, Rate


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
