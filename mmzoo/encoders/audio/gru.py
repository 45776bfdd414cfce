"""Gated recurrent units over the frames of a spectrogram."""

from __future__ import annotations

from typing import ClassVar, Literal

from mmzoo.encoders.audio.recurrent import RecurrentAudio
from mmzoo.encoders.recurrent import Cell


class AudioGRU(RecurrentAudio):
    """Gated recurrent units over the frames: as LSTM with two gates, and a quarter less weights.

    Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation", 2014.
    """

    cell: ClassVar[Cell] = "gru"

    type: Literal["gru"] = "gru"
