"""Recurrent text encoders: RNN, LSTM, GRU, and LSTM or GRU states pooled by attention."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import Cell, joined, recurrent_states
from mmzoo.modalities.text.encoders.text_encoder import TextNetwork
from mmzoo.spec import PositiveInt, Problem, Rate


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
        self, states: list[keras.KerasTensor], tokens: keras.KerasTensor, present: keras.KerasTensor
    ) -> keras.KerasTensor:
        """The vector.

        Args:
            states: the last layer's, read forwards and perhaps backwards; zeros at padding.
            tokens: the same side by side.
            present: bool `[batch, positions]`, false at padding.
        """

    def build(self, ids: keras.KerasTensor, words: int) -> Features:  # type: ignore[override]
        from mmzoo.layers.sequences import ZeroedPadding

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
        self, states: list[keras.KerasTensor], tokens: keras.KerasTensor, present: keras.KerasTensor
    ) -> keras.KerasTensor:
        from mmzoo.layers.sequences import FirstWord, LastWord, MaskedAverage, MaskedMax

        match self.pooling:
            case "average":
                return MaskedAverage(name="average")(tokens, present)
            case "max":
                return MaskedMax(name="max")(tokens, present)
        forwards, *backwards = states
        ends = [LastWord(name="last")(forwards, present)]
        ends += [FirstWord(name="first")(read) for read in backwards]
        return joined(ends, "ends")


class TextRNN(PooledRecurrentText):
    """Recurrent layers whose state is a tanh of the word and the state before: the simplest memory.

    It forgets within a dozen words; `lstm` and `gru` have gates against that.

    Reference: Elman, "Finding structure in time", 1990.
    """

    type: Literal["rnn"] = "rnn"

    @property
    def recurrent_layer(self) -> Cell:
        return "rnn"


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
        self, states: list[keras.KerasTensor], tokens: keras.KerasTensor, present: keras.KerasTensor
    ) -> keras.KerasTensor:
        from mmzoo.layers.attention_layers import AdditiveAttention

        return AdditiveAttention(self.attention_units, name="attention")(tokens, present)
