"""The optimizers of several networks, as the one optimizer of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras


class NetworkOptimizers(keras.optimizers.Optimizer):
    """An optimizer that passes the gradient of each variable to the optimizer of its network.

    So everything that knows one optimizer per model applies to all of them: checkpoints, the check
    of gradients, loss scaling, moving averages of the weights.

    Attributes:
        parts: the optimizers.
    """

    def __init__(
        self, networks: Sequence[tuple[keras.optimizers.Optimizer, Sequence[keras.Variable]]]
    ) -> None:
        """Takes the optimizer of each network and the network's variables."""
        super().__init__(learning_rate=0.0, name="network_optimizers")
        self.parts = [optimizer for optimizer, _ in networks]
        # By id, since Keras counts variables among the attributes as the optimizer's own.
        self._part_of = {
            id(variable): part
            for part, (_, variables) in enumerate(networks)
            for variable in variables
        }
        self.use_ema = any(part.use_ema for part in self.parts)
        for setting in ("global_clipnorm", "clipvalue"):
            given = [getattr(part, setting) for part in self.parts]
            setattr(self, setting, next((one for one in given if one is not None), None))

    @property
    def variables(self) -> list[keras.Variable]:
        return [*super().variables, *(one for part in self.parts for one in part.variables)]

    def build(self, variables: Sequence[keras.Variable]) -> None:
        use_ema, self.use_ema = self.use_ema, False  # The parts have the moving averages.
        super().build(variables)
        self.use_ema = use_ema
        for number, part in enumerate(self.parts):
            part.build([one for one in variables if self._part_of[id(one)] == number])
            part._all_reduce_sum_gradients = self._reduced_as_here

    def _reduced_as_here(self, pairs: Sequence[Any]) -> Sequence[Any]:
        return self._all_reduce_sum_gradients(pairs)

    @property
    def _model_variables_moving_average(self) -> list[keras.Variable]:
        """The moving average of each variable, in the order of `build`."""
        averages = {
            id(variable): average
            for part in self.parts
            for variable, average in zip(
                part._trainable_variables, part._model_variables_moving_average, strict=True
            )
        }
        return [averages[id(variable)] for variable in self._trainable_variables]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        assert trainable_variables is not None
        pairs = list(zip(grads, trainable_variables, strict=True))
        for number, part in enumerate(self.parts):
            own = [pair for pair in pairs if self._part_of[id(pair[1])] == number]
            if own:
                part.apply([grad for grad, _ in own], [variable for _, variable in own])
        self._iterations.assign_add(1)
