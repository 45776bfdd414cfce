"""A plain recurrent network over words."""

from __future__ import annotations

from typing import Literal

from mmzoo.encoders.recurrent import Cell
from mmzoo.encoders.text.recurrent import PooledRecurrentText


class TextRNN(PooledRecurrentText):
    """Recurrent layers whose state is a tanh of the word and the state before: the simplest memory.

    It forgets within a dozen words; `lstm` and `gru` have gates against that.

    Reference: Elman, "Finding structure in time", 1990.
    """

    type: Literal["rnn"] = "rnn"

    @property
    def recurrent_layer(self) -> Cell:
        return "rnn"
