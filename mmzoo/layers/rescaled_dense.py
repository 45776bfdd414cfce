"""A dense layer that answers in the units of its labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


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
