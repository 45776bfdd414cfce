"""Time shift: sounds that begin earlier or later."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


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
