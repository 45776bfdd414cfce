"""Noise on pictures and on sounds, some rows at a time so that little memory is needed."""

from __future__ import annotations

from collections.abc import Iterator

from mmzoo.lazy import np

_ROWS = 256
"""How many are made at once; the noise of a row does not depend on it."""
_LOUDEST = 32_767


def noisy_pictures(
    pictures: np.ndarray, deviation: float, random: np.random.RandomState
) -> np.ndarray:
    """Pictures with gaussian noise on each pixel, rounded and cut off at 0 and 255.

    Args:
        pictures: Uint8 `[examples, ...]`.
        deviation: Of the noise, in grey levels.
        random: Where the noise comes from, example by example.

    Returns:
        Uint8 of the same shape; the very array without noise.
    """

    if not deviation:
        return pictures
    noisy = np.empty_like(pictures)
    for rows in _blocks(len(pictures)):
        clean = pictures[rows]
        values = clean + deviation * random.standard_normal(clean.shape)
        noisy[rows] = np.rint(values).clip(0, 255)
    return noisy


def noisy_sounds(
    waveforms: np.ndarray, lengths: np.ndarray, snr: float | None, random: np.random.RandomState
) -> np.ndarray:
    """Sounds with white noise all along, each as loud as 16 bits allow.

    The power of a sound is that of its own samples, so the silence after them does not count; but
    it has the same noise as they, which thus does not tell how long a recording is.

    Args:
        waveforms: Int16 `[examples, samples]`.
        lengths: Of each, how many samples come before its silence, int64 `[examples]`.
        snr: The power of the sound over that of the gaussian noise, in decibels; None for none.
        random: Where the noise comes from, example by example.

    Returns:
        Int16 `[examples, samples]`.
    """

    noisy = np.empty_like(waveforms)
    for rows in _blocks(len(waveforms)):
        values = waveforms[rows].astype(np.float64)
        if snr is not None:
            power = np.square(values).sum(axis=1) / lengths[rows]
            deviation = np.sqrt(power / 10 ** (snr / 10))
            values += deviation[:, None] * random.standard_normal(values.shape)
        loudest = np.abs(values).max(axis=1, keepdims=True)
        noisy[rows] = np.rint(values * (_LOUDEST / np.maximum(loudest, 1.0)))
    return noisy


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(first, first + _ROWS) for first in range(0, rows, _ROWS))
