"""A sound to be looked at: its waveform above its spectrogram."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mmzoo.lazy import keras, np, tf

if TYPE_CHECKING:
    from collections.abc import Callable

    from mmzoo.inputs.audio.spectrogram import LogMel

_WIDTH = 180
"""In pixels: as wide as a tile of a report."""
_WAVE, _SPECTROGRAM, _GAP = 56, 120, 4
"""Heights in pixels."""
_INK = (31, 119, 180)


def drawn(waveform: np.ndarray, spectrogram: LogMel, rate: int) -> np.ndarray:
    """A waveform, float32 `[samples]`, and below it its spectrogram, low frequencies at the bottom.

    The waveform is drawn to the scale of its own loudest sample; the darkest colour of the
    spectrogram is its lowest value, the brightest its highest.

    Returns:
        Uint8 `[height, width, 3]`.
    """

    picture = np.full((_WAVE + _GAP + _SPECTROGRAM, _WIDTH, 3), 255, np.uint8)
    picture[:_WAVE][_ink(waveform)] = _INK
    values = _spectrogram_of(spectrogram, rate, len(waveform))(waveform[None])[0].numpy()
    picture[_WAVE + _GAP :] = _coloured(_stretched(values.T[::-1]))
    return picture


@cache
def _spectrogram_of(
    spectrogram: LogMel, rate: int, samples: int
) -> Callable[[np.ndarray], tf.Tensor]:
    """The model's own layers, by themselves."""
    with tf.device("CPU"):
        x = keras.Input((samples,), dtype="float32")
        return keras.Model(x, spectrogram.layers(x, rate))


def _ink(waveform: np.ndarray) -> np.ndarray:
    """Which pixels the waveform covers, bool `[_WAVE, _WIDTH]`: in each column, from its lowest to
    its highest sample."""

    starts = np.arange(_WIDTH) * len(waveform) // _WIDTH
    loudest = max(float(np.abs(waveform).max()), 1e-6)
    middle = (_WAVE - 1) / 2
    top, bottom = (
        np.rint(middle * (1 - one.reduceat(waveform, starts) / loudest))
        for one in (np.maximum, np.minimum)
    )
    rows = np.arange(_WAVE)[:, None]
    return (rows >= top) & (rows <= bottom)


def _stretched(values: np.ndarray) -> np.ndarray:
    """Float `[_SPECTROGRAM, _WIDTH]`: each pixel the value that it lies in."""

    rows = np.arange(_SPECTROGRAM) * values.shape[0] // _SPECTROGRAM
    columns = np.arange(_WIDTH) * values.shape[1] // _WIDTH
    return values[rows][:, columns]


def _coloured(values: np.ndarray) -> np.ndarray:
    import matplotlib

    spread = max(float(np.ptp(values)), 1e-6)
    colours = matplotlib.colormaps["magma"]((values - values.min()) / spread)
    return np.rint(255 * colours[..., :3]).astype(np.uint8)
