"""Decoding: sound files as waveforms, in the midst of a pipeline.

libsndfile and soxr let go of Python's lock while they work, so that the batches that a pipeline
makes at once are decoded at once.
"""

from __future__ import annotations

import os

from mmzoo.inputs.audio.files import Cut, waveform
from mmzoo.inputs.reading import read_file
from mmzoo.lazy import np, tf


def decoded(files: tf.Tensor, cut: Cut) -> tf.Tensor:
    """The waveforms of a batch of files.

    Args:
        files: Strings `[batch, 3]`: paths, seconds and hashes, as `opening` has them. Where there
            is no path, there is silence.
        cut: What to make of each.

    Returns:
        Float32 `[batch, cut.samples]`.
    """

    def waveforms(paths: np.ndarray) -> np.ndarray:

        values = np.zeros((len(paths), cut.samples), np.float32)
        for row, path in enumerate(paths):
            if path:
                values[row] = waveform(read_file(os.fsdecode(path), "sound"), cut)
        return values

    values = tf.numpy_function(waveforms, [files[:, 0]], tf.float32, stateful=False)
    return tf.ensure_shape(values, [None, cut.samples])
