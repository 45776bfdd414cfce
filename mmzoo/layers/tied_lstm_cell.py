"""An LSTM with recurrent dropout, quick on CPUs too."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


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
