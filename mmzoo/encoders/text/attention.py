"""Recurrent states, weighted by attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.encoders.recurrent import Cell
from mmzoo.encoders.text.recurrent import RecurrentText
from mmzoo.spec import PositiveInt

if TYPE_CHECKING:
    from keras import KerasTensor


class TextAttention(RecurrentText):
    """Recurrent layers, and a weighted average of their states that learns which words matter.

    Reference: Bahdanau et al., "Neural machine translation by jointly learning to align and
    translate", 2015; Yang et al., "Hierarchical attention networks for document classification",
    2016, section 2.2.
    """

    type: Literal["attention"] = "attention"
    units: tuple[PositiveInt, ...] = (64,)
    """Width of each recurrent layer's state, in one direction: one layer per entry."""
    bidirectional: bool = True
    """Whether each layer reads backwards too, with weights of its own, which doubles its width."""
    cell: Cell = "gru"
    """The kind of the recurrent layers."""
    attention_units: PositiveInt = 64
    """Width of the hidden layer that scores each word."""

    @property
    def recurrent_layer(self) -> Cell:
        return self.cell

    def pooled(
        self, states: list[KerasTensor], tokens: KerasTensor, present: KerasTensor
    ) -> KerasTensor:
        from mmzoo.layers.additive_attention import AdditiveAttention

        return AdditiveAttention(self.attention_units, name="attention")(tokens, present)
