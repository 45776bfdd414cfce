"""Local response normalisation, as AlexNet and GoogLeNet had it before batch norm."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class LocalResponseNorm(keras.layers.Layer):
    """Divides each activation by what it and its neighbours in other feature maps amount to.

    `a / (bias + alpha * sum(b ** 2)) ** beta`, summed over the `size` maps around `a`'s own, at
    the same position. `[batch, height, width, channels]` keeps its shape. The defaults are the
    paper's.

    Reference: Krizhevsky et al., "ImageNet classification with deep convolutional neural
    networks", 2012, section 3.3.

    Args:
        size: how many maps are summed over, an odd number.
        bias: the paper's k, which keeps the divisor from 0.
        alpha: the weight of the sum.
        beta: the exponent.
    """

    def __init__(
        self,
        size: int = 5,
        bias: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.size = size
        self.bias = bias
        self.alpha = alpha
        self.beta = beta

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        outputs = tf.nn.local_response_normalization(
            tf.cast(inputs, tf.float32),  # The one type that CPUs and GPUs have it for.
            self.size // 2,
            bias=self.bias,
            alpha=self.alpha,
            beta=self.beta,
        )
        return tf.cast(outputs, inputs.dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        settings = {"size": self.size, "bias": self.bias, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **settings}
