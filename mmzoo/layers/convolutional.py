"""Layers of convolutional networks that Keras lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class BatchNorm(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of feature maps, in one kernel where Keras takes a dozen.

    The numbers and variables are the same; a small network trains up to 1.6 times as fast on a
    CPU. The input is `[batch, height, width, channels]`, float16, bfloat16 or float32.

    Reference: Ioffe and Szegedy, "Batch normalization: accelerating deep network training by
    reducing internal covariate shift", 2015.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: Any = None) -> tf.Tensor:
        learns = bool(training) and self.trainable
        scale, offset, mean, variance = (
            tf.cast(variable.value, tf.float32)
            for variable in (self.gamma, self.beta, self.moving_mean, self.moving_variance)
        )
        empty = tf.constant([], tf.float32)  # The kernel takes no statistics where it makes them.
        outputs, batch_mean, batch_variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=scale,
            offset=offset,
            mean=empty if learns else mean,
            variance=empty if learns else variance,
            epsilon=self.epsilon,
            is_training=learns,
        )
        if learns:
            # The kernel gives the variance of the population that the batch was drawn from; Keras
            # averages that of the batch itself.
            count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
            batch_variance *= (count - 1.0) / count
            keep = self.momentum
            self.moving_mean.assign(mean * keep + batch_mean * (1.0 - keep))
            self.moving_variance.assign(variance * keep + batch_variance * (1.0 - keep))
        return outputs


@keras.saving.register_keras_serializable("mmzoo")
class GroupedConv(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with `groups`, computed as one convolution for each of them.

    The numbers and variables are the same. TensorFlow's kernel for all groups at once takes ten
    times as long on a CPU, most of it for the gradients.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        groups = zip(
            tf.split(inputs, self.groups, axis=-1),
            tf.split(self.kernel, self.groups, axis=-1),
            strict=True,
        )
        outputs = tf.concat(
            [
                tf.nn.conv2d(maps, kernel, self.strides, self.padding.upper())
                for maps, kernel in groups
            ],
            axis=-1,
        )
        if self.bias is not None:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return self.activation(outputs)


@keras.saving.register_keras_serializable("mmzoo")
class IdentityShortcut(keras.layers.Layer):
    """Every `strides`-th position of each feature map, with empty maps added up to `filters`.

    `[batch, height, width, channels]` becomes `[batch, ceil(height / strides), ceil(width /
    strides), filters]`; half of the maps of zeros stand before the given ones and half behind.

    Reference: He et al., "Deep residual learning for image recognition", 2015: option A.

    Args:
        filters: how many feature maps there shall be, no fewer than there are.
        strides: the distance in pixels from one position that is kept to the next.
    """

    def __init__(self, filters: int, strides: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.filters = filters
        self.strides = strides

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        missing = self.filters - inputs.shape[-1]
        before = missing // 2
        kept = inputs[:, :: self.strides, :: self.strides]
        return tf.pad(kept, [[0, 0], [0, 0], [0, 0], [before, missing - before]])

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sides, _ = shape
        kept = [None if side is None else -(-side // self.strides) for side in sides]
        return (batch, *kept, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}


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


@keras.saving.register_keras_serializable("mmzoo")
class RescaledDense(keras.layers.Dense):
    """`keras.layers.Dense` whose outputs are multiplied and shifted: `[batch, units]`.

    Its weights stay small, however large the labels are.

    Args:
        mean: what is added to each output.
        deviation: what each output is multiplied by before.
        settings: those of `keras.layers.Dense` but `units`.
    """

    def __init__(self, mean: Sequence[float], deviation: Sequence[float], **settings: Any) -> None:
        super().__init__(len(mean), **settings)
        self.mean = tuple(mean)
        self.deviation = tuple(deviation)

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        outputs = super().call(inputs, training=training)
        return outputs * tf.cast(self.deviation, outputs.dtype) + tf.cast(self.mean, outputs.dtype)

    def get_config(self) -> dict[str, Any]:
        settings = super().get_config()
        del settings["units"]
        return {**settings, "mean": self.mean, "deviation": self.deviation}
