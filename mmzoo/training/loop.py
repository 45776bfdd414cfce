"""The short loop around Keras' own `train_step` and `test_step`.

Not `Model.fit`: it cannot start in mid-epoch, and loses the state of metrics and callbacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.lazy import keras, tf
from mmzoo.training.guard import Guard

if TYPE_CHECKING:
    from mmzoo.devices import Devices


class Loop:
    """A compiled model and its steps.

    Every variable exists from the start, so a checkpoint can be restored before the first step.
    """

    def __init__(self, model: keras.Model, guard: Guard, devices: Devices, skip: bool) -> None:
        self.model = model
        self.guard = guard
        self._strategy = devices.strategy
        self._xla = devices.xla
        self._skip = skip
        self._train = tf.function(self._train_steps)
        self._test = tf.function(self._test_one, reduce_retracing=True, autograph=False)

    def build(self, example: Any) -> None:
        """Makes the variables of the optimizer and the metrics, on a batch of any values."""
        self.model.optimizer.build(self.model.trainable_variables)
        self._strategy.run(self.model.test_step, args=(example,))
        self.model.reset_metrics()

    @property
    def variables(self) -> list[keras.Variable]:
        """All that a step reads or writes, in an order that a rebuilt model has too."""
        model = self.model
        return [*model.variables, *model.optimizer.variables, *model.metrics_variables]

    def train(self, batches: Iterator[Any], steps: int) -> float:
        """Takes some steps, without a return to Python between them.

        Returns:
            Seconds that were spent waiting for data.
        """
        return float(self._train(batches, tf.constant(steps)))

    def validate(self, batches: Iterable[Any], stop: object = False) -> dict[str, float] | None:
        """The metrics over all batches; None if `stop` turned true before their end."""
        self.model.reset_metrics()
        for batch in batches:
            if stop:
                return None
            self._test(batch)
        return self.metrics()

    def metrics(self) -> dict[str, float]:
        """The loss and metrics since the last reset: "loss", "<head>_<metric>"."""
        results = self.model.get_metrics_result()
        return {name: float(value) for name, value in results.items()}

    def reset_metrics(self) -> None:
        self.model.reset_metrics()

    def metrics_state(self) -> list[np.ndarray]:
        """What the metrics have counted since the last reset."""
        return [variable.numpy() for variable in self.model.metrics_variables]

    def restore_metrics(self, state: Sequence[np.ndarray]) -> None:
        for variable, value in zip(self.model.metrics_variables, state, strict=True):
            variable.assign(value)

    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(np.asarray(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Within it the model has the moving average of its weights, if the optimizer keeps one.

        The values are put back as they were, bit by bit: Keras' own swap adds and subtracts.
        """
        optimizer = self.model.optimizer
        if not optimizer.use_ema:
            yield
            return
        weights = self.model.trainable_variables
        values = [tf.identity(weight.value) for weight in weights]
        for weight, average in zip(weights, optimizer._model_variables_moving_average, strict=True):
            weight.assign(average)
        try:
            yield
        finally:
            for weight, value in zip(weights, values, strict=True):
                weight.assign(value)

    def _train_steps(self, batches: Iterator[Any], steps: tf.Tensor) -> tf.Tensor:
        # A loop in the graph: for small networks the way back to Python costs as much as a step.
        waited = tf.constant(0.0, tf.float64)
        for _ in tf.range(steps):
            asked = tf.timestamp()
            batch = next(batches)
            waited += tf.timestamp() - asked
            self._strategy.run(self._train_one, args=(batch,))
        return waited

    # Only the loop above needs AutoGraph; turning Keras over with it would take a second.
    @tf.autograph.experimental.do_not_convert
    def _train_one(self, batch: Any) -> None:
        if not self._skip:
            self._keras_train_step(batch)
            return
        # A step that is left out must leave no trace in metrics and batch norm either.
        traced = [*self.model.non_trainable_variables, *self.model.metrics_variables]
        before = [tf.identity(variable.value) for variable in traced]
        self._keras_train_step(batch)
        for variable, value in zip(traced, before, strict=True):
            variable.assign(tf.where(self.guard.finite, variable.value, value))

    def _keras_train_step(self, batch: Any) -> None:
        if self._xla:
            tf.function(self.model.train_step, jit_compile=True, autograph=False)(batch)
        else:
            self.model.train_step(batch)

    def _test_one(self, batch: Any) -> None:
        self._strategy.run(self.model.test_step, args=(batch,))


def named_by_head(results: Mapping[str, float], heads: Sequence[str]) -> dict[str, float]:
    """Keras' results under names that do not change with the number of heads.

    With one output Keras says "accuracy", with several "<head>_accuracy" and "<head>_loss".
    """
    if len(heads) > 1:
        return dict(results)
    prefix = f"{heads[0]}_"
    return {
        name if name == "loss" or name.startswith(prefix) else prefix + name: value
        for name, value in results.items()
    }
