"""Tabular: columns of numbers, categories and dates as one input of the model."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Le

from mmzoo.errors import ConfigError
from mmzoo.inputs.base import BaseInput, Files
from mmzoo.inputs.degradation import Degradation
from mmzoo.inputs.opened import Opened, Unopened
from mmzoo.inputs.tabular.categories import Categories
from mmzoo.inputs.tabular.category_dropout import hide_categories
from mmzoo.inputs.tabular.cells import Kind
from mmzoo.inputs.tabular.degradations import degradations_of, has_any_cell
from mmzoo.inputs.tabular.fitting import fit_column, fitted_kind
from mmzoo.inputs.tabular.made_up import made_up
from mmzoo.inputs.tabular.numbers import Normalize
from mmzoo.inputs.tabular.opening import opened_table
from mmzoo.inputs.tabular.rows import categories_of, layout_of, prepared_rows, written_rows
from mmzoo.inputs.tabular.statistics import STATISTICS, Column, read_statistics, written_statistics
from mmzoo.inputs.tabular.table import check_opened, has_any_value, table_of
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.tabular.encoders import MLP, Layout, TabularEncoder
from mmzoo.randomness import Randomness
from mmzoo.spec import NonNegativeInt, PositiveInt, Problem, Rate
from mmzoo.spec.wording import shorten
from mmzoo.wanted import Role, Wanted

logger = logging.getLogger(__name__)


class Tabular(BaseInput):
    """Columns of a table together: numbers, categories and dates.

    Numbers are normalised by the training split. Categories are known by the values that training
    has; any other is "never seen". A date becomes the days gone by, and its place in the year and
    the week; a datetime its place in the day too. What is missing has a value that is learned.
    """

    worded: ClassVar[bool] = True
    role: ClassVar[Role] = "value"
    columns_field: ClassVar[str] = "columns"
    takes_the_rest: ClassVar[bool] = True

    type: Literal["tabular"] = "tabular"
    columns: dict[str, Kind] | None = None
    """The columns of the data to read, and what each holds: number, category, date, datetime or
    auto, which is decided by the training values. By default all inputs that the data has and no
    other part reads. Codes in figures are numbers unless you write category."""
    normalize: Normalize = "standard"
    """How numbers become small: standard (mean 0, deviation 1), minmax (-1 to 1), quantile (by how
    many training numbers are below, for numbers of very different sizes), or none."""
    max_categories: Annotated[PositiveInt, Le(1_000_000)] = 10_000
    """How many values of a category are known at most: the most frequent in training."""
    min_count: PositiveInt = 1
    """How often a value must be in the training rows to be known."""
    category_dropout: Rate = 0.05
    """Share of the categories that are hidden in training, anew in every epoch: half as if missing,
    half as if never seen, so that it is learnt what to make of either."""
    missing: Literal["learned", "error"] = "learned"
    """What is done about a cell without a value: a learned one stands there, or its row is bad."""
    modality_dropout: Rate = 0.0
    """Share of the training examples from which all of the columns are taken away, anew in every
    epoch, so that the model learns to do without; no example loses all of its inputs. With it, a
    row without any value lacks the input as a whole; without, each of its cells is missing."""
    category_sizes: dict[str, NonNegativeInt] | None = None
    """How many values of each category are known; found in the training rows."""
    encoder: TabularEncoder = MLP()
    """The network that reads the columns."""

    def rules(self) -> Iterator[Problem]:
        yield from super().rules()
        categories = categories_of(self.kinds)
        if self.category_sizes is not None and [*self.category_sizes] != categories:
            yield Problem(
                ("category_sizes",),
                "expected none, or one for each category of `columns` in its order; leave this out",
            )

    @property
    def may_be_absent(self) -> bool:
        """Whether examples may lack all of it: only with `modality_dropout` is that learned."""
        return self.missing == "learned" and self.modality_dropout > 0

    @property
    def kinds(self) -> dict[str, Kind]:
        """What each column holds; nothing before `with_columns` where none was named."""
        return self.columns or {}

    @property
    def whole(self) -> bool:
        open_ones = not self.kinds or "auto" in self.kinds.values()
        return not open_ones and (self.category_sizes is not None or not categories_of(self.kinds))

    @property
    def layout(self) -> Layout:
        """What stands where in a prepared row. Needs a whole input."""
        assert self.whole
        return layout_of(self.kinds, self.category_sizes or {})

    def with_columns(
        self,
        name: str,
        known: Mapping[str, Literal["input", "target"]],
        taken: Collection[str] = (),
    ) -> Self:
        """The same input with its columns named: those it has, or all inputs that are left.

        Raises:
            ConfigError: It has none, and the source does not know any that are left.
        """
        if self.columns:
            return self
        left = [column for column, its in known.items() if its == "input" and column not in taken]
        if not left:
            why = "none is left that no other part reads" if known else "the data is yet to be read"
            raise ConfigError(
                f"inputs.{name}.columns: missing, and {why}. Write each column with what it holds, "
                "or auto: {age: auto, city: category}"
            )
        return self.replace(columns=dict.fromkeys(left, "auto"))

    def source_columns(self) -> tuple[str, ...]:
        """The columns of the source that it reads."""
        return tuple(self.kinds)

    def gathered(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Its columns of one split as one structured array `[rows]`, with a field for each.

        Raises:
            DataError: A column has more than one value in a row, or none that a cell can have.
        """
        return table_of(columns, self.kinds)

    def wanted(self) -> dict[str, Wanted]:
        """What is asked of the source for each of its columns."""
        return {
            column: Wanted(
                "category" if kind == "category" else "value",
                partial(made_up, kind),
                optional=self.may_be_absent,
            )
            for column, kind in self.kinds.items()
        }

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Made-up numbers, float64 `[rows]`; `wanted` has those of other kinds."""
        return made_up("number", random, rows)

    def opened(self, column: Unopened) -> Opened:
        """Each of its columns as its kind says, and the rows in which one is something else.

        Returns:
            Structured arrays: float64 with NaN for numbers, datetime64[s] with NaT for dates,
            objects that are text or None for categories.
        """
        return opened_table(column, self.kinds, self.missing)

    def present(self, values: np.ndarray) -> np.ndarray:
        """Which examples have it, bool `[rows]`: those with a value in any column."""
        return has_any_value(values)

    def check(self, values: np.ndarray, where: str) -> None:
        """Raises a DataError unless the values are opened columns of these kinds.

        Args:
            values: The opened columns of one split.
            where: Says where they come from.
        """
        check_opened(values, self.kinds, where)

    def fit(self, values: np.ndarray, where: str) -> tuple[Self, Files]:
        """Reads off the training rows what each column holds, and its statistics.

        Returns:
            The input with the kinds of all columns and `category_sizes`, and `statistics.json`.
        """
        how = self.normalize, self.max_categories, self.min_count
        found = {
            column: fit_column(values[column], kind, *how) for column, kind in self.kinds.items()
        }
        fitted = self.replace(
            columns={column: fitted_kind(one) for column, one in found.items()},
            category_sizes={
                column: len(one.values)
                for column, one in found.items()
                if isinstance(one, Categories)
            },
        )
        return fitted, {STATISTICS: written_statistics(found)}

    def prepared(self, values: np.ndarray, files: Files, where: str) -> np.ndarray:
        """Rows as `layout` says: float32 `[rows, numbers + categories]`.

        Numbers are normalised, NaN where missing; then come the categories by their number, 0 where
        missing, 1 where not known. Says how many are not known.
        """
        rows, unseen = prepared_rows(values, self._statistics(files, where), self.kinds)
        if unseen:
            told = ", ".join(
                f"{count:,} of `{shorten(column)}`" for column, count in unseen.items()
            )
            logger.info(f"{where}: categories that are not known: {told}.")
        return rows

    def _statistics(self, files: Files, where: str) -> dict[str, Column]:
        return read_statistics(files.get(STATISTICS), self.kinds, self.category_sizes or {}, where)

    def preprocess(self, values: tf.Tensor) -> tf.Tensor:
        """Prepared rows as they are."""
        return values

    def augmented(self, values: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Rows float32 `[batch, columns]` of which some categories are hidden."""
        return hide_categories(values, self.layout, self.category_dropout, randomness)

    @property
    def degradations(self) -> tuple[Degradation, ...]:
        return degradations_of(self.layout, self.kinds, self.normalize)

    def something_left(self, values: tf.Tensor) -> tf.Tensor:
        """Which rows of a preprocessed batch have a cell that is not missing, bool `[batch]`."""
        return has_any_cell(values, self.layout)

    def placeholder(self, name: str) -> keras.KerasTensor:
        """The model's input: float32 `[batch, columns]`, as `layout` says."""
        return keras.Input((self.layout.width,), dtype="float32", name=name)

    def features(self, x: keras.KerasTensor) -> Features:
        """The features of the encoder on rows of this layout."""
        return self.encoder.build(x, self.layout)

    def written(self, values: np.ndarray, files: Files) -> list[str]:
        """Rows in words: `age 32, city Rome`.

        Args:
            values: Prepared rows.
            files: What `fit` gave.
        """
        known = self._statistics(files, f"columns of {self.type}")
        return written_rows(values, known, self.kinds)
