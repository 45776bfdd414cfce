"""Long short-term memory over the frames of a spectrogram."""

from __future__ import annotations

from typing import ClassVar, Literal

from mmzoo.encoders.audio.recurrent import RecurrentAudio
from mmzoo.encoders.recurrent import Cell


class AudioLSTM(RecurrentAudio):
    """Long short-term memory over the frames: gates decide what is kept, forgotten and told.

    Reference: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Graves et al., "Speech
    recognition with deep recurrent neural networks", 2013.
    """

    cell: ClassVar[Cell] = "lstm"

    type: Literal["lstm"] = "lstm"
