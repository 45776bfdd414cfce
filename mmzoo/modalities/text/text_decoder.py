"""Recurrent decoder of texts."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import keras
from mmzoo.spec import PositiveInt, Spec


class TextDecoder(Spec):
    """Recurrent decoder: reads the code at every position and gives the logits of its token.

    It predicts all tokens from the code alone and is not given those before, so that the code has
    to hold the whole text. A padding token ends the text.

    Reference: Srivastava et al., "Unsupervised learning of video representations using LSTMs",
    2015.
    """

    cell: Literal["lstm", "gru"] = "lstm"
    """Kind of the recurrent layer."""
    units: PositiveInt = 128
    """Width of its state."""

    def build(self, code: keras.KerasTensor, length: int, ids: int) -> keras.KerasTensor:
        """The logits, float32 `[batch, length, ids]`, from a code, float `[batch, width]`."""
        x = keras.layers.RepeatVector(length, name="repeat")(code)
        layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[self.cell]
        x = layer(self.units, return_sequences=True, name=self.cell)(x)
        return keras.layers.Dense(ids, dtype="float32", name="output")(x)
