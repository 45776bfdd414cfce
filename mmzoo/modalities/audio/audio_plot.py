"""Plots of audio: the waveform above the spectrogram."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mmzoo.lazy import keras, np, tf

if TYPE_CHECKING:
    from collections.abc import Callable

    from mmzoo.modalities.audio.audio_spectrogram import LogMelSpectrogram


_WIDTH = 180
"""Width in pixels of an image tile in reports."""
_WAVE, _SPECTROGRAM, _GAP = 56, 120, 4
"""Heights in pixels."""
_COLOUR = (31, 119, 180)


def plot_audio(waveform: np.ndarray, spectrogram: LogMelSpectrogram, rate: int) -> np.ndarray:
    """Plots a waveform, float32 `[samples]`, above its spectrogram, low frequencies at the bottom.

    The waveform is scaled to its loudest sample, the colours of the spectrogram to its lowest and
    highest value.

    Returns:
        uint8 `[height, width, 3]`.
    """
    image = np.full((_WAVE + _GAP + _SPECTROGRAM, _WIDTH, 3), 255, np.uint8)
    image[:_WAVE][_covered_pixels(waveform)] = _COLOUR
    values = _spectrogram_model(spectrogram, rate, len(waveform))(waveform[None])[0].numpy()
    spread = max(float(np.ptp(values)), 1e-6)
    image[_WAVE + _GAP :] = plot_levels((values - values.min()) / spread)
    return image


def plot_levels(levels: np.ndarray) -> np.ndarray:
    """Plots a spectrogram with levels from 0 to 1, `[frames, bins]`, low frequencies at the bottom.

    Returns:
        uint8 `[height, width, 3]`, in the same colours for the same levels.
    """
    return _apply_colormap(_resize_nearest(np.clip(levels, 0.0, 1.0).T[::-1]))


@cache
def _spectrogram_model(
    spectrogram: LogMelSpectrogram, rate: int, samples: int
) -> Callable[[np.ndarray], tf.Tensor]:
    """The spectrogram layers as a model."""
    with tf.device("CPU"):
        x = keras.Input((samples,), dtype="float32")
        return keras.Model(x, spectrogram.layers(x, rate))


def _covered_pixels(waveform: np.ndarray) -> np.ndarray:
    """Pixels from the lowest to the highest sample of each column: bool `[_WAVE, _WIDTH]`."""
    starts = np.arange(_WIDTH) * len(waveform) // _WIDTH
    loudest = max(float(np.abs(waveform).max()), 1e-6)
    middle = (_WAVE - 1) / 2
    top, bottom = (
        np.rint(middle * (1 - one.reduceat(waveform, starts) / loudest))
        for one in (np.maximum, np.minimum)
    )
    rows = np.arange(_WAVE)[:, None]
    return (rows >= top) & (rows <= bottom)


def _resize_nearest(values: np.ndarray) -> np.ndarray:
    """Nearest-neighbour resizing of a matrix to `[_SPECTROGRAM, _WIDTH]`."""
    rows = np.arange(_SPECTROGRAM) * values.shape[0] // _SPECTROGRAM
    columns = np.arange(_WIDTH) * values.shape[1] // _WIDTH
    return values[rows][:, columns]


def _apply_colormap(values: np.ndarray) -> np.ndarray:
    import matplotlib

    colours = matplotlib.colormaps["magma"](values)
    return np.rint(255 * colours[..., :3]).astype(np.uint8)
