"""Fitting: waveforms of one length made as long as the model takes them."""

from __future__ import annotations

from mmzoo.inputs.audio.files import Keep
from mmzoo.lazy import tf

_LEVELS = 2.0**15
"""Of a 16-bit sample, on either side of zero."""


def fitted(waveforms: tf.Tensor, samples: int, keep: Keep) -> tf.Tensor:
    """Waveforms cut, or padded with silence.

    Args:
        waveforms: Float, or int16 from -32768 to 32767: `[batch, any]`, all but the batch static.
        samples: How long they are to be.
        keep: What is kept of longer ones, and where shorter ones lie.

    Returns:
        Float32 `[batch, samples]`; the very tensor if it is such.
    """
    if waveforms.dtype == tf.int16:
        waveforms = tf.cast(waveforms, tf.float32) / _LEVELS
    waveforms = tf.cast(waveforms, tf.float32)
    missing = samples - waveforms.shape[1]
    before = abs(missing) // 2 if keep == "center" else 0
    if missing < 0:
        return waveforms[:, before : before + samples]
    return tf.pad(waveforms, [[0, 0], [before, missing - before]]) if missing else waveforms
