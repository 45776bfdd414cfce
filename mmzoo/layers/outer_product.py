"""The outer product of vectors with a 1 appended."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class OuterProduct(keras.layers.Layer):
    """Every product of one entry of each vector, where a 1 at its end is an entry too.

    Vectors `[batch, width]`, of any widths, become one `[batch, entries]`: `entries` is the product
    of the widths, each plus 1. The last vector's entries follow one another.

    Reference: Zadeh et al., "Tensor fusion network for multimodal sentiment analysis", 2017.
    """

    def call(self, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        product, *others = (tf.pad(x, [[0, 0], [0, 1]], constant_values=1) for x in vectors)
        for vector in others:
            entries = product.shape[1] * vector.shape[1]
            product = tf.reshape(product[:, :, None] * vector[:, None, :], [-1, entries])
        return product

    def compute_output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, int]:
        return shapes[0][0], prod(shape[1] + 1 for shape in shapes)
