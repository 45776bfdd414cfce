"""AdamW."""

from __future__ import annotations

from typing import Any, Literal

from mmzoo.lazy import keras
from mmzoo.optimizers.base import BaseOptimizer
from mmzoo.spec import NonNegativeFloat, PositiveFloat, Rate


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
