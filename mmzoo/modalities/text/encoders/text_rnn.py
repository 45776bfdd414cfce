"""Recurrent text encoders: RNN, LSTM, GRU, and recurrent layers with attention pooling."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Literal

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import Cell, concatenate, recurrent_states
from mmzoo.modalities.text.encoders.text_encoder import TextNetwork
from mmzoo.spec import PositiveInt, Problem, Rate


class RecurrentText(TextNetwork):
    """Base class of recurrent text encoders."""

    units: tuple[PositiveInt, ...] = (128,)
    """Width of each recurrent layer's state, per direction; one layer per entry."""
    bidirectional: bool = False
    """Whether to add a backward half with its own weights to each layer, which doubles the output
    width."""
    dropout: Rate = 0.0
    """Dropout rate of each layer's inputs, with the same mask for all words of a text."""
    recurrent_dropout: Rate = 0.0
    """Dropout rate of the recurrent state, with the same mask for all words of a text. On GPUs, any
    rate above 0 disables the much faster cuDNN kernel."""

    def rules(self) -> Iterator[Problem]:
        if not self.units:
            yield Problem(("units",), "expected at least one layer, got an empty list")

    @property
    @abstractmethod
    def recurrent_layer(self) -> Cell:
        """Kind of the recurrent layers."""

    @abstractmethod
    def pool_states(
        self, states: list[keras.KerasTensor], tokens: keras.KerasTensor, present: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Feature vector of the states, `[batch, width]`.

        Args:
            states: forward and, if bidirectional, backward states of the last layer, zero at
                padding.
            tokens: the same states, concatenated.
            present: bool `[batch, positions]`, false at padding.
        """

    def build(self, ids: keras.KerasTensor, words: int) -> Features:  # type: ignore[override]
        x, present = self.embed(ids, words)
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
            layers.ZeroPaddedSteps(name=name)(state, present)
            for name, state in zip(("forwards", "backwards"), states, strict=False)
        ]
        tokens = concatenate(states, "tokens")
        vector = self.pool_states(states, tokens, present)
        return Features(vector, tokens, mask=present)


class PooledRecurrentText(RecurrentText):
    """Base class of recurrent text encoders with parameter-free pooling."""

    pooling: Literal["last", "average", "max"] = "last"
    """How the states of the last layer become a vector: the final state of each direction, or
    average or max pooling over the words."""
    type: Cell

    @property
    def recurrent_layer(self) -> Cell:
        return self.type

    def pool_states(
        self, states: list[keras.KerasTensor], tokens: keras.KerasTensor, present: keras.KerasTensor
    ) -> keras.KerasTensor:
        match self.pooling:
            case "average":
                return layers.MaskedAverage(name="average")(tokens, present)
            case "max":
                return layers.MaskedMax(name="max")(tokens, present)
        forwards, *backwards = states
        ends = [layers.LastToken(name="last")(forwards, present)]
        ends += [layers.FirstToken(name="first")(states) for states in backwards]
        return concatenate(ends, "ends")


class TextRNN(PooledRecurrentText):
    """Simple recurrent network (Elman RNN) over the words.

    It forgets within about a dozen words; the gates of `lstm` and `gru` prevent that.

    Reference: Elman, "Finding structure in time", 1990.
    """

    type: Literal["rnn"] = "rnn"


class TextLSTM(PooledRecurrentText):
    """Long short-term memory (LSTM) over the words: gates control what the state retains.

    With `dropout: 0.2` and `recurrent_dropout: 0.2`, this is the network of many tutorials on
    classifying reviews.

    Reference: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers et al., "Learning to
    forget: continual prediction with LSTM", 2000; Schuster and Paliwal, "Bidirectional recurrent
    neural networks", 1997; Gal and Ghahramani, "A theoretically grounded application of dropout in
    recurrent neural networks", 2016.
    """

    type: Literal["lstm"] = "lstm"


class TextGRU(PooledRecurrentText):
    """Gated recurrent units (GRU) over the words: close to LSTM with a quarter fewer weights.

    Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation", 2014; Gal and Ghahramani, "A theoretically grounded
    application of dropout in recurrent neural networks", 2016.
    """

    type: Literal["gru"] = "gru"


class TextAttention(RecurrentText):
    """Recurrent layers with attention pooling: a learned weighted average of the states.

    Reference: Bahdanau et al., "Neural machine translation by jointly learning to align and
    translate", 2015; Yang et al., "Hierarchical attention networks for document classification",
    2016, section 2.2.
    """

    type: Literal["attention"] = "attention"
    units: tuple[PositiveInt, ...] = (64,)
    """Width of each recurrent layer's state, per direction; one layer per entry."""
    bidirectional: bool = True
    """Whether to add a backward half with its own weights to each layer, which doubles the output
    width."""
    cell: Cell = "gru"
    """Kind of the recurrent layers."""
    attention_units: PositiveInt = 64
    """Width of the hidden layer that scores the words."""

    @property
    def recurrent_layer(self) -> Cell:
        return self.cell

    def pool_states(
        self, states: list[keras.KerasTensor], tokens: keras.KerasTensor, present: keras.KerasTensor
    ) -> keras.KerasTensor:
        return layers.AdditiveAttention(self.attention_units, name="attention")(tokens, present)
