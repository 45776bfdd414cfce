"""SpecAugment: bands and stretches of spectrograms hidden in training."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class SpecAugment(keras.layers.Layer):
    """In training, hides random bands of frequencies and stretches of time of each spectrogram.

    Float `[batch, frames, bins]` keeps its shape. What is hidden is 0, which is the mean of what
    has been standardised. Each mask has a width of its own, each as likely from nothing to the
    widest.

    The draws come from a seed among the layer's variables, as those of Keras' dropout do.

    Reference: Park et al., "SpecAugment: a simple data augmentation method for automatic speech
    recognition", 2019; without time warping, which the authors found to add little.

    Args:
        frequency_masks: how many bands.
        frequency_width: of the widest, as a share of all bins, rounded to whole ones.
        time_masks: how many stretches.
        time_width: of the longest, as a share of all frames, rounded to whole ones.
        seed: for the draws; by default, of Keras' global one.
    """

    def __init__(
        self,
        frequency_masks: int = 1,
        frequency_width: float = 0.2,
        time_masks: int = 1,
        time_width: float = 0.2,
        seed: int | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.frequency_masks = frequency_masks
        self.frequency_width = frequency_width
        self.time_masks = time_masks
        self.time_width = time_width
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if not training:
            return inputs
        frames, bins = inputs.shape[1:]
        batch = tf.shape(inputs)[0]
        seen_frames = self._seen(batch, frames, self.time_masks, self.time_width)
        seen_bins = self._seen(batch, bins, self.frequency_masks, self.frequency_width)
        seen = seen_frames[:, :, None] & seen_bins[:, None, :]
        return inputs * tf.cast(seen, inputs.dtype)

    def _seen(self, batch: tf.Tensor, size: int, masks: int, width: float) -> tf.Tensor:
        """Which of the places along one side no mask covers, bool `[batch, size]`."""
        draws = keras.random.uniform((batch, 2, masks), seed=self.seed_generator)
        widths = tf.floor(draws[:, 0] * (round(width * size) + 1.0))
        starts = tf.floor(draws[:, 1] * (size - widths + 1.0))
        places = tf.range(size, dtype=tf.float32)[None, :, None]
        hidden = (places >= starts[:, None]) & (places < (starts + widths)[:, None])
        return ~tf.reduce_any(hidden, axis=-1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        names = ("frequency_masks", "frequency_width", "time_masks", "time_width", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
