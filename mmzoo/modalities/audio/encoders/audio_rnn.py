"""Recurrent audio encoders over the frames of a spectrogram: RNN, LSTM, GRU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from mmzoo.lazy import keras
from mmzoo.modalities.audio.encoders.audio_encoder import AudioNetwork
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import Cell, joined, recurrent_states
from mmzoo.spec import PositiveInt, Problem, Rate


class RecurrentAudio(AudioNetwork):
    """Recurrent layers over the frames, and a vector of their states."""

    cell: ClassVar[Cell]

    units: tuple[PositiveInt, ...] = (64,)
    """Width of each recurrent layer's state, in one direction: one layer per entry."""
    bidirectional: bool = True
    """Whether each layer reads backwards too, with weights of its own, which doubles its width."""
    dropout: Rate = 0.0
    """Share of the entries of each layer's inputs dropped, the same ones at all frames."""
    recurrent_dropout: Rate = 0.0
    """Share of the entries of the state that a layer does not see, the same ones at all frames. On
    GPUs it keeps the layer from cuDNN, which is much quicker."""
    pooling: Literal["last", "average", "max"] = "average"
    """What becomes of the last layer's states: the one at which each direction ends, or each
    entry's average or maximum over the frames."""

    def rules(self) -> Iterator[Problem]:
        if not self.units:
            yield Problem(("units",), "expected at least one layer, got an empty list")

    def smallest_spectrogram(self) -> int:
        """1: a single frame, or a single bin, is a sequence too."""
        return 1

    def build(self, x: keras.KerasTensor) -> Features:
        states = recurrent_states(
            x,
            None,
            self.cell,
            self.units,
            self.bidirectional,
            self.dropout,
            self.recurrent_dropout,
        )
        return Features(vector=self._pooled(states), tokens=joined(states, "tokens"))

    def _pooled(self, states: list[keras.KerasTensor]) -> keras.KerasTensor:
        match self.pooling:
            case "average":
                return keras.layers.GlobalAveragePooling1D(name="average")(joined(states, "both"))
            case "max":
                return keras.layers.GlobalMaxPooling1D(name="max")(joined(states, "both"))
        others = states[0].shape[1] - 1
        # What reads backwards ends at the first frame.
        crops = {"last": (others, 0), "first": (0, others)}
        ends = [
            keras.layers.Flatten(name=name)(keras.layers.Cropping1D(crop, name=f"{name}_frame")(x))
            for x, (name, crop) in zip(states, crops.items(), strict=False)
        ]
        return joined(ends, "ends")


class AudioRNN(RecurrentAudio):
    """Plain recurrent layers over the frames, which soon forget what came long before.

    Reference: Elman, "Finding structure in time", 1990; Schuster and Paliwal, "Bidirectional
    recurrent neural networks", 1997.
    """

    cell: ClassVar[Cell] = "rnn"

    type: Literal["rnn"] = "rnn"


class AudioLSTM(RecurrentAudio):
    """Long short-term memory over the frames: gates decide what is kept, forgotten and told.

    Reference: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Graves et al., "Speech
    recognition with deep recurrent neural networks", 2013.
    """

    cell: ClassVar[Cell] = "lstm"

    type: Literal["lstm"] = "lstm"


class AudioGRU(RecurrentAudio):
    """Gated recurrent units over the frames: as LSTM with two gates, and a quarter less weights.

    Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation", 2014.
    """

    cell: ClassVar[Cell] = "gru"

    type: Literal["gru"] = "gru"
