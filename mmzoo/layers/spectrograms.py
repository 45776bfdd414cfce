"""Audio layers: log-mel spectrogram, MFCC and SpecAugment."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class LogMel(keras.layers.Layer):
    """How loud each band of frequencies is in each frame of a sound, in decibels.

    Waveforms, float `[batch, samples]`, become float `[batch, frames, bins]`, where 0 dB is a sine
    of amplitude 1 whose whole power falls into a band. Frames lie wholly within the sound, one
    every `hop` samples, under a periodic Hann window, filled up with zeros to a power of two. Bands
    are triangles over hertz, equally far apart on the mel scale of HTK, each with a peak of 1.

    Not `keras.layers.MelSpectrogram`: its `top_db` is relative to the loudest example of a batch,
    so that what is predicted of a sound would depend on its neighbours; and in float16 the power of
    a loud sound overflows in it.

    Reference: Davis and Mermelstein, "Comparison of parametric representations for monosyllabic
    word recognition in continuously spoken sentences", 1980; Young et al., "The HTK book", 5.4.

    Args:
        rate: of the sound, in samples a second.
        bins: how many bands.
        window: length of a frame, in samples.
        hop: from one frame to the next, in samples.
        low: where the lowest band begins, in hertz.
        high: where the highest ends.
        floor: the least that is told apart from silence, in decibels.
    """

    def __init__(
        self,
        rate: int,
        bins: int,
        window: int,
        hop: int,
        low: float,
        high: float,
        floor: float = -80.0,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.rate = rate
        self.bins = bins
        self.window = window
        self.hop = hop
        self.low = low
        self.high = high
        self.floor = floor

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        # Of the types that networks have, Fourier transforms know but one.
        spectrum = tf.signal.stft(tf.cast(inputs, tf.float32), self.window, self.hop, self._length)
        power = tf.math.real(spectrum * tf.math.conj(spectrum))
        mel = tf.matmul(power, tf.constant(self._weights()))
        decibels = tf.math.log(tf.maximum(mel, 10.0 ** (self.floor / 10))) * (10 / np.log(10.0))
        return tf.cast(decibels, self.compute_dtype)

    @property
    def _length(self) -> int:
        """Of the Fourier transform."""
        return fourier_length(self.window)

    def _weights(self) -> np.ndarray:
        """What each frequency adds to each band, float32 `[frequencies, bins]`."""
        frequencies = np.arange(self._length // 2 + 1) * (self.rate / self._length)
        edges = mel_edges(self.bins, self.low, self.high)
        rising = (frequencies[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
        triangles = np.maximum(0.0, np.minimum(rising, falling))
        # What Parseval's theorem gives for a sine of amplitude 1: the squares of a Hann window have
        # a sum of 3/8 of its length, and the other half of the power lies at minus the frequency.
        power_of_sine = self._length * (3 / 8 * self.window) / 4
        return (triangles / power_of_sine).astype("float32")

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, samples = shape
        frames = None if samples is None else 1 + (samples - self.window) // self.hop
        return batch, frames, self.bins

    def get_config(self) -> dict[str, Any]:
        names = ("rate", "bins", "window", "hop", "low", "high", "floor")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def fourier_length(window: int) -> int:
    """The power of two that a frame is filled up to."""
    return 1 << (window - 1).bit_length()


def mel_edges(bins: int, low: float, high: float) -> np.ndarray:
    """Where bands begin, peak and end, in hertz: each band takes three of them in a row.

    Returns:
        Float64 `[bins + 2]`, equally far apart in mel: 2595 log10(1 + f / 700).
    """
    lowest, highest = (2595.0 * math.log10(1.0 + hertz / 700.0) for hertz in (low, high))
    mel = np.linspace(lowest, highest, bins + 2)
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


@keras.saving.register_keras_serializable("mmzoo")
class Cepstrum(keras.layers.Layer):
    """The first coefficients of the cosine transform over the bands of a spectrogram.

    Float `[batch, frames, bins]` becomes `[batch, frames, coefficients]`, by the orthonormal
    DCT-II: loudness, tilt and ever finer shape of the spectrum, nearly uncorrelated.

    Reference: Davis and Mermelstein, as of `LogMel`.

    Args:
        coefficients: how many, at most as many as there are bins.
    """

    def __init__(self, coefficients: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.coefficients = coefficients

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        bins = inputs.shape[-1]
        angles = np.pi / bins * np.outer(np.arange(bins) + 0.5, np.arange(self.coefficients))
        cosines = np.cos(angles) * np.sqrt(2.0 / bins)
        cosines[:, 0] /= np.sqrt(2.0)
        return tf.matmul(inputs, tf.constant(cosines, inputs.dtype))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return *shape[:-1], self.coefficients

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "coefficients": self.coefficients}


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
