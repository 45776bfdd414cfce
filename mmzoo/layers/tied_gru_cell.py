"""A GRU with recurrent dropout, quick on CPUs too."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


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
