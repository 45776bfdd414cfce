"""Gated recurrent units over words."""

from __future__ import annotations

from typing import Literal

from mmzoo.encoders.recurrent import Cell
from mmzoo.encoders.text.recurrent import PooledRecurrentText


class TextGRU(PooledRecurrentText):
    """Recurrent layers with two gates: nearly as good as `lstm`, with a quarter fewer weights.

    Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation", 2014; Gal and Ghahramani, "A theoretically grounded
    application of dropout in recurrent neural networks", 2016.
    """

    type: Literal["gru"] = "gru"

    @property
    def recurrent_layer(self) -> Cell:
        return "gru"
