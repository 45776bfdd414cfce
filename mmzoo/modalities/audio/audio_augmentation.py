"""Audio augmentations: noise and time shift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Problem, Spec

_INT16_SCALE = 2.0**15
"""Quantization levels of a 16-bit sample on either side of zero."""
_BYTE_STD = ((256**2 - 1) / 12) ** 0.5
"""Standard deviation of a uniform random byte."""


class Noise(Spec):
    """White noise at a random signal-to-noise ratio (SNR)."""

    type: Literal["noise"] = "noise"
    snr: tuple[float, float] = (5.0, 30.0)
    """Lowest and highest signal-to-noise ratio, in decibels. The signal power is that of the whole
    example, including silence added as padding."""

    def rules(self) -> Iterator[Problem]:
        """Checks that the lowest ratio is not above the highest."""
        lowest, highest = self.snr
        if lowest > highest:
            yield Problem(
                ("snr",),
                f"the lowest ratio, {lowest}, is above the highest, {highest}: "
                f"write [{highest}, {lowest}]",
            )

    def apply(self, waveforms: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Waveforms with noise: float32 `[batch, samples]`, like the input."""
        # In float64: the last bit of a float32 power depends on the position in the batch.
        decibels = tf.cast(randomness.uniform(1, *self.snr), tf.float64)
        return add_noise(waveforms, decibels, randomness)


def add_noise(waveforms: tf.Tensor, decibels: tf.Tensor, randomness: Randomness) -> tf.Tensor:
    """Waveforms with white noise added.

    Args:
        waveforms: float32 `[batch, samples]`, with a static number of samples.
        decibels: signal-to-noise ratio, float64 `[batch, 1]` or scalar.
        randomness: random stream of the examples.

    Returns:
        Float32 `[batch, samples]`.
    """
    samples = waveforms.shape[1]
    # An integer sum is bit-identical for every batch size; a float sum is not. Samples beyond 1
    # are divided by the peak first, as squares of large integers would overflow.
    peak = tf.maximum(tf.reduce_max(tf.abs(waveforms), axis=1, keepdims=True), 1.0)
    levels = tf.cast(tf.round(waveforms / peak * _INT16_SCALE), tf.int64)
    power = tf.cast(tf.reduce_sum(levels * levels, axis=1, keepdims=True), tf.float64)
    loudness = tf.sqrt(power / samples) / _INT16_SCALE * tf.cast(peak, tf.float64)
    scale = tf.cast(loudness * 10.0 ** (decibels / -20.0) / _BYTE_STD, tf.float32)
    # Random bytes are as white as normal numbers and need an eighth of the draws.
    noise = tf.cast(randomness.fold("noise").bytes(samples), tf.float32) - 127.5
    return waveforms + noise * scale


class TimeShift(Spec):
    """Random shift in time; the gap is filled with silence."""

    type: Literal["time_shift"] = "time_shift"
    share: Fraction = 0.1
    """Maximum shift in either direction, as a fraction of the length."""

    def apply(self, waveforms: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Shifted waveforms: float32 `[batch, samples]`, like the input."""
        samples = waveforms.shape[1]
        shift = tf.round(randomness.uniform(1, -1.0, 1.0) * (self.share * samples))
        # Silence on both sides, so that all indices are valid.
        max_shift = round(self.share * samples)
        padded = tf.pad(waveforms, [[0, 0], [max_shift, max_shift]])
        indices = tf.range(samples)[None] + (max_shift - tf.cast(shift, tf.int32))
        return tf.gather(padded, indices, axis=1, batch_dims=1)


AudioAugmentation = Annotated[Noise | TimeShift, Field(discriminator="type")]


def augment(
    waveforms: tf.Tensor, augmentations: Sequence[Noise | TimeShift], randomness: Randomness
) -> tf.Tensor:
    """Applies augmentations to waveforms, one after the other.

    Args:
        waveforms: float32 `[batch, samples]`, with a static number of samples.
        augmentations: augmentations in the order of application.
        randomness: random stream of the examples. Each augmentation has its own substream, by its
            index.

    Returns:
        Float32 `[batch, samples]`.
    """
    for index, augmentation in enumerate(augmentations):
        waveforms = augmentation.apply(waveforms, randomness.fold(index))
    return waveforms
