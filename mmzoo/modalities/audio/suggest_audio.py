"""Suggested audio inputs: sample rate and length that fit a sample of audio files."""

from __future__ import annotations

import math
from collections import Counter

from mmzoo.data.column_types import ColumnProfile
from mmzoo.modalities.audio.audio_files import read_audio_header
from mmzoo.modalities.file_probe import read_file
from mmzoo.modalities.suggestion import Suggestion, read_headers

_SPEECH_RATE = 16_000
_MAX_SECONDS = 10.0
"""The start of a longer recording usually suffices."""


def suggest_audio(column: ColumnProfile) -> Suggestion:
    """An audio input for a column of paths."""
    headers, unreadable = read_headers(
        column.files, lambda path: read_audio_header(read_file(path, "audio"))
    )
    if not headers:
        return Suggestion({}, unreadable=unreadable)
    [(found, _)] = Counter(header.rate for header in headers).most_common(1)
    lengths = sorted(header.samples / header.rate for header in headers)
    percentile = lengths[min(len(lengths) - 1, int(0.95 * len(lengths)))]
    seconds = max(0.2, math.ceil(percentile * 10) / 10)
    return Suggestion(
        {
            "type": "audio",
            "rate": min(found, _SPEECH_RATE),
            "seconds": min(seconds, _MAX_SECONDS),
            "encoder": {"type": "cnn", "dropout": 0.3},
        },
        {
            "rate": f"samples per second; the files have {found:,}",
            "seconds": f"the 95th percentile of the lengths is {percentile:.2g} seconds",
        },
        unreadable,
    )
