"""The short loop around Keras' own `train_step` and `test_step`.

Not `Model.fit`: it cannot start in mid-epoch, and loses the state of metrics and callbacks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mmzoo.lazy import keras, tf
from mmzoo.training.updates import GradientUpdater

if TYPE_CHECKING:
    from mmzoo.devices import Devices
    from mmzoo.train_config import Train


_Result = TypeVar("_Result")


class Loop:
    """A compiled model and its steps.

    Every variable exists from the start, so a checkpoint can be restored before the first step.

    Attributes:
        model: the compiled model that is trained.
        updates: sums and checks gradients before its optimizer.
        collected: head -> its outputs in the last validation, `[rows, ...]`, for some heads.
        other_metrics: the names of metrics that belong to a layer or to the model, not to a head.
    """

    def __init__(
        self,
        model: keras.Model,
        whole: keras.Model,
        train: Train,
        devices: Devices,
        step: tf.Variable,
        batch_spec: Any,
        last_step: int | None = None,
        collected: Iterable[str] = (),
    ) -> None:
        """Creates all variables. To be called in the scope of the devices' strategy.

        Args:
            model: compiled.
            whole: the model whose variables are saved: `model`, or one with encoders before it.
            train: has the settings for gradients and determinism.
            devices: where to run.
            step: counts the steps that are done, int64.
            batch_spec: the `element_spec` of validation batches.
            last_step: the value of `step` after the last step.
            collected: heads whose outputs `validate` collects.
        """
        self.model = model
        self._whole = whole
        self._strategy = devices.strategy
        self._xla = devices.xla
        self._skip = train.non_finite == "skip"
        self._clock = _python_clock if train.deterministic else tf.timestamp
        self._weights = model.trainable_variables
        self._moving = _moving_variables(model)
        model.optimizer.build(self._weights)
        self.updates = GradientUpdater(
            model.optimizer, step, self._skip, train.accumulate, last_step
        )
        # For float16 an optimizer that scales the loss stands around the one with the settings.
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        self._averages = optimizer._model_variables_moving_average if optimizer.use_ema else []
        # Keras does this at the first update, before which there may be a validation.
        for weight, average in zip(self._weights, self._averages, strict=False):
            average.assign(weight)
        self._give_each_device_its_own_dropout()
        # Losses over the whole batch let the threads of the devices take turns.
        self._device = threading.local()
        self.collected = {name: np.zeros(0, "float32") for name in collected}
        self.other_metrics = _other_metrics(model)
        self._make_means_of_losses()
        self._train = tf.function(self._train_steps)
        # Traced for batches of any size; Keras makes the metrics' variables meanwhile.
        test = tf.function(self._test_one, input_signature=[batch_spec], autograph=False)
        self._test = test.get_concrete_function()

    @property
    def variables(self) -> list[keras.Variable | tf.Variable]:
        """All variables that a step reads or writes, in the same order for a rebuilt model.

        The whole model's own come first. A variable that is not shared between devices comes once
        per device.
        """
        model = self.model
        everything = [
            *self._whole.variables,
            *model.optimizer.variables,
            *model.metrics_variables,
            *self.updates.variables,
        ]
        if self._strategy.num_replicas_in_sync == 1:
            return everything
        own = [*self._moving, *model.metrics_variables]
        parts = {id(variable): self._parts(variable) for variable in own}
        first = [parts[id(v)][0] if id(v) in parts else v for v in everything]
        return [*first, *(part for several in parts.values() for part in several[1:])]

    @property
    def frozen_indices(self) -> frozenset[int]:
        """Which of `variables` no step changes: the weights of frozen layers."""
        changing = {id(variable) for variable in (*self._weights, *self._moving)}
        variables = enumerate(self._whole.variables)
        return frozenset(index for index, one in variables if id(one) not in changing)

    def train(self, batches: Iterator[Any], steps: int) -> float:
        """Takes some steps in one call of a compiled function.

        Returns:
            Seconds spent waiting for data.
        """
        return float(self._train(batches, tf.constant(steps)))

    def validate(self, batches: Iterable[Any], stop: object = False) -> dict[str, float] | None:
        """The metrics over all batches; None if `stop` became true before the last one."""
        self.model.reset_metrics()
        collected: dict[str, list[np.ndarray]] = {name: [] for name in self.collected}
        for batch in batches:
            if stop:
                return None
            for name, outputs in self._test(batch).items():
                parts = self._strategy.experimental_local_results(outputs)
                collected[name] += [part.numpy() for part in parts]
        self.collected = {name: np.concatenate(parts) for name, parts in collected.items()}
        return self.metrics()

    def metrics(self) -> dict[str, float]:
        """The loss and metrics since the last reset: "loss", "<head>_<metric>"."""
        results = self.model.get_metrics_result()
        return {name: float(value) for name, value in results.items()}

    def loss_total(self) -> tuple[float, float]:
        """The sum of the losses since the last reset, and the number of examples."""
        mean = self.model.metrics[0]
        return float(mean.total.numpy()), float(mean.count.numpy())

    def reset_metrics(self) -> None:
        self.model.reset_metrics()

    def metrics_state(self) -> list[np.ndarray]:
        """The values of the metrics' variables."""
        return [part.numpy() for part in self._metrics_parts()]

    def restore_metrics(self, state: Sequence[np.ndarray]) -> None:
        for part, value in zip(self._metrics_parts(), state, strict=True):
            part.assign(value)

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Gives the model the weights to validate and save, and restores the others afterwards.

        They are the moving average (EMA) of the weights, if the optimizer has one, and the mean
        over devices of variables that these do not share. Values are copied back bit by bit,
        while Keras' own swap adds and subtracts.
        """
        averages = [*zip(self._weights, self._averages, strict=False), *self._means_over_devices()]
        before = [(variable, tf.identity(variable)) for variable, _ in averages]
        for variable, average in averages:
            variable.assign(average)
        try:
            yield
        finally:
            for variable, value in before:
                variable.assign(value)

    def changing_values(self) -> list[np.ndarray]:
        """Copies of all variables that steps change; the model has others, of frozen layers."""
        return [part.numpy() for part in self._changing_parts()]

    @contextmanager
    def holding(self, values: Sequence[np.ndarray]) -> Iterator[None]:
        """Gives the model `changing_values` of an earlier time, and restores it afterwards."""
        parts = self._changing_parts()
        before = [tf.identity(part) for part in parts]
        for part, value in zip(parts, values, strict=True):
            part.assign(value)
        try:
            yield
        finally:
            for part, value in zip(parts, before, strict=True):
                part.assign(value)

    def ema_indices(self) -> list[tuple[int, list[int]]]:
        """Which `variables` to average for each that `averaged_weights` replaces.

        Returns:
            Pairs of the index of a variable and the indices of those whose mean replaces it.
        """
        indices = {id(variable): index for index, variable in enumerate(self.variables)}
        averaged = [
            (indices[id(weight)], [indices[id(average)]])
            for weight, average in zip(self._weights, self._averages, strict=False)
        ]
        unshared = [[indices[id(part)] for part in parts] for parts in self._unshared_parts()]
        return [*averaged, *((sources[0], sources) for sources in unshared)]

    def _give_each_device_its_own_dropout(self) -> None:
        """Keras gives all devices the same seed, so each would drop the same units."""
        for variable in self.model.non_trainable_variables:
            if variable.name == "seed_generator_state":
                for device, part in enumerate(self._parts(variable)):
                    part.assign(part + tf.constant([device, 0], part.dtype))

    def _means_over_devices(self) -> Iterator[tuple[tf.Variable, tf.Tensor]]:
        for parts in self._unshared_parts():
            mean = tf.add_n([tf.identity(part) for part in parts]) / len(parts)
            yield from ((part, mean) for part in parts)

    def _unshared_parts(self) -> Iterator[list[tf.Variable]]:
        """Batch norm's averages, which each device computes over its part of the batches."""
        for variable in self._moving:
            parts = self._parts(variable)
            if len(parts) > 1 and parts[0].dtype.is_floating:
                yield parts

    def _parts(self, variable: keras.Variable) -> list[tf.Variable]:
        """The variable of each device."""
        return list(self._strategy.experimental_local_results(variable.value))

    def _changing_parts(self) -> list[tf.Variable]:
        return [part for v in (*self._weights, *self._moving) for part in self._parts(v)]

    def _metrics_parts(self) -> list[tf.Variable]:
        return [part for v in self.model.metrics_variables for part in self._parts(v)]

    def _train_steps(self, batches: Iterator[Any], steps: tf.Tensor) -> tf.Tensor:
        # A loop in the graph: for small networks a return to Python costs as much as a step.
        waited = tf.constant(0.0, tf.float64)
        for _ in tf.range(steps):
            # Without control dependencies TensorFlow may read the clock at any time.
            with tf.control_dependencies([waited]):
                asked = self._clock()
            with tf.control_dependencies([asked]):
                batch = next(batches)
            with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)):
                waited += self._clock() - asked
            self._strategy.run(self._train_one, args=(batch,))
        return waited

    # Only the loop above needs AutoGraph; turning Keras over with it would take a second.
    @tf.autograph.experimental.do_not_convert
    def _train_one(self, batch: Any) -> None:
        if not self._skip:
            self._keras_train_step(batch)
            return
        # A skipped step must not change metrics and batch norm either.
        traced = [*self._moving, *self.model.metrics_variables]
        before = [tf.identity(variable.value) for variable in traced]
        self._keras_train_step(batch)
        for variable, value in zip(traced, before, strict=True):
            variable.assign(tf.where(self.updates.finite, variable.value, value))

    def _keras_train_step(self, batch: Any) -> None:
        step = partial(self._count_rows, self.model.train_step)
        if self._xla:
            step = tf.function(step, jit_compile=True, autograph=False)
        self.updates.begin_step()
        step(batch)
        self.updates.end_step()

    def _test_one(self, batch: Any) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = self._strategy.run(
            partial(self._count_rows, self._test_step), args=(batch,)
        )
        return outputs

    def _test_step(self, batch: Any) -> dict[str, tf.Tensor]:
        """Keras' own `test_step`, which does not return the outputs."""
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
        outputs = self.model(x, training=False)
        loss = self.model.compute_loss(x, y, outputs, weights, training=False)
        # Every device has its share of the loss.
        loss *= self._strategy.num_replicas_in_sync
        self.model.metrics[0].update_state(loss, sample_weight=self._device.rows)
        self.model.compute_metrics(x, y, outputs, weights)
        return {name: outputs[name] for name in self.collected}

    def _count_rows(self, step: Callable[[Any], _Result], batch: Any) -> _Result:
        """Takes a step in which the means of the heads' losses know the number of rows."""
        self._device.rows = tf.shape(tf.nest.flatten(batch[0])[0])[0]
        try:
            return step(batch)
        finally:
            self._device.rows = None

    def _make_means_of_losses(self) -> None:
        """Creates the means of the heads' losses over examples, if the total is not one of them.

        Keras would create them in the first step, which fails on several devices, and take the mean
        of the batches' means, in which examples of a small last batch count more.
        """
        compiled = self.model._compile_loss
        if not isinstance(compiled._user_loss, Mapping):
            return
        heads = dict.fromkeys(compiled._user_loss, 0.0)  # Only their structure is looked at.
        if not heads or (len(heads) == 1 and not self.other_metrics):
            return
        compiled.build(heads, heads)
        if len(heads) == 1:  # A layer or the model adds a loss of its own.
            [name] = heads
            compiled._tracker.add_to_store("metrics", keras.metrics.Mean(name=f"{name}_loss"))
        for mean in compiled.metrics:
            mean.update_state = partial(self._update_mean, mean.update_state)

    def _update_mean(
        self, update: Callable[..., object], value: tf.Tensor, sample_weight: object = None
    ) -> None:
        rows = getattr(self._device, "rows", None)
        update(value, sample_weight=sample_weight if rows is None else rows)


def _moving_variables(model: keras.Model) -> list[keras.Variable]:
    """Variables that steps change besides weights: batch norm's averages, dropout's seeds.

    Keras counts the weights of frozen layers among the non-trainable variables too.
    """
    frozen = {
        id(weight) for layer in _layers(model) if not layer.trainable for weight in layer.weights
    }
    return [variable for variable in model.non_trainable_variables if id(variable) not in frozen]


def _layers(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def _other_metrics(model: keras.Model) -> frozenset[str]:
    """The names of the metrics of layers, as of a variational code, and of the model itself."""
    layers = (layer for layer in _layers(model) if not isinstance(layer, keras.Model))
    own = (metric for layer in layers for metric in layer.metrics)
    return frozenset(metric.name for metric in (*own, *model._metrics))


def named_by_head(
    results: Mapping[str, float], heads: Sequence[str], others: Collection[str] = ()
) -> dict[str, float]:
    """Keras' results with the head in every name, also if there is only one head.

    With one output Keras calls it "accuracy", with several "<head>_accuracy" and "<head>_loss".

    Args:
        results: by Keras' names.
        heads: the names of all heads.
        others: the names of results that belong to no head, besides "loss".
    """
    if len(heads) != 1:
        return dict(results)
    prefix = f"{heads[0]}_"
    return {
        name if name in ("loss", *others) or name.startswith(prefix) else prefix + name: value
        for name, value in results.items()
    }


def _python_clock() -> tf.Tensor:
    """Like `tf.timestamp`, which TensorFlow refuses with op determinism."""
    return tf.ensure_shape(tf.numpy_function(time.time, [], tf.float64), ())
