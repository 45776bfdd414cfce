"""Recurrent layers over a sequence, in one direction or both, on top of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.lazy import keras

if TYPE_CHECKING:
    from keras import KerasTensor

Cell = Literal["rnn", "lstm", "gru"]


def recurrent_states(
    x: KerasTensor,
    present: KerasTensor | None,
    cell: Cell,
    units: tuple[int, ...],
    bidirectional: bool,
    dropout: float,
    recurrent_dropout: float,
) -> list[KerasTensor]:
    """The states of the last recurrent layer at every position.

    Padding must be at the end. No layer masks it, which would take time at every position: what
    reads forwards has passed the words before it comes to padding, and what reads backwards gets
    each sequence's own words reversed. States at padding mean nothing.

    Args:
        x: float `[batch, positions, width]`.
        present: bool `[batch, positions]`, false at padding; None where there is no padding.
        cell: the kind of layer.
        units: the width of each layer's state, in one direction.
        bidirectional: whether each layer has a second half that reads backwards.
        dropout: share of the entries of each layer's inputs dropped, the same at all positions.
        recurrent_dropout: share of the entries of the state that a layer does not see, likewise.

    Returns:
        The states read forwards and, if `bidirectional`, those read backwards, each float `[batch,
        positions, units[-1]]` in the order of the sequence.
    """
    from mmzoo.layers.reversed_words import ReversedWords

    states = [x]
    for index, width in enumerate(units, start=1):
        x = joined(states, f"both{index - 1}")
        if dropout:
            x = keras.layers.SpatialDropout1D(dropout, name=f"dropout{index}")(x)
        states = [_layer(cell, width, recurrent_dropout, f"{cell}{index}")(x)]
        if bidirectional:
            backwards = ReversedWords(name=f"reversed{index}")(x, present)
            name = f"{cell}{index}_backwards"
            backwards = _layer(cell, width, recurrent_dropout, name)(backwards)
            states.append(ReversedWords(name=f"restored{index}")(backwards, present))
    return states


def joined(parts: list[KerasTensor], name: str) -> KerasTensor:
    """The tensors side by side, along their last axis."""
    return keras.layers.Concatenate(name=name)(parts) if len(parts) > 1 else parts[0]


def _layer(cell: Cell, units: int, recurrent_dropout: float, name: str) -> keras.Layer:
    if not recurrent_dropout:
        layers = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
        return getattr(keras.layers, layers[cell])(units, return_sequences=True, name=name)
    return keras.layers.RNN(_cell(cell, units, recurrent_dropout), return_sequences=True, name=name)


def _cell(cell: Cell, units: int, recurrent_dropout: float) -> keras.Layer:
    from mmzoo.layers.tied_gru_cell import TiedGRUCell
    from mmzoo.layers.tied_lstm_cell import TiedLSTMCell

    cells = {"rnn": keras.layers.SimpleRNNCell, "lstm": TiedLSTMCell, "gru": TiedGRUCell}
    return cells[cell](units, recurrent_dropout=recurrent_dropout, name="cell")
