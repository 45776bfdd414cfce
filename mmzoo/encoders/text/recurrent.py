"""What the recurrent text encoders share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from mmzoo.encoders.features import Features
from mmzoo.encoders.recurrent import Cell, joined, recurrent_states
from mmzoo.encoders.text.base import TextNetwork
from mmzoo.spec import PositiveInt, Problem, Rate

if TYPE_CHECKING:
    from keras import KerasTensor


class RecurrentText(TextNetwork):
    """Recurrent layers over the words, and a vector of what they make of them."""

    units: tuple[PositiveInt, ...] = (128,)
    """Width of each recurrent layer's state, in one direction: one layer per entry."""
    bidirectional: bool = False
    """Whether each layer reads backwards too, with weights of its own, which doubles its width."""
    dropout: Rate = 0.0
    """Share of the entries of each layer's inputs dropped, the same ones at all words of a text."""
    recurrent_dropout: Rate = 0.0
    """Share of the entries of the state that a layer does not see, the same ones at all words of a
    text. On GPUs it keeps the layer from cuDNN, which is much quicker."""

    def rules(self) -> Iterator[Problem]:
        if not self.units:
            yield Problem(("units",), "expected at least one layer, got an empty list")

    @property
    @abstractmethod
    def recurrent_layer(self) -> Cell:
        """The kind of layer."""

    @abstractmethod
    def pooled(
        self, states: list[KerasTensor], tokens: KerasTensor, present: KerasTensor
    ) -> KerasTensor:
        """The vector.

        Args:
            states: the last layer's, read forwards and perhaps backwards; zeros at padding.
            tokens: the same side by side.
            present: bool `[batch, positions]`, false at padding.
        """

    def build(self, ids: KerasTensor, words: int) -> Features:  # type: ignore[override]
        from mmzoo.layers.zeroed_padding import ZeroedPadding

        x, present = self.embedded(ids, words)
        states = recurrent_states(
            x,
            present,
            self.recurrent_layer,
            self.units,
            self.bidirectional,
            self.dropout,
            self.recurrent_dropout,
        )
        states = [
            ZeroedPadding(name=name)(state, present)
            for name, state in zip(("forwards", "backwards"), states, strict=False)
        ]
        tokens = joined(states, "tokens")
        vector = self.pooled(states, tokens, present)
        return Features(vector, tokens, mask=present)


class PooledRecurrentText(RecurrentText):
    """Recurrent layers whose states are pooled without weights."""

    pooling: Literal["last", "average", "max"] = "last"
    """What becomes of the last layer's states: the one at which each direction ends, or each
    entry's average or maximum over the words."""

    def pooled(
        self, states: list[KerasTensor], tokens: KerasTensor, present: KerasTensor
    ) -> KerasTensor:
        from mmzoo.layers.first_word import FirstWord
        from mmzoo.layers.last_word import LastWord
        from mmzoo.layers.masked_average import MaskedAverage
        from mmzoo.layers.masked_max import MaskedMax

        match self.pooling:
            case "average":
                return MaskedAverage(name="average")(tokens, present)
            case "max":
                return MaskedMax(name="max")(tokens, present)
        forwards, *backwards = states
        ends = [LastWord(name="last")(forwards, present)]
        ends += [FirstWord(name="first")(read) for read in backwards]
        return joined(ends, "ends")
