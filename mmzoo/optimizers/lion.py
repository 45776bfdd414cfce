"""Lion."""

from __future__ import annotations

from typing import Any, Literal

from mmzoo.lazy import keras
from mmzoo.optimizers.base import BaseOptimizer
from mmzoo.spec import PositiveFloat, Rate


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
