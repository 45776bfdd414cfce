"""Recurrent audio encoders over spectrogram frames: RNN, LSTM, GRU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.audio.encoders.audio_encoder import AudioNetwork
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import Cell, concatenate, recurrent_states
from mmzoo.spec import PositiveInt, Problem, Rate


class RecurrentAudio(AudioNetwork):
    """Base class of recurrent audio encoders: layers over the frames, then pooling."""

    units: tuple[PositiveInt, ...] = (64,)
    """Width of each recurrent layer's state, per direction; one layer per entry."""
    bidirectional: bool = True
    """Whether to add a backward half with its own weights to each layer, which doubles the output
    width."""
    dropout: Rate = 0.0
    """Dropout rate of each layer's inputs, with the same mask for all frames."""
    recurrent_dropout: Rate = 0.0
    """Dropout rate of the recurrent state, with the same mask for all frames. On GPUs, any rate
    above 0 disables the much faster cuDNN kernel."""
    pooling: Literal["last", "average", "max"] = "average"
    """How the states of the last layer become a vector: the final state of each direction, or
    average or max pooling over the frames."""
    type: Cell

    def rules(self) -> Iterator[Problem]:
        if not self.units:
            yield Problem(("units",), "expected at least one layer, got an empty list")

    def smallest_spectrogram(self) -> int:
        """1: a single frame or bin is enough."""
        return 1

    def build(self, x: keras.KerasTensor) -> Features:
        states = recurrent_states(
            x,
            None,
            self.type,
            self.units,
            self.bidirectional,
            self.dropout,
            self.recurrent_dropout,
        )
        return Features(vector=self._pool_states(states), tokens=concatenate(states, "tokens"))

    def _pool_states(self, states: list[keras.KerasTensor]) -> keras.KerasTensor:
        match self.pooling:
            case "average":
                return keras.layers.GlobalAveragePooling1D(name="average")(
                    concatenate(states, "both")
                )
            case "max":
                return keras.layers.GlobalMaxPooling1D(name="max")(concatenate(states, "both"))
        others = states[0].shape[1] - 1
        # The final state of the backward direction is that of the first frame.
        crops = {"last": (others, 0), "first": (0, others)}
        ends = [
            keras.layers.Flatten(name=name)(keras.layers.Cropping1D(crop, name=f"{name}_frame")(x))
            for x, (name, crop) in zip(states, crops.items(), strict=False)
        ]
        return concatenate(ends, "ends")


class AudioRNN(RecurrentAudio):
    """Simple recurrent network (Elman RNN) over the frames; it has a short memory.

    Reference: Elman, "Finding structure in time", 1990; Schuster and Paliwal, "Bidirectional
    recurrent neural networks", 1997.
    """

    type: Literal["rnn"] = "rnn"


class AudioLSTM(RecurrentAudio):
    """Long short-term memory (LSTM) over the frames: gates control what the state retains.

    Reference: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Graves et al., "Speech
    recognition with deep recurrent neural networks", 2013.
    """

    type: Literal["lstm"] = "lstm"


class AudioGRU(RecurrentAudio):
    """Gated recurrent units (GRU) over the frames: close to LSTM with a quarter fewer weights.

    Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation", 2014.
    """

    type: Literal["gru"] = "gru"
