"""RMSprop."""

from __future__ import annotations

from typing import Any, Literal

from mmzoo.lazy import keras
from mmzoo.optimizers.base import BaseOptimizer
from mmzoo.spec import Rate


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
