"""Gradients on their way to the optimizer: summed, accumulated, checked to be finite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mmzoo.lazy import keras, np, tf


class GradientUpdater:
    """Sums gradients over devices and steps, measures their norm, and skips non-finite ones.

    A step may make several updates, with one loss each, between `begin_step` and `end_step`.

    It replaces `optimizer.apply`, which every objective's updates go through, and
    `optimizer.scale_loss`, which gets the loss. Both are checked: a loss can stay finite while the
    weights do not (relu hides a NaN), and a loss can be infinite while its gradient is not.

    Keras can accumulate gradients too, but not on several devices, and it sums them over devices
    only after clipping, so `clip_norm` would mean something else on every number of devices.

    Attributes:
        step: steps done, int64. The learning rate and the order of the data go by it.
        gradient_norm: global norm of the gradients of the last update, before clipping.
        bad_step: the first step, from 0, with a loss or gradient that was not finite; or -1.
        skipped: number of skipped steps.
        finite: whether all losses and gradients of the last step were finite.
    """

    def __init__(
        self,
        optimizer: keras.optimizers.Optimizer,
        step: tf.Variable,
        skip: bool,
        accumulate: int,
        last_step: int | None = None,
    ) -> None:
        """Replaces methods of a built optimizer.

        Args:
            optimizer: the outermost one, which may scale the loss for float16.
            step: as the attribute; accumulation counts from its present value.
            skip: skip steps that are not finite. Otherwise they are applied, and the caller must
                check `bad_step` before anything is saved.
            accumulate: steps whose gradients are averaged into one update; skipped ones are not
                counted.
            last_step: number of steps at which the rest is averaged, however few steps it has.
        """
        # Every replica computes the same value, so the first replica's will do.
        first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.step = step
        self.gradient_norm = tf.Variable(0.0, trainable=False, aggregation=first)
        self.bad_step = tf.Variable(-1, trainable=False, dtype=tf.int64, aggregation=first)
        self.skipped = tf.Variable(0, trainable=False, dtype=tf.int64, aggregation=first)
        self.finite = tf.Variable(True, trainable=False, aggregation=first)
        self._finite_loss = tf.Variable(True, trainable=False)
        self._sums = [
            tf.Variable(tf.zeros(weight.shape, weight.dtype), trainable=False)
            for weight in optimizer._trainable_variables
            if accumulate > 1
        ]
        self._averaged = tf.Variable(0.0, trainable=False, aggregation=first)
        self._scales = hasattr(optimizer, "dynamic_scale")
        self._overflowed = tf.Variable(False, trainable=False, aggregation=first)
        self._first_step = int(step.numpy())
        self._last_step = last_step
        self._optimizer = optimizer
        self._skip = skip
        self._accumulate = accumulate
        # The innermost one clips; around it stands one that scales the loss for float16.
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        self._clips = inner.global_clipnorm is not None or inner.clipvalue is not None
        self._apply, optimizer.apply = optimizer.apply, self.apply
        self._scale_loss, optimizer.scale_loss = optimizer.scale_loss, self.scale_loss
        # Gradients are summed here, before they are measured and clipped; not a second time.
        inner._all_reduce_sum_gradients = list

    @property
    def variables(self) -> list[tf.Variable]:
        """State that the next step depends on: the accumulated gradients, and facts about them."""
        counted = [self._averaged] if self._sums and self._skip else []
        overflowed = [self._overflowed] if self._sums and self._scales else []
        return [*self._sums, *counted, *overflowed]

    def begin_step(self) -> None:
        """To be called before the first loss of a step."""
        self.finite.assign(True)

    def end_step(self) -> None:
        """Counts the step, after its last update."""
        if self._skip:
            self.skipped.assign_add(tf.where(self.finite, tf.constant(0, tf.int64), 1))
        self.step.assign_add(1)

    def scale_loss(self, loss: tf.Tensor) -> tf.Tensor:
        """Stands in for `keras.optimizers.Optimizer.scale_loss`, which it calls."""
        self._finite_loss.assign(tf.math.is_finite(loss))
        return self._scale_loss(loss)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any]) -> None:
        """Stands in for `keras.optimizers.Optimizer.apply`, which it calls for each update."""
        pairs = [p for p in zip(grads, trainable_variables, strict=True) if p[0] is not None]
        given, variables = _summed_over_replicas([g for g, _ in pairs]), [v for _, v in pairs]
        if self._clips:
            given = [_dense(grad) for grad in given]
        finite = self._measure(given)
        if self._accumulate > 1:
            self._add(given, variables, finite)
        elif self._skip:
            self._when(finite, self._apply, given, variables)
        else:
            self._apply(given, variables)

    def _measure(self, grads: Sequence[Any]) -> tf.Tensor:
        """Sets the gradients' norm and whether the step is finite; returns the latter."""
        scale = getattr(self._optimizer, "dynamic_scale", None)
        scale = tf.constant(1.0) if scale is None else scale.value
        norm = tf.linalg.global_norm([tf.cast(_dense(grad), tf.float32) for grad in grads]) / scale
        bad_losses = _summed_over_replicas(tf.cast(tf.logical_not(self._finite_loss), tf.float32))
        # A scaled gradient may overflow float16: the optimizer then halves the scale.
        finite = tf.logical_or(tf.math.is_finite(norm), scale > 1.0)
        finite = tf.logical_and(finite, tf.equal(bad_losses, 0.0))
        first = tf.logical_and(tf.logical_not(finite), self.bad_step < 0)
        self.gradient_norm.assign(norm)
        self.finite.assign(tf.logical_and(self.finite, finite))
        self.bad_step.assign(tf.where(first, self.step, self.bad_step))
        return finite

    def _add(self, grads: Sequence[Any], variables: Sequence[Any], finite: tf.Tensor) -> None:
        """Adds gradients to the sums; after `accumulate` steps, or the last, makes the update."""
        index = self._optimizer._get_variable_index
        sums = [self._sums[index(variable)] for variable in variables]
        is_usable = finite
        if self._scales:
            # Infinite sums could not be saved, so that a scaled gradient overflowed is remembered.
            fits = tf.math.is_finite(self.gradient_norm)
            self._overflowed.assign(self._overflowed | finite & ~fits)
            is_usable = finite & fits
        for total, grad in zip(sums, grads, strict=True):
            grad = _dense(grad)
            total.assign_add(tf.where(is_usable, grad, 0.0) if self._skip or self._scales else grad)
        since_update = (self.step - self._first_step) % self._accumulate + 1
        due = tf.equal(since_update, self._accumulate)
        if self._last_step is not None:
            due = tf.logical_or(due, tf.equal(self.step + 1, self._last_step))
        averaged = tf.cast(since_update, tf.float32)
        if self._skip:
            averaged = self._averaged.assign_add(tf.cast(finite, tf.float32))
            due = tf.logical_and(due, averaged > 0.0)
        self._when(due, self._apply_means, sums, variables, averaged)

    def _apply_means(
        self, sums: Sequence[tf.Variable], variables: Sequence[Any], steps: tf.Tensor
    ) -> None:
        means = [total / tf.cast(steps, total.dtype) for total in sums]
        if self._scales:  # The optimizer then halves the scale, and makes no update.
            means = [tf.where(self._overflowed, np.inf, mean) for mean in means]
            self._overflowed.assign(False)
        self._apply(means, variables)
        for total in sums:
            total.assign(tf.zeros_like(total))
        self._averaged.assign(0.0)

    @staticmethod
    def _when(condition: tf.Tensor, action: Callable[..., Any], *args: Any) -> None:
        """Calls `action` in every replica if the condition holds.

        Optimizers synchronize the replicas, which they cannot do within a plain `tf.cond`.
        """

        def decide(strategy: tf.distribute.Strategy, condition: Any, *args: Any) -> None:
            def act() -> None:
                strategy.extended.call_for_each_replica(action, args=args)

            # The same in every replica.
            tf.cond(strategy.experimental_local_results(condition)[0], act, lambda: None)

        tf.distribute.get_replica_context().merge_call(decide, args=(condition, *args))


def _summed_over_replicas(values: Any) -> Any:
    replicas = tf.distribute.get_replica_context()
    if replicas.num_replicas_in_sync == 1:
        return values
    # Where a replica has longer texts than another, TensorFlow cannot gather their slices.
    dense = tf.nest.map_structure(_dense, values)
    return replicas.all_reduce(tf.distribute.ReduceOp.SUM, dense)


def _dense(grad: Any) -> tf.Tensor:
    """A gradient as a dense tensor with the shape of its weight.

    An embedding's gradient has a slice for each token of the texts. The slices of one token are
    added up, as the optimizer would, so that norm and sign are those of the update.
    """
    return tf.convert_to_tensor(grad)
