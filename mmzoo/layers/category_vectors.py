"""Learned vectors of several categories at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class CategoryVectors(keras.layers.Layer):
    """Categories int32 `[batch, columns]` as their vectors side by side, `[batch, sum(dims)]`.

    Reference: Guo and Berkhahn, "Entity embeddings of categorical variables", 2016.

    Args:
        values: of each column, how many values it may have: 0, 1, ...
        dims: of each column, the width of its vectors.
    """

    def __init__(self, values: Sequence[int], dims: Sequence[int], **settings: Any) -> None:
        super().__init__(**settings)
        self.values = tuple(values)
        self.dims = tuple(dims)

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.tables = [
            self.add_weight(shape=sizes, initializer="uniform", name=f"table{column}")
            for column, sizes in enumerate(zip(self.values, self.dims, strict=True), start=1)
        ]

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        vectors = [
            tf.gather(tf.convert_to_tensor(table), inputs[:, column])
            for column, table in enumerate(self.tables)
        ]
        return tf.concat(vectors, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "values": self.values, "dims": self.dims}
