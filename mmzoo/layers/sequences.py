"""Layers for padded sequences, and recurrent cells with variational dropout."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class FirstToken(keras.layers.Layer):
    """First token of a sequence: `[batch, positions, width]` to `[batch, width]`."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return x[:, 0]


@keras.saving.register_keras_serializable("mmzoo")
class LastToken(keras.layers.Layer):
    """Last token of a sequence that is not padding.

    Input: `[batch, positions, width]` and `present`, bool `[batch, positions]`, false at padding.
    Output: `[batch, width]`; zeros for an empty sequence.
    """

    def call(self, x: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        lengths = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
        last = tf.gather(x, tf.maximum(lengths - 1, 0), axis=1, batch_dims=1)
        return tf.where(lengths[:, None] > 0, last, tf.zeros_like(last))


@keras.saving.register_keras_serializable("mmzoo")
class ReverseSequence(keras.layers.Layer):
    """Sequence with its tokens in reverse order and the padding still at the end.

    Input and output: `[batch, positions, width]`; `present` is bool `[batch, positions]`, false at
    padding, or None if there is no padding. A backward recurrent layer thus starts at the last
    token and needs no mask.
    """

    def call(self, x: tf.Tensor, present: tf.Tensor | None = None) -> tf.Tensor:
        if present is None:  # No padding.
            return tf.reverse(x, [1])
        lengths = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
        return tf.reverse_sequence(x, lengths, seq_axis=1, batch_axis=0)


@keras.saving.register_keras_serializable("mmzoo")
class ZeroPaddedSteps(keras.layers.Layer):
    """Sequence with zeros at padded positions.

    Input and output: `[batch, positions, width]`; `present` is bool `[batch, positions]`, false at
    padding. A convolution then sees padding and the border of the tensor alike.
    """

    def call(self, x: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        return tf.where(present[:, :, None], x, tf.zeros_like(x))


@keras.saving.register_keras_serializable("mmzoo")
class MaskedAverage(keras.layers.Layer):
    """Average pooling over the positions that are not padding.

    Input: `[batch, positions, width]` and `present`, bool `[batch, positions]`. Output: `[batch,
    width]`; zeros for an empty sequence. Sums are computed in float32, as long sequences may
    overflow float16.
    """

    def call(self, x: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        weights = tf.cast(present, tf.float32)
        weights /= tf.maximum(tf.reduce_sum(weights, axis=1, keepdims=True), 1.0)
        average = tf.linalg.matvec(tf.cast(x, tf.float32), weights, transpose_a=True)
        return tf.cast(average, x.dtype)


@keras.saving.register_keras_serializable("mmzoo")
class MaskedMax(keras.layers.Layer):
    """Max pooling over the positions that are not padding.

    Input: `[batch, positions, width]` and `present`, bool `[batch, positions]`. Output: `[batch,
    width]`; zeros for an empty sequence.
    """

    def call(self, x: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        lowest = tf.constant(x.dtype.min, x.dtype)
        maximum = tf.reduce_max(tf.where(present[:, :, None], x, lowest), axis=1)
        return tf.where(tf.reduce_any(present, axis=1)[:, None], maximum, tf.zeros_like(maximum))


class _VariationalDropout(keras.layers.Layer):
    """Makes a recurrent cell of Keras use one dropout mask and one matrix for all of its gates."""

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(units, **settings)
        self.implementation = 2
        self.dropout_mask_count = None


@keras.saving.register_keras_serializable("mmzoo")
class VariationalDropoutGRUCell(_VariationalDropout, keras.layers.GRUCell):
    """`keras.layers.GRUCell` with variational recurrent dropout: one mask for all gates and steps.

    See `VariationalDropoutLSTMCell`. Dropout applies to the state that the gates read, not to the
    state that the update gate carries over.

    Reference: Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent
    neural networks", 2016, equation 7.
    """

    def call(
        self, inputs: tf.Tensor, states: list[tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        if not (training and self.recurrent_dropout):
            return super().call(inputs, states, training=training)
        [state] = states
        dropped = state * self.get_recurrent_dropout_mask(state)
        input_bias, state_bias = tf.unstack(self.bias)
        input_gates = tf.split(tf.matmul(inputs, self.kernel) + input_bias, 3, axis=1)
        state_gates = tf.split(tf.matmul(dropped, self.recurrent_kernel) + state_bias, 3, axis=1)
        update = tf.sigmoid(input_gates[0] + state_gates[0])
        reset = tf.sigmoid(input_gates[1] + state_gates[1])
        candidate = tf.tanh(input_gates[2] + reset * state_gates[2])
        new = update * state + (1.0 - update) * candidate
        return new, [new]


@keras.saving.register_keras_serializable("mmzoo")
class VariationalDropoutLSTMCell(_VariationalDropout, keras.layers.LSTMCell):
    """`keras.layers.LSTMCell` with variational recurrent dropout: one mask for all gates and steps.

    This is the paper's tied-weights variant, with a single matrix multiplication. Keras draws one
    mask per gate and multiplies four times, which more than doubles the time of a training step on
    CPUs. The variables are those of Keras.

    Reference: Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent
    neural networks", 2016, equation 7.
    """

    def call(
        self, inputs: tf.Tensor, states: list[tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        state, carry = states
        if training and self.recurrent_dropout:
            state *= self.get_recurrent_dropout_mask(state)
        return super().call(inputs, [state, carry], training=training)
