"""How uncertain each of several predictions is: the learned weights of their losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class LogVariances(keras.layers.Layer):
    """A learned logarithm of a variance for each loss, and what weight follows from it.

    It stands in the model so that it is trained and saved with it, and gives the logarithms as they
    are, once for each example of whatever it is called on: float32 `[batch, losses]`.

    Reference: Kendall et al., "Multi-task learning using uncertainty to weigh losses", 2018,
    equations 7 and 10: a loss of classes is divided by the variance, one of numbers by twice that.

    Args:
        factors: of each loss, what the weight is at a variance of 1.
        penalties: of each loss, what the logarithm is multiplied by where it is added. That is 0.5
            for a variance, the logarithm of whose root is meant; 1 for a loss that is divided by
            the scale itself.
    """

    def __init__(
        self, factors: Sequence[float], penalties: Sequence[float], **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.factors = tuple(factors)
        self.penalties = tuple(penalties)

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.log_variances = self.add_weight(
            shape=(len(self.factors),), initializer="zeros", name="log_variances"
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.zeros([tf.shape(x)[0], 1]) + tf.cast(self.log_variances, tf.float32)

    def weights_of_losses(self) -> tf.Tensor:
        """Float32 `[losses]`: the factors divided by the variances."""
        return tf.constant(self.factors) * tf.exp(-tf.cast(self.log_variances, tf.float32))

    def penalty(self) -> tf.Tensor:
        """What keeps the variances from growing: the sum of their logarithms, a scalar."""
        return tf.reduce_sum(tf.constant(self.penalties) * tf.cast(self.log_variances, tf.float32))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape[0], len(self.factors)

    def get_config(self) -> dict[str, Any]:
        settings = {"factors": self.factors, "penalties": self.penalties}
        return {**super().get_config(), **settings}
