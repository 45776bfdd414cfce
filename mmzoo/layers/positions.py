"""Position embeddings, learned and sinusoidal."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class LearnedPositions(keras.layers.Layer):
    """Learned position embeddings, added to the input.

    Input and output: float `[batch, positions, width]`. Positions from `longest` on share the last
    embedding.

    Reference: Gehring et al., "Convolutional sequence to sequence learning", 2017, section 3.1.

    Args:
        longest: number of position embeddings.
    """

    def __init__(self, longest: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.longest = longest

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.vectors = self.add_weight(
            shape=(self.longest, shape[-1]), initializer="uniform", name="vectors"
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        positions = tf.minimum(tf.range(tf.shape(x)[1]), self.longest - 1)
        return x + tf.cast(tf.gather(self.vectors, positions), x.dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "longest": self.longest}


_MAX_WAVELENGTH = 10_000.0


@keras.saving.register_keras_serializable("mmzoo")
class SinusoidalPositions(keras.layers.Layer):
    """Sinusoidal position encodings, added to the input.

    Input and output: float `[batch, positions, width]`. The first half of the width has sines and
    the second half cosines, with wavelengths from 2 pi to almost 10,000 * 2 pi positions. The paper
    interleaves sines and cosines, which is equivalent.

    Reference: Vaswani et al., "Attention is all you need", 2017, sections 3.4 and 3.5.

    Args:
        scaled: multiply the input by `sqrt(width)` first, as the paper does. Use it for learned
            embeddings, whose initial values are small.
    """

    def __init__(self, scaled: bool = True, **settings: Any) -> None:
        super().__init__(**settings)
        self.scaled = scaled

    def call(self, x: tf.Tensor) -> tf.Tensor:
        width = x.shape[-1]
        half = (width + 1) // 2
        frequencies = _MAX_WAVELENGTH ** (-tf.range(half, dtype=tf.float32) / half)
        positions = tf.range(tf.shape(x)[1])
        angles = tf.cast(positions, tf.float32)[:, None] * frequencies
        waves = tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)[:, :width]
        if self.scaled:
            x *= tf.cast(width**0.5, x.dtype)
        return x + tf.cast(waves, x.dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scaled": self.scaled}
