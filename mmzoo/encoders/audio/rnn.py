"""A plain recurrent network over the frames of a spectrogram."""

from __future__ import annotations

from typing import ClassVar, Literal

from mmzoo.encoders.audio.recurrent import RecurrentAudio
from mmzoo.encoders.recurrent import Cell


class AudioRNN(RecurrentAudio):
    """Plain recurrent layers over the frames, which soon forget what came long before.

    Reference: Elman, "Finding structure in time", 1990; Schuster and Paliwal, "Bidirectional
    recurrent neural networks", 1997.
    """

    cell: ClassVar[Cell] = "rnn"

    type: Literal["rnn"] = "rnn"
