"""Several categories at once as zeros with a one for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class OneHotCategories(keras.layers.Layer):
    """Categories int32 `[batch, columns]` as zeros and, for each column, a one in its place.

    Gives `[batch, sum(values)]`.

    Args:
        values: of each column, how many values it may have: 0, 1, ...
    """

    def __init__(self, values: Sequence[int], **settings: Any) -> None:
        super().__init__(**settings)
        self.values = tuple(values)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        places = [
            tf.one_hot(inputs[:, column], count, dtype=self.compute_dtype)
            for column, count in enumerate(self.values)
        ]
        return tf.concat(places, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "values": self.values}
