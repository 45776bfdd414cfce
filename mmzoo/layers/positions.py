"""Position embeddings, learned and sinusoidal."""

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


_LONGEST_WAVE = 10_000.0


@keras.saving.register_keras_serializable("mmzoo")
class SinusoidalPositions(keras.layers.Layer):
    """Adds to vectors `[batch, positions, width]` a vector of waves for each position.

    The first half of the width has sines, the second cosines, of wavelengths from 2 pi to nearly
    10,000 * 2 pi positions; the paper's alternate, which is the same network. The vectors
    themselves are multiplied by the root of their width first, as there.

    Reference: Vaswani et al., "Attention is all you need", 2017, sections 3.4 and 3.5.

    Args:
        scaled: whether the vectors are multiplied, as learned ones that begin small should be.
    """

    def __init__(self, scaled: bool = True, **settings: Any) -> None:
        super().__init__(**settings)
        self.scaled = scaled

    def call(self, words: tf.Tensor) -> tf.Tensor:
        width = words.shape[-1]
        half = (width + 1) // 2
        frequencies = _LONGEST_WAVE ** (-tf.range(half, dtype=tf.float32) / half)
        positions = tf.range(tf.shape(words)[1])
        angles = tf.cast(positions, tf.float32)[:, None] * frequencies
        waves = tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)[:, :width]
        if self.scaled:
            words *= tf.cast(width**0.5, words.dtype)
        return words + tf.cast(waves, words.dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scaled": self.scaled}
