"""Tabular encoders: normalized numbers and category ids in, features out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Encoder, Features
from mmzoo.spec import PositiveInt, Problem, Rate

MISSING = 0
"""The number of a category that a row lacks."""
UNSEEN = 1
"""The number of all categories that training does not know; those it knows follow."""


@dataclass(frozen=True)
class Layout:
    """What stands where in a row: float32, first the numbers and then the categories."""

    numbers: int
    """How many normalised numbers there are; NaN where one is missing."""
    categories: tuple[int, ...]
    """Of each category, from how many values a row has one, `MISSING` and `UNSEEN` among them."""

    @property
    def width(self) -> int:
        """How many values a row has."""
        return self.numbers + len(self.categories)


class TabularNetwork(Encoder):
    """Rows of normalised numbers and numbered categories in, features out."""

    @abstractmethod
    def build(self, row: keras.KerasTensor, layout: Layout) -> Features:  # type: ignore[override]
        """The network on one input, with weights as Keras draws them.

        Args:
            row: float32 `[batch, layout.width]`.
            layout: What stands where in it.
        """


_WIDEST_VECTOR = 600


class MLP(TabularNetwork):
    """Dense layers over the numbers of a row and vectors of its categories.

    A missing number becomes a learned value of its column. A category's vector is learned, as are
    those of "missing" and "never seen"; its width is by default fastai's rule of thumb, 1.6 times
    the 0.56th power of how many values there are. Without `units` the head reads the numbers and
    vectors themselves: with `categories: one_hot` that is a linear or logistic regression.

    Reference: Guo and Berkhahn, "Entity embeddings of categorical variables", 2016; Howard and
    Gugger, "fastai: a layered API for deep learning", 2020.
    """

    type: Literal["mlp"] = "mlp"
    units: tuple[PositiveInt, ...] = (64, 64)
    """Width of each dense layer; the last is the width of the features."""
    activation: Activation = "relu"
    """The activation of the dense layers."""
    batch_norm: bool = False
    """Whether to normalise each dense layer's outputs over the batch, before the activation."""
    dropout: Rate = 0.0
    """Share of each dense layer's outputs to drop in training."""
    categories: Literal["embedding", "one_hot"] = "embedding"
    """What a category becomes: a learned vector, or zeros with a one in its place."""
    dim: PositiveInt | None = None
    """Width of the learned vectors; by default each category has its own by the rule of thumb."""
    missing_indicator: bool = False
    """Whether the first dense layer is also told which numbers are missing. What it makes of that
    begins at nothing, and stays so for columns that never lack a number in training."""

    def rules(self) -> Iterator[Problem]:
        if self.missing_indicator and not self.units:
            yield Problem(
                ("missing_indicator",), "expected false: without `units` no dense layer is told"
            )
        if self.dim is not None and self.categories == "one_hot":
            yield Problem(
                ("dim",), "expected none: with `one_hot` each value has a place of its own"
            )

    def build(self, row: keras.KerasTensor, layout: Layout) -> Features:  # type: ignore[override]
        from mmzoo.layers.embeddings import RowParts
        from mmzoo.layers.missing_features import LearnedMissing

        layers = keras.layers
        numbers, categories = RowParts(layout.numbers, name="parts")(row)
        parts, missing = [], None
        if layout.numbers:
            filled, missing = LearnedMissing(name="missing")(numbers)
            parts.append(filled)
        if layout.categories:
            parts.append(self._vectors(categories, layout.categories))
        x = layers.Concatenate(name="concat")(parts) if len(parts) > 1 else parts[0]
        for index, units in enumerate(self.units, start=1):
            x = layers.Dense(units, kernel_initializer="he_normal", name=f"dense{index}")(x)
            if index == 1 and self.missing_indicator and missing is not None:
                # From zeros, since nothing is learnt of a column that never lacks a number.
                told = layers.Dense(
                    units, use_bias=False, kernel_initializer="zeros", name="missing_indicator"
                )(missing)
                x = layers.Add(name="add")([x, told])
            if self.batch_norm:
                x = layers.BatchNormalization(name=f"batch_norm{index}")(x)
            x = layers.Activation(self.activation, name=f"{self.activation}{index}")(x)
            if self.dropout:
                x = layers.Dropout(self.dropout, name=f"dropout{index}")(x)
        return Features(x)

    def _vectors(self, categories: keras.KerasTensor, values: Sequence[int]) -> keras.KerasTensor:
        """All categories of a row, side by side: `[batch, width]`."""
        from mmzoo.layers.embeddings import CategoryVectors, OneHotCategories

        if self.categories == "one_hot":
            return OneHotCategories(values, name="one_hot")(categories)
        dims = [self.dim or min(_WIDEST_VECTOR, round(1.6 * count**0.56)) for count in values]
        return CategoryVectors(values, dims, name="embedding")(categories)


TabularEncoder = MLP
