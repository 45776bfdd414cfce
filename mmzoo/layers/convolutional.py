"""Layers of convolutional networks: fast batch norm and grouped convolution, shortcuts, norms."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class BatchNorm(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of feature maps with one fused kernel.

    Results and variables are those of Keras, which runs a dozen operations instead; a small network
    trains up to 1.6 times as fast on a CPU. Input: `[batch, height, width, channels]`, float16,
    bfloat16 or float32.

    Reference: Ioffe and Szegedy, "Batch normalization: accelerating deep network training by
    reducing internal covariate shift", 2015.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: Any = None) -> tf.Tensor:
        updates_statistics = bool(training) and self.trainable
        scale, offset, mean, variance = (
            tf.cast(variable.value, tf.float32)
            for variable in (self.gamma, self.beta, self.moving_mean, self.moving_variance)
        )
        empty = tf.constant([], tf.float32)  # In training, the kernel computes them.
        outputs, batch_mean, batch_variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=scale,
            offset=offset,
            mean=empty if updates_statistics else mean,
            variance=empty if updates_statistics else variance,
            epsilon=self.epsilon,
            is_training=updates_statistics,
        )
        if updates_statistics:
            # The kernel returns the unbiased variance; Keras averages the biased one.
            count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
            batch_variance *= (count - 1.0) / count
            momentum = self.momentum
            self.moving_mean.assign(mean * momentum + batch_mean * (1.0 - momentum))
            self.moving_variance.assign(variance * momentum + batch_variance * (1.0 - momentum))
        return outputs


@keras.saving.register_keras_serializable("mmzoo")
class GroupedConv(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with `groups`, computed as one convolution per group.

    Results and variables are those of Keras. TensorFlow's own grouped convolution takes ten times
    as long on a CPU, mostly for the gradients.
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
    """Parameter-free residual shortcut: strided subsampling and zero-padded channels.

    Input: `[batch, height, width, channels]`. Output: `[batch, ceil(height / strides), ceil(width /
    strides), filters]`. Half of the new channels precede the input's channels, half follow them.

    Reference: He et al., "Deep residual learning for image recognition", 2015, option A.

    Args:
        filters: number of output channels, at least that of the input.
        strides: strides of the subsampling, in pixels.
    """

    def __init__(self, filters: int, strides: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.filters = filters
        self.strides = strides

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        missing = self.filters - inputs.shape[-1]
        before = missing // 2
        strided = inputs[:, :: self.strides, :: self.strides]
        return tf.pad(strided, [[0, 0], [0, 0], [0, 0], [before, missing - before]])

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sides, _ = shape
        strided = [None if side is None else -(-side // self.strides) for side in sides]
        return (batch, *strided, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}


@keras.saving.register_keras_serializable("mmzoo")
class LocalResponseNorm(keras.layers.Layer):
    """Local response normalization across channels.

    Each activation `a` becomes `a / (bias + alpha * sum(b ** 2)) ** beta`, where the sum runs over
    the `size` channels around its own, at the same position. Input and output: `[batch, height,
    width, channels]`. The defaults are those of the paper.

    Reference: Krizhevsky et al., "ImageNet classification with deep convolutional neural networks",
    2012, section 3.3.

    Args:
        size: number of channels in the sum, odd.
        bias: offset of the divisor, the paper's k.
        alpha: factor of the sum.
        beta: exponent.
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
            tf.cast(inputs, tf.float32),  # The only dtype with kernels on CPUs and GPUs.
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
