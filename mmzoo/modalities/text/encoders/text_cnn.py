"""Convolutional text encoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.modalities.encoder_blocks import dense_layers
from mmzoo.modalities.text.encoders.text_encoder import TextNetwork
from mmzoo.spec import PositiveInt, Problem, Rate


class TextCNN(TextNetwork):
    """Parallel convolutions of several widths over the words, with max pooling over the text.

    A filter of width 3 detects one kind of three-word phrase anywhere in the text.

    Reference: Kim, "Convolutional neural networks for sentence classification", 2014.
    """

    type: Literal["cnn"] = "cnn"
    kernel_sizes: tuple[PositiveInt, ...] = (3, 4, 5)
    """Width of each convolution, in words."""
    filters: PositiveInt = 100
    """Number of filters of each convolution."""
    activation: Activation = "relu"
    """Activation of convolutions and dense layers."""
    spatial_dropout: Rate = 0.0
    """Dropout rate of the embeddings, with the same mask for all words of a text."""
    units: tuple[PositiveInt, ...] = ()
    """Width of each dense layer after the pooling."""
    dropout: Rate = 0.5
    """Dropout rate of the pooled features and of each dense layer's output."""

    def rules(self) -> Iterator[Problem]:
        if not self.kernel_sizes:
            yield Problem(("kernel_sizes",), "expected at least one width, got an empty list")
        elif len(set(self.kernel_sizes)) < len(self.kernel_sizes):
            yield Problem(
                ("kernel_sizes",),
                "expected different widths; for more filters of one width, raise `filters`",
            )

    def build(self, ids: keras.KerasTensor, words: int) -> Features:  # type: ignore[override]

        x, present = self.embed(ids, words)
        if self.spatial_dropout:
            x = keras.layers.SpatialDropout1D(self.spatial_dropout, name="spatial_dropout")(x)
        maps = [
            keras.layers.Conv1D(
                self.filters, size, padding="same", activation=self.activation, name=f"conv{size}"
            )(x)
            for size in self.kernel_sizes
        ]
        x = keras.layers.Concatenate(name="maps")(maps) if len(maps) > 1 else maps[0]
        tokens = layers.ZeroPaddedSteps(name="tokens")(x, present)
        x = layers.MaskedMax(name="max")(x, present)
        if self.dropout:
            x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        x = dense_layers(x, self.units, self.activation, self.dropout)
        return Features(vector=x, tokens=tokens, mask=present)
