"""Vectors as one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class Stacked(keras.layers.Layer):
    """Vectors, each `[batch, width]`, as one tensor.

    Args:
        axis: which axis numbers them: 1 for `[batch, vectors, width]`, 2 for `[batch, width,
            vectors]`.
    """

    def __init__(self, axis: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.axis = axis

    def call(self, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        return tf.stack(vectors, axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
