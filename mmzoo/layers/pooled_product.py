"""A product of vectors, summed group by group."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class PooledProduct(keras.layers.Layer):
    """Vectors, each `[batch, width * size]`, multiplied entry by entry; every `size` in a row
    summed: `[batch, width]`.

    Reference: Yu et al., "Multi-modal factorized bilinear pooling with co-attention learning for
    visual question answering", 2017.

    Args:
        size: how many entries are summed.
    """

    def __init__(self, size: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.size = size

    def call(self, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        product = reduce(tf.multiply, vectors)
        groups = [-1, product.shape[-1] // self.size, self.size]
        return tf.reduce_sum(tf.reshape(product, groups), axis=2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}
