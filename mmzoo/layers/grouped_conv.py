"""Convolution in groups, quick on CPUs too."""

from __future__ import annotations

from mmzoo.lazy import keras, tf


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
