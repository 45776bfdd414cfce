"""Tabular: an input of numeric, categorical and date columns."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from annotated_types import Le
from pydantic import BeforeValidator

from mmzoo import layers
from mmzoo.column_spec import ColumnSpec, Role
from mmzoo.data.column_profile import ColumnProfile
from mmzoo.data.column_types import FEW_VALUES, MAX_CATEGORIES, is_code_name
from mmzoo.errors import ConfigError
from mmzoo.lazy import keras, np, pl, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.base_input import BaseInput, Corruption
from mmzoo.modalities.run_encoder import RunEncoder
from mmzoo.modalities.scan import Files, Scan
from mmzoo.modalities.suggestion import Suggestion
from mmzoo.modalities.tabular.categorical_columns import (
    Categories,
    hide_categories,
    nearest_spelling,
)
from mmzoo.modalities.tabular.cell_parsing import FoundKind, Kind
from mmzoo.modalities.tabular.numeric_columns import (
    STATISTICS,
    Column,
    Normalize,
    format_statistics,
    read_statistics,
)
from mmzoo.modalities.tabular.tabular_columns import (
    categorical_columns,
    fit_column,
    fitted_kind,
    make_layout,
    rows_to_texts,
    scan_columns,
    transform_rows,
)
from mmzoo.modalities.tabular.tabular_corruptions import has_any_cell, tabular_corruptions
from mmzoo.modalities.tabular.tabular_decoder import (
    TabularDecoder,
    cell_costs,
    cell_errors,
    known_cells,
    mirror_image,
    most_probable_row,
)
from mmzoo.modalities.tabular.tabular_mlp import MISSING, MLP, Layout, TabularEncoder
from mmzoo.randomness import Randomness
from mmzoo.spec import NonNegativeInt, PositiveInt, Problem, Rate, Spec
from mmzoo.spec.wording import plain_number, shorten

if TYPE_CHECKING:
    from mmzoo.data.frame import Frame

logger = logging.getLogger(__name__)

_FEW_ROWS = 2_000


def _auto_columns(columns: object) -> object:
    """A list of columns as column -> auto."""
    is_list = isinstance(columns, list | tuple) and all(isinstance(one, str) for one in columns)
    return dict.fromkeys(columns, "auto") if is_list else columns  # type: ignore[call-overload]


class Tabular(BaseInput):
    """Numeric, categorical and date columns of a table, as one input.

    Numbers are normalized with statistics of the training split. Categories that do not occur in
    it are mapped to one unseen category. A date becomes the days since 1970 and cyclic features of
    its position in the year and the week; a datetime, also of its position in the day. Missing
    cells get learned values.
    """

    role: ClassVar[Role] = "value"
    uses_remaining_columns: ClassVar[bool] = True

    type: Literal["tabular"] = "tabular"
    columns: Annotated[
        dict[str, Kind] | None,
        BeforeValidator(_auto_columns, json_schema_input_type=dict[str, Kind] | list[str] | None),
    ] = None
    """Column -> type: number, category, date, datetime, or auto to infer it from the training
    values; a list of columns is short for auto. By default, all input columns that no other part
    reads. Numeric codes are inferred as
    numbers unless you write category."""
    normalize: Normalize = "standard"
    """Normalization of numbers: standard (mean 0, standard deviation 1), minmax (-1 to 1), quantile
    (rank among the training numbers, for skewed distributions), or none."""
    max_categories: Annotated[PositiveInt, Le(1_000_000)] = 10_000
    """Maximum number of categories per column, the most frequent in the training rows."""
    min_count: PositiveInt = 1
    """Minimum number of occurrences of a category in the training rows."""
    category_dropout: Rate = 0.05
    """Fraction of the categories that are replaced in training, drawn anew in every epoch: half by
    missing, half by unseen, so that the model learns embeddings of both."""
    missing: Literal["learned", "error"] = "learned"
    """Handling of empty cells: learned replaces them by learned values, error makes bad rows."""
    modality_dropout: Rate = 0.0
    """Fraction of training examples whose columns are all dropped, drawn anew in every epoch, so
    that the model learns to work without them; no example loses all of its inputs. If positive,
    the whole input is missing in rows without any value; if 0, each of their cells is."""
    category_sizes: dict[str, NonNegativeInt] | None = None
    """Categorical column -> number of known categories; fitted to the training rows."""
    encoder: TabularEncoder = MLP()
    """Network that computes features of the columns."""
    decoder: TabularDecoder | None = None
    """Network that rebuilds the columns for a `reconstruction` head; by default the encoder's dense
    layers in reverse."""

    @classmethod
    def suggest(cls, column: ColumnProfile) -> Suggestion | None:
        """A tabular input for a column of numbers, dates or categories."""
        return _suggest(column)

    def rules(self) -> Iterator[Problem]:
        yield from super().rules()
        categories = categorical_columns(self.kinds)
        if self.category_sizes is not None and [*self.category_sizes] != categories:
            yield Problem(
                ("category_sizes",),
                "expected one size per categorical column, in the order of `columns`; you can "
                "leave it out",
            )

    @property
    def is_optional(self) -> bool:
        """Whether examples may lack the whole input; the model learns that with dropout only."""
        return self.missing == "learned" and self.modality_dropout > 0

    @property
    def kinds(self) -> dict[str, Kind]:
        """Column -> type; empty before `with_columns` if `columns` is not given."""
        return self.columns or {}

    @property
    def is_fitted(self) -> bool:
        is_known = self.kinds and "auto" not in self.kinds.values()
        return bool(is_known) and (
            self.category_sizes is not None or not categorical_columns(self.kinds)
        )

    @property
    def layout(self) -> Layout:
        """Column layout of transformed rows; requires a fitted input."""
        assert self.is_fitted
        return make_layout(self.kinds, self.category_sizes or {})

    def with_columns(
        self,
        name: str,
        known: Mapping[str, Literal["input", "target"]],
        taken: Collection[str] = (),
    ) -> Self:
        """A copy with `columns` filled in: by default, all remaining input columns.

        Raises:
            ConfigError: no columns are given, and none remain or are known yet.
        """
        if self.columns or isinstance(self.encoder, RunEncoder):
            return self  # Those of a run are known once it is read.
        left = [column for column, its in known.items() if its == "input" and column not in taken]
        if not left:
            why = "no columns remain" if known else "the columns of the data are not known yet"
            raise ConfigError(
                f"inputs.{name}.columns: missing, and {why}. Write each column with its type, or "
                "auto: {age: auto, city: category}"
            )
        return self.replace(columns=dict.fromkeys(left, "auto"))

    def source_columns(self) -> tuple[str, ...]:
        """Columns of the source that it reads."""
        return tuple(self.kinds)

    def required_columns(self) -> dict[str, ColumnSpec]:
        """Column name -> the requirements for that column of the source."""
        return {
            column: ColumnSpec(
                "category" if kind == "category" else "value",
                partial(_synthetic, kind),
                optional=self.is_optional,
            )
            for column, kind in self.kinds.items()
        }

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Synthetic numbers, float64 `[rows]`; `required_columns` has those of other kinds."""
        return _synthetic("number", random, rows)

    def scan(self, frame: Frame, where: str) -> Scan:
        """Parses its columns to structs of Float64, Datetime and String."""
        return scan_columns(frame, self.kinds, self.missing, self.is_optional)

    def fit(self, values: pl.Series, where: str) -> tuple[Self, Files]:
        """Infers auto types and fits the statistics of each column.

        Returns:
            A copy with the types of all columns and `category_sizes`, and `statistics.json`.
        """
        how = self.normalize, self.max_categories, self.min_count
        found = {
            column: fit_column(values.struct.field(column), kind, *how)
            for column, kind in self.kinds.items()
        }
        fitted = self.replace(
            columns={column: fitted_kind(one) for column, one in found.items()},
            category_sizes={
                column: len(one.values)
                for column, one in found.items()
                if isinstance(one, Categories)
            },
        )
        return fitted, {STATISTICS: format_statistics(found)}

    def transform(self, values: pl.Series, files: Files, where: str) -> np.ndarray:
        """Rows of normalized numbers and category ids: float32 `[rows, numbers + categories]`.

        Missing numbers are NaN; the id of a missing category is 0, of an unseen one 1. Logs the
        numbers of unseen categories.
        """
        statistics = self._statistics(files, where)
        rows, unseen = transform_rows(values, statistics, self.kinds)
        for column, count in unseen.items():
            cells = values.struct.field(column).drop_nulls()
            fitted = statistics[column]
            if isinstance(fitted, Categories) and count == len(cells) > 1:
                found, known = nearest_spelling(cells, fitted)
                logger.warning(
                    f"Warning: {where}: no value of `{shorten(column)}` is known from training: "
                    f"here '{shorten(found)}', there '{shorten(known)}'. Another spelling, or the "
                    "wrong column?"
                )
        if unseen:
            counts = ", ".join(
                f"{count:,} of `{shorten(column)}`" for column, count in unseen.items()
            )
            logger.info(f"{where}: unseen categories: {counts}.")
        return rows

    def _statistics(self, files: Files, where: str) -> dict[str, Column]:
        return read_statistics(files.get(STATISTICS), self.kinds, self.category_sizes or {}, where)

    def load(self, values: tf.Tensor) -> tf.Tensor:
        """Transformed rows, unchanged."""
        return values

    @property
    def augmentations(self) -> tuple[Spec, ...]:
        """None: category dropout is no choice of several."""
        return ()

    def augment_batch(self, values: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Applies `category_dropout` to rows, float32 `[batch, columns]`."""
        return hide_categories(values, self.layout, self.category_dropout, randomness)

    @property
    def corruptions(self) -> tuple[Corruption, ...]:
        return tabular_corruptions(self.layout, self.kinds, self.normalize)

    def is_present_after(self, values: tf.Tensor) -> tf.Tensor:
        """Which rows of a batch have a cell that is not missing: bool `[batch]`."""
        return has_any_cell(values, self.layout)

    def placeholder(self, name: str) -> keras.KerasTensor:
        """The model's input: float32 `[batch, columns]`, see `layout`."""
        return keras.Input((self.layout.width,), dtype="float32", name=name)

    def features(self, x: keras.KerasTensor) -> Features:
        """Features of transformed rows."""
        return self.encoder.build(x, self.layout)

    @property
    def reconstruction_losses(self) -> tuple[str, ...]:
        return ("cell_error",)

    @property
    def likelihoods(self) -> tuple[str, ...]:
        return ("gaussian",)

    def reconstruction_metrics(self) -> tuple[str, ...]:
        layout = self.layout
        numbers = ("number_squared_error",) if layout.numbers else ()
        categories = ("category_cross_entropy", "category_accuracy") if layout.categories else ()
        return "cell_error", *numbers, *categories

    @property
    def largest_noise(self) -> float:
        """In normalized numbers."""
        return math.inf

    def decoder_problem(self) -> str:
        return ""

    def decoder_output(self, code: keras.KerasTensor) -> keras.KerasTensor:
        """Numbers, then the logits of each categorical column: float32 `[batch, width]`."""
        encoder = self.encoder.architecture
        assert isinstance(encoder, MLP)
        return (self.decoder or mirror_image(encoder)).build(code, self.layout)

    def reconstruction_target(self, rows: tf.Tensor) -> tf.Tensor:
        """Transformed rows, with NaN for missing cells and unseen categories."""
        return known_cells(rows, self.layout)

    def reconstruction_errors(self, target: tf.Tensor, rebuilt: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `cell_errors`."""
        return cell_errors(target, rebuilt, self.layout)

    def negative_log_likelihood(
        self, target: tf.Tensor, rebuilt: tf.Tensor, distribution: str, std: float
    ) -> tf.Tensor:
        """That of the cells of each row, in nats, `[batch]`: normal numbers and categories."""
        there, squares, entropies = cell_costs(target, rebuilt, self.layout)
        numbers = layers.normal_costs(squares, std)
        return layers.masked_sum(tf.concat([numbers, *entropies], axis=1), there)

    def add_noise(self, rows: tf.Tensor, amount: float, randomness: Randomness) -> tf.Tensor:
        """Rows with Gaussian noise on their numbers; `amount` is its standard deviation."""
        layout = self.layout
        noise = amount * randomness.normal(layout.numbers) if layout.numbers else 0.0
        return tf.concat([rows[:, : layout.numbers] + noise, rows[:, layout.numbers :]], axis=1)

    def show_target(self, target: np.ndarray, files: Files) -> list[str]:
        """Rows as text."""
        rows = target.copy()
        categories = rows[:, self.layout.numbers :]
        categories[np.isnan(categories)] = MISSING
        return self.to_texts(rows, files)

    def show_rebuilt(self, rebuilt: np.ndarray, files: Files) -> list[str]:
        """Rows as text, with the most probable categories."""
        return self.to_texts(most_probable_row(rebuilt, self.layout), files)

    def to_texts(self, values: np.ndarray, files: Files) -> list[str]:
        """Transformed rows as text: `age 32, city Rome`.

        Args:
            values: transformed rows.
            files: from `fit`.
        """
        statistics = self._statistics(files, f"columns of {self.type}")
        return rows_to_texts(values, statistics, self.kinds)


def _synthetic(kind: Kind, random: np.random.RandomState, rows: int) -> np.ndarray:
    """Synthetic values of a column, `[rows]`; auto gives numbers."""
    match kind:
        case "category":
            return random.choice(np.array(["a", "b", "c", "d"], dtype=object), rows)
        case "date":
            return np.datetime64("2020-01-01") + random.randint(0, 1_000, rows)
        case "datetime":
            return np.datetime64("2020-01-01T00:00:00") + random.randint(0, 10**8, rows)
        case _:
            return random.normal(size=rows)


def _suggest(column: ColumnProfile) -> Suggestion | None:
    """A tabular input for one column; `init` merges those for all columns."""
    match column.type:
        case "boolean":
            kind: FoundKind = "category"
        case "number":
            kind = "category" if _are_codes(column) else "number"
        case "category" | "date" | "datetime":
            kind = column.type
        case _:
            return None
    units = [32] if column.rows < _FEW_ROWS else [128, 64]
    return Suggestion(
        {
            "type": "tabular",
            "columns": {column.name: kind},
            "encoder": {"type": "mlp", "units": units, "dropout": 0.2},
        },
        {"columns": _suggestion_reason(column, kind)},
    )


def _are_codes(column: ColumnProfile) -> bool:
    """Whether numbers stand for categories: 0171 is not 171, and 5+ is not a typo among 1 to 4."""
    if column.leading_zeros:
        return column.distinct <= MAX_CATEGORIES
    if column.whole and is_code_name(column.name):
        return column.repeats and column.distinct <= MAX_CATEGORIES
    return column.odd > 0 and column.repeats and column.distinct <= FEW_VALUES


def _suggestion_reason(column: ColumnProfile, kind: FoundKind) -> str:
    values = f"{column.distinct:,} unique values"
    match kind:
        case "number":
            low, high = column.span
            return f"numbers from {plain_number(low)} to {plain_number(high)}"
        case "category" if column.leading_zeros:
            return f"codes, as they have leading zeros; {values}"
        case "category" if is_code_name(column.name):
            return f"codes, by its name; {values}"
        case "category" if column.odd:
            return f"{values}; not numbers, because of '{shorten(column.odd_example)}'"
        case "category":
            return values
        case "date" | "datetime":
            return f"such as {shorten(column.example)}"
