"""A guard on every update of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


class Guard:
    """Measures each gradient before the optimizer uses it, and remembers the first bad one.

    It stands in `optimizer.apply`, the one door that every objective's updates go through. A loss
    can stay finite while weights do not (relu hides a NaN), so gradients are what is watched.

    Attributes:
        gradient_norm: global norm of the last step's gradients, before clipping.
        bad_step: the first step whose gradients were not finite, or -1.
        skipped: how many steps were left out; only with `skip`.
        finite: whether the last step's gradients were finite.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer, skip: bool) -> None:
        # Every replica comes to the same value, so the first replica's will do.
        def variable(value: float | int | bool, dtype: tf.DType) -> tf.Variable:
            same = tf.VariableAggregation.ONLY_FIRST_REPLICA
            return tf.Variable(value, trainable=False, dtype=dtype, aggregation=same)

        self.gradient_norm = variable(0.0, tf.float32)
        self.bad_step = variable(-1, tf.int64)
        self.skipped = variable(0, tf.int64)
        self.finite = variable(True, tf.bool)
        self._skip = skip
        self._iterations = optimizer._iterations  # With accumulation, `iterations` counts updates.
        self._apply = optimizer.apply
        optimizer.apply = self.apply

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """As `keras.optimizers.Optimizer.apply`, which it calls."""
        norm = _norm_over_replicas([grad for grad in grads if grad is not None])
        finite = tf.math.is_finite(norm)
        first = tf.logical_and(tf.logical_not(finite), self.bad_step < 0)
        step = tf.cast(self._iterations.value, tf.int64)
        self.gradient_norm.assign(norm)
        self.finite.assign(finite)
        self.bad_step.assign(tf.where(first, step, self.bad_step))
        if not self._skip:
            self._apply(grads, trainable_variables)
            return
        self.skipped.assign_add(tf.where(finite, tf.constant(0, tf.int64), 1))
        tf.cond(
            finite,
            lambda: self._apply(grads, trainable_variables),
            # The step counts all the same: the order of the data goes by it.
            lambda: self._iterations.assign_add(1) and None,
        )


def _norm_over_replicas(grads: Sequence[Any]) -> tf.Tensor:
    norm = tf.linalg.global_norm([tf.cast(grad, tf.float32) for grad in grads])
    replicas = tf.distribute.get_replica_context()
    if replicas is None or replicas.num_replicas_in_sync == 1:
        return norm
    return tf.sqrt(replicas.all_reduce(tf.distribute.ReduceOp.SUM, tf.square(norm)))
