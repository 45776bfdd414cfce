"""The numbers and the categories of a table's rows, each by themselves."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class RowParts(keras.layers.Layer):
    """Rows float32 `[batch, columns]` as numbers float32 and categories int32, `[batch, ...]` each.

    Args:
        numbers: how many of the columns are numbers; those stand first.
    """

    def __init__(self, numbers: int, **settings: Any) -> None:
        # In a half-precision policy Keras would round categories above 2,048.
        super().__init__(autocast=False, **settings)
        self.numbers = numbers

    def call(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return inputs[:, : self.numbers], tf.cast(inputs[:, self.numbers :], tf.int32)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "numbers": self.numbers}
