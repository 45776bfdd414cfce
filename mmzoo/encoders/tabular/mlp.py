"""Dense layers over numbers and embedded categories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from mmzoo.encoders.activations import Activation
from mmzoo.encoders.features import Features
from mmzoo.encoders.tabular.base import TabularNetwork
from mmzoo.encoders.tabular.layout import Layout
from mmzoo.lazy import keras
from mmzoo.spec import PositiveInt, Problem, Rate

if TYPE_CHECKING:
    from keras import KerasTensor

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

    def build(self, row: KerasTensor, layout: Layout) -> Features:  # type: ignore[override]
        from mmzoo.layers.learned_missing import LearnedMissing
        from mmzoo.layers.row_parts import RowParts

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

    def _vectors(self, categories: KerasTensor, values: Sequence[int]) -> KerasTensor:
        """All categories of a row, side by side: `[batch, width]`."""
        from mmzoo.layers.category_vectors import CategoryVectors
        from mmzoo.layers.one_hot_categories import OneHotCategories

        if self.categories == "one_hot":
            return OneHotCategories(values, name="one_hot")(categories)
        dims = [self.dim or min(_WIDEST_VECTOR, round(1.6 * count**0.56)) for count in values]
        return CategoryVectors(values, dims, name="embedding")(categories)
