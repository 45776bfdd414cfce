"""Adagrad."""

from __future__ import annotations

from typing import Any, Literal

from mmzoo.lazy import keras
from mmzoo.optimizers.base import BaseOptimizer
from mmzoo.spec import NonNegativeFloat, PositiveFloat


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
