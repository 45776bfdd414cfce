"""Layers for padded sequences, and recurrent cells with variational dropout."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class FirstWord(keras.layers.Layer):
    """The vector at the first position: `[batch, positions, width]` to `[batch, width]`."""

    def call(self, words: tf.Tensor) -> tf.Tensor:
        return words[:, 0]


@keras.saving.register_keras_serializable("mmzoo")
class LastWord(keras.layers.Layer):
    """The vector at the last present position: `[batch, positions, width]` to `[batch, width]`.

    A text without any word has zeros.
    """

    def call(self, words: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        lengths = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
        last = tf.gather(words, tf.maximum(lengths - 1, 0), axis=1, batch_dims=1)
        return tf.where(lengths[:, None] > 0, last, tf.zeros_like(last))


@keras.saving.register_keras_serializable("mmzoo")
class ReversedWords(keras.layers.Layer):
    """Vectors `[batch, positions, width]` with each text's words in reverse, its padding behind.

    So a network that reads backwards begins at the last word, and needs no mask to pass padding.
    """

    def call(self, words: tf.Tensor, present: tf.Tensor | None = None) -> tf.Tensor:
        if present is None:  # There is no padding.
            return tf.reverse(words, [1])
        lengths = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
        return tf.reverse_sequence(words, lengths, seq_axis=1, batch_axis=0)


@keras.saving.register_keras_serializable("mmzoo")
class ZeroedPadding(keras.layers.Layer):
    """Vectors of words `[batch, positions, width]`, with zeros where `present` is false.

    So what stands behind a text's last word is what a convolution finds at its border anyway.
    """

    def call(self, words: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        return tf.where(present[:, :, None], words, tf.zeros_like(words))


@keras.saving.register_keras_serializable("mmzoo")
class MaskedAverage(keras.layers.Layer):
    """Vectors `[batch, positions, width]` as their average over the positions that are present.

    A text without any word has the average 0. Sums are of float32 in mixed precision too, since a
    long text's may be too large for float16.
    """

    def call(self, words: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        weights = tf.cast(present, tf.float32)
        weights /= tf.maximum(tf.reduce_sum(weights, axis=1, keepdims=True), 1.0)
        average = tf.linalg.matvec(tf.cast(words, tf.float32), weights, transpose_a=True)
        return tf.cast(average, words.dtype)


@keras.saving.register_keras_serializable("mmzoo")
class MaskedMax(keras.layers.Layer):
    """Vectors `[batch, positions, width]` as each entry's maximum over the present positions.

    A text without any word has the maximum 0.
    """

    def call(self, words: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        lowest = tf.constant(words.dtype.min, words.dtype)
        highest = tf.reduce_max(tf.where(present[:, :, None], words, lowest), axis=1)
        return tf.where(tf.reduce_any(present, axis=1)[:, None], highest, tf.zeros_like(highest))


@keras.saving.register_keras_serializable("mmzoo")
class TiedGRUCell(keras.layers.GRUCell):
    """`keras.layers.GRUCell` whose gates all see the same entries of the state dropped.

    Like `TiedLSTMCell`. What the gates keep of the state is taken of the whole one.

    Reference: Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent
    neural networks", 2016, equation 7.
    """

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(units, **settings)
        self.implementation = 2
        self.dropout_mask_count = None

    def call(
        self, inputs: tf.Tensor, states: list[tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        if not (training and self.recurrent_dropout):
            return super().call(inputs, states, training=training)
        [state] = states
        seen = state * self.get_recurrent_dropout_mask(state)
        input_bias, state_bias = tf.unstack(self.bias)
        of_input = tf.split(tf.matmul(inputs, self.kernel) + input_bias, 3, axis=1)
        of_state = tf.split(tf.matmul(seen, self.recurrent_kernel) + state_bias, 3, axis=1)
        keep = tf.sigmoid(of_input[0] + of_state[0])
        reset = tf.sigmoid(of_input[1] + of_state[1])
        candidate = tf.tanh(of_input[2] + reset * of_state[2])
        new = keep * state + (1.0 - keep) * candidate
        return new, [new]


@keras.saving.register_keras_serializable("mmzoo")
class TiedLSTMCell(keras.layers.LSTMCell):
    """`keras.layers.LSTMCell` whose gates all see the same entries of the state dropped.

    The paper's tied variant: one mask for a text, at all its words, and one multiplication of
    matrices. Keras draws a mask for each of the four gates and multiplies four times, which makes a
    training step on a CPU take more than twice as long. The variables are the same.

    Reference: Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent
    neural networks", 2016, equation 7.
    """

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(units, **settings)
        self.implementation = 2
        self.dropout_mask_count = None

    def call(
        self, inputs: tf.Tensor, states: list[tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        state, carry = states
        if training and self.recurrent_dropout:
            state *= self.get_recurrent_dropout_mask(state)
        return super().call(inputs, [state, carry], training=training)
