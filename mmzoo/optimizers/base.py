"""What all optimizers share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mmzoo.schedules import Constant, Schedule
from mmzoo.spec import NonNegativeFloat, PositiveFloat, Problem, Spec

if TYPE_CHECKING:
    import keras

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
