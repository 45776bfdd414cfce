"""Audio layers: log-mel spectrogram, MFCC and SpecAugment."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class LogMel(keras.layers.Layer):
    """Log-mel spectrogram of waveforms, in decibels.

    Input: float `[batch, samples]`. Output: float `[batch, frames, bins]`. 0 dB is a sine wave of
    amplitude 1 whose power falls into one band. Frames lie fully within the waveform (no padding at
    the ends). They are weighted by a periodic Hann window and zero-padded to a power of two. The
    filters are triangular in hertz, equally spaced on the HTK mel scale, with a peak of 1.

    `keras.layers.MelSpectrogram` is not used for two reasons. Its `top_db` is relative to the
    loudest example of the batch, so a prediction would depend on the other examples. In float16,
    the power of loud audio overflows.

    References: Davis and Mermelstein, "Comparison of parametric representations for monosyllabic
    word recognition in continuously spoken sentences", 1980; Young et al., "The HTK book", section
    5.4.

    Args:
        rate: sampling rate, in Hz.
        bins: number of mel bands.
        window: frame length, in samples.
        hop: step between frames, in samples.
        low: lower edge of the lowest band, in Hz.
        high: upper edge of the highest band, in Hz.
        floor: smallest output value, in decibels. Lower values are raised to it.

    Example:

    ```python
    layer = LogMel(rate=16_000, bins=64, window=400, hop=160, low=50.0, high=8_000.0)
    layer(tf.zeros((2, 16_000))).shape  # (2, 98, 64)
    ```
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
        # TensorFlow has no half-precision Fourier transform.
        spectrum = tf.signal.stft(
            tf.cast(inputs, tf.float32), self.window, self.hop, self._fft_length
        )
        power = tf.math.real(spectrum * tf.math.conj(spectrum))
        mel = tf.matmul(power, tf.constant(self._mel_weights()))
        decibels = tf.math.log(tf.maximum(mel, 10.0 ** (self.floor / 10))) * (10 / np.log(10.0))
        return tf.cast(decibels, self.compute_dtype)

    @property
    def _fft_length(self) -> int:
        """Length of the Fourier transform, in samples."""
        return fft_length(self.window)

    def _mel_weights(self) -> np.ndarray:
        """Mel filter bank, float32 `[frequencies, bins]`."""
        frequencies = np.arange(self._fft_length // 2 + 1) * (self.rate / self._fft_length)
        edges = mel_band_edges(self.bins, self.low, self.high)
        rising = (frequencies[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
        triangles = np.maximum(0.0, np.minimum(rising, falling))
        # Power of a sine of amplitude 1, by Parseval's theorem: the squares of a Hann window sum to
        # 3/8 of its length, and half of the power lies at the negative frequency.
        power_of_sine = self._fft_length * (3 / 8 * self.window) / 4
        return (triangles / power_of_sine).astype("float32")

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, samples = shape
        frames = None if samples is None else 1 + (samples - self.window) // self.hop
        return batch, frames, self.bins

    def get_config(self) -> dict[str, Any]:
        names = ("rate", "bins", "window", "hop", "low", "high", "floor")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def fft_length(window: int) -> int:
    """Length of the Fourier transform for a window: the next power of two."""
    return 1 << (window - 1).bit_length()


def mel_band_edges(bins: int, low: float, high: float) -> np.ndarray:
    """Edges of triangular mel bands, in Hz.

    Band `i` starts at `edges[i]`, peaks at `edges[i + 1]` and ends at `edges[i + 2]`.

    Returns:
        Float64 `[bins + 2]`, equally spaced in mel: `2595 * log10(1 + f / 700)`.
    """
    lowest, highest = (2595.0 * math.log10(1.0 + hertz / 700.0) for hertz in (low, high))
    mel = np.linspace(lowest, highest, bins + 2)
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


@keras.saving.register_keras_serializable("mmzoo")
class MFCC(keras.layers.Layer):
    """Mel-frequency cepstral coefficients of a log-mel spectrogram.

    The first `coefficients` of the orthonormal DCT-II over the mel bands. They describe loudness,
    spectral tilt and increasingly fine spectral shape, and are nearly uncorrelated. Input: float
    `[batch, frames, bins]`. Output: float `[batch, frames, coefficients]`.

    Reference: Davis and Mermelstein, "Comparison of parametric representations for monosyllabic
    word recognition in continuously spoken sentences", 1980.

    Args:
        coefficients: number of coefficients, at most the number of bins.
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
    """SpecAugment: random frequency and time masks on spectrograms, in training only.

    Input and output: float `[batch, frames, bins]`. Masked values become 0, the mean of a
    standardized spectrogram. The width of each mask is uniform between 0 and the maximum. Like
    dropout, the layer has a seed generator among its variables.

    Reference: Park et al., "SpecAugment: a simple data augmentation method for automatic speech
    recognition", 2019. Time warping is left out: the authors found that it adds little.

    Args:
        frequency_masks: number of frequency masks.
        frequency_width: maximum width of a frequency mask, as a fraction of the bins.
        time_masks: number of time masks.
        time_width: maximum width of a time mask, as a fraction of the frames.
        seed: random seed; by default, drawn from Keras' global seed.
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
        unmasked_frames = self._unmasked(batch, frames, self.time_masks, self.time_width)
        unmasked_bins = self._unmasked(batch, bins, self.frequency_masks, self.frequency_width)
        unmasked = unmasked_frames[:, :, None] & unmasked_bins[:, None, :]
        return inputs * tf.cast(unmasked, inputs.dtype)

    def _unmasked(self, batch: tf.Tensor, size: int, masks: int, width: float) -> tf.Tensor:
        """Positions along one axis that no mask covers, bool `[batch, size]`."""
        draws = keras.random.uniform((batch, 2, masks), seed=self.seed_generator)
        widths = tf.floor(draws[:, 0] * (round(width * size) + 1.0))
        starts = tf.floor(draws[:, 1] * (size - widths + 1.0))
        positions = tf.range(size, dtype=tf.float32)[None, :, None]
        masked = (positions >= starts[:, None]) & (positions < (starts + widths)[:, None])
        return ~tf.reduce_any(masked, axis=-1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        names = ("frequency_masks", "frequency_width", "time_masks", "time_width", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
