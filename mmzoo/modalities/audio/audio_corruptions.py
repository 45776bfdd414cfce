"""Corruptions of audio: white noise."""

from __future__ import annotations

from mmzoo.lazy import tf
from mmzoo.modalities.audio.audio_augmentation import add_noise
from mmzoo.modalities.base_input import Corruption
from mmzoo.randomness import Randomness

_DECIBELS = (30.0, 20.0, 10.0, 0.0, -10.0)


def add_white_noise(waveforms: tf.Tensor, decibels: tf.Tensor, randomness: Randomness) -> tf.Tensor:
    """Adds white noise at a signal-to-noise ratio.

    Args:
        waveforms: float32 `[batch, samples]`; only the batch size may be unknown.
        decibels: signal-to-noise ratio, float32 scalar.
        randomness: random numbers of the examples.

    Returns:
        float32, of the same shape.
    """
    return add_noise(waveforms, tf.cast(decibels, tf.float64), randomness)


CORRUPTIONS = (Corruption("white noise", "dB of signal to noise", _DECIBELS, add_white_noise),)
