"""Audio flaws: files that decode but are silent, constant, or read only in part."""

from __future__ import annotations

from typing import Any

from mmzoo.lazy import np
from mmzoo.modalities.audio.audio_containers import unread_bytes
from mmzoo.modalities.audio.audio_files import (
    BLOCK,
    WaveformFormat,
    kept_samples,
    mono,
    open_part,
    read_audio_header,
    read_block,
    split_parts,
)

_FULL_SCALE = 8.0
"""Samples beyond are not those of audio from -1 to 1 that was amplified too much."""
_SILENCE = 1e-4
"""Amplitude at -80 dB, the lowest level of spectrograms by default."""
_CANCELLED = 0.03
"""Amplitude of averaged channels, relative to a single one, at which they cancel each other out."""


def find_audio_flaw(content: bytes, form: WaveformFormat | None = None) -> str | None:
    """Decodes a whole audio file, and describes why the model would get nothing or a part of it.

    Args:
        content: content of the file.
        form: sample rate and length of the waveform that the model gets; None for the whole file.

    Returns:
        The flaw as the end of a sentence on several files: "are silent"; None for good audio.

    Raises:
        UnreadableError: it is damaged.
    """
    levels, kept = _Levels(), _Levels()
    cut_containers, position = set[str](), 0
    start, end = kept_samples(read_audio_header(content), form) if form else (0, 0)
    for part, container in split_parts(content):
        with open_part(part, container) as (audio, header):
            for first in range(0, header.samples, BLOCK):
                block = read_block(audio, header, first, BLOCK)
                levels.add(block)
                kept.add(block[max(0, start - position) : max(0, end - position)])
                position += len(block)
        if unread_bytes(part, container):
            cut_containers.add(container)
    if "MP3" in cut_containers:
        return (
            "have data that is not MP3 after their audio, which is not read: convert them again, "
            "for example with sox or ffmpeg"
        )
    if cut_containers:
        return (
            "declare fewer bytes of samples than they have, and the rest is not read: repair "
            "their headers, for example with sox or ffmpeg"
        )
    flaw = levels.flaw()
    if flaw is None and form is not None and kept.flaw() is not None:
        where = {"start": "first", "center": "middle"}[form.keep]
        return (
            f"are silent in the {where} {form.samples / form.rate:g} s, the part that is kept: "
            "change `keep`, or raise `seconds`"
        )
    return flaw


class _Levels:
    """Lowest and highest samples of audio, of each channel and of their average."""

    def __init__(self) -> None:
        self._channels = self._average = (np.inf, -np.inf)
        self._range = 0.0

    def add(self, values: np.ndarray) -> None:
        """Adds a block: float32 `[samples, channels]`, possibly without samples."""
        if not len(values):
            return
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
