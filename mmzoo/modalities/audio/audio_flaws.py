"""Audio flaws: files that decode, but of which nothing or only a part reaches the model."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import np
from mmzoo.modalities.audio.audio_containers import unread_bytes
from mmzoo.modalities.audio.audio_files import BLOCK, mono, open_part, read_block, split_parts

_FULL_SCALE = 8.0
"""Samples beyond are not those of audio from -1 to 1 that was amplified too much."""
_SILENCE = 1e-4
"""Amplitude at -80 dB, the lowest level of spectrograms by default."""
_CANCELLED = 0.03
"""Amplitude of averaged channels, relative to a single one, at which they cancel each other out."""


def find_audio_flaw(content: bytes) -> str | None:
    """Decodes a whole audio file, and describes why the model would get nothing or a part of it.

    Returns:
        The flaw as the end of a sentence on several files: "are silent"; None for good audio.

    Raises:
        UnreadableError: it is damaged.
    """
    levels = _Levels()
    is_cut = False
    for part, container in split_parts(content):
        with open_part(part, container) as (audio, header):
            for first in range(0, header.samples, BLOCK):
                levels.add(read_block(audio, header, first, BLOCK))
        is_cut = is_cut or unread_bytes(part, container) > 0
    if is_cut:
        return (
            "declare fewer bytes of samples than they have, and the rest is not read: repair "
            "their headers, for example with sox or ffmpeg"
        )
    return levels.flaw()


class _Levels:
    """Lowest and highest samples of audio, of each channel and of their average."""

    def __init__(self) -> None:
        self._channels = self._average = (np.inf, -np.inf)
        self._range = 0.0

    def add(self, values: np.ndarray) -> None:
        """Adds a block: float32 `[samples, channels]`."""
        low, high = values.min(axis=0), values.max(axis=0)
        self._channels = _union(self._channels, low.min(), high.max())
        self._range = max(self._range, float((high - low).max()))
        average = mono(values)
        self._average = _union(self._average, average.min(), average.max())

    def flaw(self) -> str | None:
        peak = max(map(abs, self._channels))
        averaged = self._average[1] - self._average[0]
        if peak > _FULL_SCALE:
            return (
                "have samples far beyond the range from -1 to 1: were integers saved as floats? "
                "Divide by their full scale, such as 32,768"
            )
        if self._range > 2 * _SILENCE and averaged < _CANCELLED * self._range:
            return (
                "have channels that cancel each other out, as one is the other with the opposite "
                "sign: their average is silent"
            )
        if averaged <= 2 * _SILENCE:
            return "are silent" if peak <= _SILENCE else "are constant, which is silence"
        return None


def _union(
    bounds: tuple[float, float], low: np.floating[Any], high: np.floating[Any]
) -> tuple[float, float]:
    return min(bounds[0], float(low)), max(bounds[1], float(high))
