"""Audio augmentations: noise and time shift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Problem, Spec

_LEVELS = 2.0**15
"""Of a 16-bit sample, on either side of zero."""
_DEVIATION = ((256**2 - 1) / 12) ** 0.5
"""Of a random byte."""


class Noise(Spec):
    """Adds white noise, as loud beside each sound as a random signal-to-noise ratio says."""

    type: Literal["noise"] = "noise"
    snr: tuple[float, float] = (5.0, 30.0)
    """The lowest and the highest ratio of the sound's power to the noise's, in decibels. The power
    is that of the whole example, with the silence that it is padded with."""

    def rules(self) -> Iterator[Problem]:
        """The lowest ratio is not above the highest."""
        lowest, highest = self.snr
        if lowest > highest:
            yield Problem(
                ("snr",),
                f"the lowest ratio, {lowest}, is above the highest, {highest}: "
                f"write [{highest}, {lowest}]",
            )

    def apply(self, waveforms: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Noisy sounds: float32 `[batch, samples]`, like the waveforms."""
        # In float64, rounded in the end: the last bit of powers depends on the place in the batch.
        decibels = tf.cast(randomness.uniform(1, *self.snr), tf.float64)
        return noisy(waveforms, decibels, randomness)


def noisy(waveforms: tf.Tensor, decibels: tf.Tensor, randomness: Randomness) -> tf.Tensor:
    """Sounds with white noise.

    Args:
        waveforms: float32 `[batch, samples]`, the samples static; so returned.
        decibels: float64 `[batch, 1]` or scalar: of the sound's power to the noise's.
        randomness: the examples' stream.
    """
    samples = waveforms.shape[1]
    # Summed as integers: a sum of floats has other bits in a batch of another size. Of floats
    # beyond 1, as a share of the loudest: squares of large integers would wrap around.
    peak = tf.maximum(tf.reduce_max(tf.abs(waveforms), axis=1, keepdims=True), 1.0)
    levels = tf.cast(tf.round(waveforms / peak * _LEVELS), tf.int64)
    power = tf.cast(tf.reduce_sum(levels * levels, axis=1, keepdims=True), tf.float64)
    loudness = tf.sqrt(power / samples) / _LEVELS * tf.cast(peak, tf.float64)
    scale = tf.cast(loudness * 10.0 ** (decibels / -20.0) / _DEVIATION, tf.float32)
    # Bytes are as white as normal numbers, for an eighth of the draws.
    noise = tf.cast(randomness.fold("noise").bytes(samples), tf.float32) - 127.5
    return waveforms + noise * scale


class TimeShift(Spec):
    """Moves each sound by a random part of its length; what it leaves behind is silent."""

    type: Literal["time_shift"] = "time_shift"
    share: Fraction = 0.1
    """How far to either side at most, as a share of the length."""

    def apply(self, waveforms: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Shifted sounds: float32 `[batch, samples]`, like the waveforms."""
        samples = waveforms.shape[1]
        later = tf.round(randomness.uniform(1, -1.0, 1.0) * (self.share * samples))
        # A copy of silence on both sides, so that every place to take from is within.
        most = round(self.share * samples)
        padded = tf.pad(waveforms, [[0, 0], [most, most]])
        places = tf.range(samples)[None] + (most - tf.cast(later, tf.int32))
        return tf.gather(padded, places, axis=1, batch_dims=1)


AudioAugmentation = Annotated[Noise | TimeShift, Field(discriminator="type")]


def augment(
    waveforms: tf.Tensor, augmentations: Sequence[Noise | TimeShift], randomness: Randomness
) -> tf.Tensor:
    """The sounds after all augmentations, in that order.

    Args:
        waveforms: float32 `[batch, samples]`, the samples static; so returned.
        augmentations: What to do.
        randomness: The examples' stream; each augmentation has its own stream of it by its place.
    """
    for place, one in enumerate(augmentations):
        waveforms = one.apply(waveforms, randomness.fold(place))
    return waveforms
