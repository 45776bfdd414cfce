"""How sounds get worse: noise."""

from __future__ import annotations

from mmzoo.inputs.degradation import Degradation
from mmzoo.lazy import tf
from mmzoo.modalities.audio.audio_augmentation import noisy
from mmzoo.randomness import Randomness

_DECIBELS = (30.0, 20.0, 10.0, 0.0, -10.0)


def with_noise(waveforms: tf.Tensor, decibels: tf.Tensor, randomness: Randomness) -> tf.Tensor:
    """White noise as loud as a ratio of the sound's power to its own says.

    Args:
        waveforms: float32 `[batch, samples]`, the samples static; so returned.
        decibels: float32 scalar.
        randomness: the examples' stream.
    """
    return noisy(waveforms, tf.cast(decibels, tf.float64), randomness)


DEGRADATIONS = (Degradation("white noise", "dB of signal to noise", _DECIBELS, with_noise),)
