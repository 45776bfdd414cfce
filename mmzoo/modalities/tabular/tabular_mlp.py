"""Tabular encoders: normalized numbers and category ids in, features out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Encoder, Features
from mmzoo.modalities.run_encoder import RunEncoder
from mmzoo.spec import PositiveInt, Problem, Rate

MISSING = 0
"""Id of a missing category."""
UNSEEN = 1
"""Id of all categories that do not occur in the training data; ids of known categories follow."""


@dataclass(frozen=True)
class Layout:
    """Column layout of a row: float32, numbers first, then category ids."""

    numbers: int
    """Number of numeric columns; they are normalized, and NaN where missing."""
    categories: tuple[int, ...]
    """Number of ids of each categorical column, including `MISSING` and `UNSEEN`."""

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.numbers + len(self.categories)


class TabularNetwork(Encoder):
    """Base class of tabular encoders: normalized numbers and category ids in, features out."""

    @abstractmethod
    def build(self, row: keras.KerasTensor, layout: Layout) -> Features:  # type: ignore[override]
        """Builds the network on one input, with random initial weights.

        Args:
            row: float32 `[batch, layout.width]`.
            layout: column layout of `row`.
        """


_MAX_EMBEDDING_DIM = 600


class MLP(TabularNetwork):
    """Multilayer perceptron on numbers and category embeddings.

    A missing number is replaced by a learned value of its column. Missing and unseen categories
    have embeddings of their own. The default embedding width is fastai's rule of thumb, `1.6 *
    values ** 0.56`. Without `units`, the numbers and embeddings are the features: with `categories:
    one_hot`, that is linear or logistic regression.

    Reference: Guo and Berkhahn, "Entity embeddings of categorical variables", 2016; Howard and
    Gugger, "fastai: a layered API for deep learning", 2020.
    """

    type: Literal["mlp"] = "mlp"
    units: tuple[PositiveInt, ...] = (64, 64)
    """Width of each dense layer; the last is the width of the features."""
    activation: Activation = "relu"
    """Activation of the dense layers."""
    batch_norm: bool = False
    """Whether to add batch normalization between each dense layer and its activation."""
    dropout: Rate = 0.0
    """Dropout rate of each dense layer's output."""
    categories: Literal["embedding", "one_hot"] = "embedding"
    """Encoding of categories: learned embeddings or one-hot vectors."""
    dim: PositiveInt | None = None
    """Width of the embeddings; by default, each column's own, by the rule of thumb."""
    missing_indicator: bool = False
    """Whether to feed indicators of missing numbers to the first dense layer as well. Their weights
    start at 0 and stay there for columns without missing values in the training data."""

    def rules(self) -> Iterator[Problem]:
        if self.missing_indicator and not self.units:
            yield Problem(
                ("missing_indicator",),
                "expected false: without `units` there is no dense layer to use it",
            )
        if self.dim is not None and self.categories == "one_hot":
            yield Problem(("dim",), "expected no value: `one_hot` vectors have a fixed width")

    def build(self, row: keras.KerasTensor, layout: Layout) -> Features:  # type: ignore[override]
        numbers, categories = layers.SplitColumns(layout.numbers, name="parts")(row)
        parts, missing = [], None
        if layout.numbers:
            filled, missing = layers.LearnedImputation(name="missing")(numbers)
            parts.append(filled)
        if layout.categories:
            parts.append(self._encode_categories(categories, layout.categories))
        x = keras.layers.Concatenate(name="concat")(parts) if len(parts) > 1 else parts[0]
        for index, units in enumerate(self.units, start=1):
            x = keras.layers.Dense(units, kernel_initializer="he_normal", name=f"dense{index}")(x)
            if index == 1 and self.missing_indicator and missing is not None:
                # Zeros, because columns without missing values never train these weights.
                indicator = keras.layers.Dense(
                    units, use_bias=False, kernel_initializer="zeros", name="missing_indicator"
                )(missing)
                x = keras.layers.Add(name="add")([x, indicator])
            if self.batch_norm:
                x = keras.layers.BatchNormalization(name=f"batch_norm{index}")(x)
            x = keras.layers.Activation(self.activation, name=f"{self.activation}{index}")(x)
            if self.dropout:
                x = keras.layers.Dropout(self.dropout, name=f"dropout{index}")(x)
        return Features(x)

    def _encode_categories(
        self, categories: keras.KerasTensor, values: Sequence[int]
    ) -> keras.KerasTensor:
        """Encoded categories of all columns, concatenated: `[batch, width]`."""

        if self.categories == "one_hot":
            return layers.OneHotCategories(values, name="one_hot")(categories)
        dims = [self.dim or min(_MAX_EMBEDDING_DIM, round(1.6 * count**0.56)) for count in values]
        return layers.CategoryEmbedding(values, dims, name="embedding")(categories)


TabularEncoder = Annotated[MLP | RunEncoder[MLP], Field(discriminator="type")]
