"""Long short-term memory over words."""

from __future__ import annotations

from typing import Literal

from mmzoo.encoders.recurrent import Cell
from mmzoo.encoders.text.recurrent import PooledRecurrentText


class TextLSTM(PooledRecurrentText):
    """Recurrent layers with gates on what is written, kept and read: long short-term memory.

    With `dropout: 0.2` and `recurrent_dropout: 0.2` it is the network that tutorials classify
    reviews with.

    Reference: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers et al., "Learning to
    forget: continual prediction with LSTM", 2000; Schuster and Paliwal, "Bidirectional recurrent
    neural networks", 1997; Gal and Ghahramani, "A theoretically grounded application of dropout in
    recurrent neural networks", 2016.
    """

    type: Literal["lstm"] = "lstm"

    @property
    def recurrent_layer(self) -> Cell:
        return "lstm"
