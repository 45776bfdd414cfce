"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any, Literal

from mmzoo.lazy import keras
from mmzoo.optimizers.base import BaseOptimizer
from mmzoo.spec import PositiveFloat, Rate


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
