"""An average of vectors with learned weights."""

from __future__ import annotations

from collections.abc import Sequence

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class LearnedAverage(keras.layers.Layer):
    """Vectors, each `[batch, width]`, as their average, weighted by the softmax of learned scores.

    The scores begin at 0, so the weights begin equal. They are of float32 in mixed precision too.

    Reference: Peters et al., "Deep contextualized word representations", 2018, equation 1.
    """

    def build(self, shapes: Sequence[tuple[int | None, ...]]) -> None:
        self.scores = self.add_weight(
            shape=(len(shapes),), initializer="zeros", autocast=False, name="scores"
        )

    def weights_of_inputs(self) -> tf.Tensor:
        """The weight of each vector, float32 `[vectors]`, in the order of `call`; they sum to 1."""
        return tf.nn.softmax(tf.convert_to_tensor(self.scores))

    def call(self, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        weights = tf.cast(self.weights_of_inputs(), vectors[0].dtype)
        return tf.tensordot(tf.stack(vectors, axis=-1), weights, axes=1)
