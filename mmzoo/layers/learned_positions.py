"""Positions as learned vectors."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class LearnedPositions(keras.layers.Layer):
    """Adds to vectors `[batch, positions, width]` a learned vector for each position.

    Positions beyond the `longest` share the last vector.

    Reference: Gehring et al., "Convolutional sequence to sequence learning", 2017, section 3.1.

    Args:
        longest: how many vectors there are.
    """

    def __init__(self, longest: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.longest = longest

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.vectors = self.add_weight(
            shape=(self.longest, shape[-1]), initializer="uniform", name="vectors"
        )

    def call(self, words: tf.Tensor) -> tf.Tensor:
        positions = tf.minimum(tf.range(tf.shape(words)[1]), self.longest - 1)
        return words + tf.cast(tf.gather(self.vectors, positions), words.dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "longest": self.longest}
