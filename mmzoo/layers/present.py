"""Which positions of a text have a word."""

from __future__ import annotations

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class Present(keras.layers.Layer):
    """Ids `[batch, positions]` as bool of that shape: true where there is a word, not padding (0).

    It goes to every layer that looks at more than one position, in plain sight: Keras' own masks
    travel unseen, and get lost in layers that know nothing of them.
    """

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        return tf.not_equal(ids, 0)
