"""Gradient reversal, and the discriminator of adversarial heads behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


@tf.custom_gradient
def reverse_gradient(x: tf.Tensor, strength: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """The same tensor, through which gradients flow back with the factor `-strength`."""

    def backward(gradient: tf.Tensor) -> tuple[tf.Tensor, None]:
        return -tf.cast(strength, gradient.dtype) * gradient, None

    return tf.identity(x), backward


@keras.saving.register_keras_serializable("mmzoo")
class GradientReversal(keras.layers.Layer):
    """Gradient reversal layer: the identity, with gradients of the opposite sign.

    What comes before it learns the opposite of what comes after it.

    Reference: Ganin et al., "Domain-adversarial training of neural networks", 2016.

    Args:
        strength: factor of the reversed gradients.
    """

    def __init__(self, strength: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.strength = strength
        self._progress: tuple[tf.Variable, int] | None = None

    def rise(self, step: tf.Variable, steps: int) -> None:
        """Lets the strength rise from 0 over a training, `2 / (1 + exp(-10 p)) - 1` of its value.

        `p` is the share of the training that is done, from 0 to 1: equation 14 of the paper.

        Args:
            step: counts the steps that are done, int64.
            steps: those of the whole training, at least 1.
        """
        self._progress = step, steps

    def strength_at(self, earlier: int = 0) -> tf.Tensor:
        """The strength in the present step, or in an earlier one: float32 scalar."""
        if self._progress is None:
            return tf.constant(self.strength)
        step, steps = self._progress
        done = tf.clip_by_value(tf.cast(step - earlier, tf.float32) / steps, 0.0, 1.0)
        return self.strength * (2.0 / (1.0 + tf.exp(-10.0 * done)) - 1.0)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return reverse_gradient(x, self.strength_at())

    def compute_output_spec(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor(x.shape, x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strength": self.strength}


@keras.saving.register_keras_serializable("mmzoo")
class DiscriminatorOutput(keras.layers.Layer):
    """The logits of a discriminator beside the vectors that it saw; NaN for missing inputs.

    Inputs: logits `[batch, inputs, inputs]`, vectors `[batch, inputs, width]`, and the presence
    masks `[batch]` of the inputs that may be missing. Output: float32 `[batch, inputs, inputs +
    width]`.

    Args:
        optional: the indices of the inputs that may be missing, in the order of their masks.
    """

    def __init__(self, optional: Sequence[int] = (), **settings: Any) -> None:
        super().__init__(**settings)
        self.optional = tuple(optional)

    def call(
        self, logits: tf.Tensor, vectors: tf.Tensor, present: Sequence[tf.Tensor] = ()
    ) -> tf.Tensor:
        both = tf.concat([tf.cast(part, tf.float32) for part in (logits, vectors)], axis=2)
        there = [tf.ones(tf.shape(both)[:1], tf.bool)] * both.shape[1]
        for index, mask in zip(self.optional, present, strict=True):
            there[index] = mask > 0
        return tf.where(tf.stack(there, axis=1)[:, :, None], both, float("nan"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "optional": self.optional}


@keras.saving.register_keras_serializable("mmzoo")
class DiscriminatorAccuracy(keras.metrics.Mean):
    """Share of the vectors whose input the discriminator tells, missing ones left out.

    Outputs are those of `DiscriminatorOutput`; there are no targets.

    Args:
        inputs: number of inputs.
    """

    def __init__(self, inputs: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.inputs = inputs

    def update_state(
        self, true: tf.Tensor, outputs: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        logits = outputs[:, :, : self.inputs]
        there = tf.logical_not(tf.math.is_nan(logits[:, :, 0]))
        told = tf.argmax(tf.where(there[:, :, None], logits, 0.0), axis=2)
        is_right = tf.cast(told == tf.range(self.inputs, dtype=told.dtype)[None], tf.float32)
        super().update_state(is_right, sample_weight=tf.cast(there, tf.float32))
