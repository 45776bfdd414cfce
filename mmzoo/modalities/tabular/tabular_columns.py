"""Columns of a tabular input: scan, fit and transform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from mmzoo.data.column_types import UNIQUE_SHARE, date_kind
from mmzoo.data.frame import SPLIT, Frame
from mmzoo.lazy import np, pl
from mmzoo.modalities.scan import Scan
from mmzoo.modalities.tabular.categorical_columns import Categories, fit_categories
from mmzoo.modalities.tabular.cell_parsing import (
    FoundKind,
    Kind,
    check_column,
    infer_column_kind,
    read_cells,
    wrong_value_reason,
)
from mmzoo.modalities.tabular.numeric_columns import Column, Normalize, fit_dates, fit_numbers
from mmzoo.modalities.tabular.tabular_mlp import UNSEEN, Layout
from mmzoo.spec.wording import shorten

_MIN_ROWS = 100
"""Minimum number of training rows for warnings about unique values."""


def scan_columns(
    frame: Frame,
    kinds: Mapping[str, Kind],
    missing: Literal["learned", "error"],
    is_optional: bool,
) -> Scan:
    """Parses all columns to structs, and finds rows with invalid cells.

    Args:
        frame: all rows.
        kinds: column -> type; auto is inferred from the training rows, or from all rows if there
            are none.
        missing: with error, rows with a missing cell cannot be used.
        is_optional: whether the input is missing in rows without any value.

    Raises:
        DataError: a column has more than one value per row, or values of another type.
    """
    table, is_train = frame.table, frame.table[SPLIT] == "train"
    if not is_train.any():
        is_train = pl.repeat(True, table.height, eager=True)
    columns: dict[str, pl.Series] = {}
    issues: dict[int, str] = {}
    for column, kind in kinds.items():
        check_column(table[column], column)
        found: FoundKind = (
            infer_column_kind(table[column].filter(is_train)) if kind == "auto" else kind
        )
        cells = read_cells(table[column], found)
        for row in cells.wrong.arg_true().to_list():
            issues.setdefault(row, wrong_value_reason(column, table[column][row], found))
        if missing == "error":
            for row in cells.missing.arg_true().to_list():
                issues.setdefault(row, f"its `{shorten(column)}` is empty")
        columns[column] = cells.values
    parsed = pl.DataFrame(columns)
    values = parsed.to_struct("values")
    if is_optional:
        has_any = pl.any_horizontal(pl.all().is_not_null())
        values = parsed.select(pl.when(has_any).then(pl.struct(pl.all()))).to_series()
    notes = _uninformative_columns(parsed.filter(is_train)) if "train" in frame.splits else ()
    return Scan(values, issues, notes=tuple(notes))


def fit_column(
    values: pl.Series, kind: Kind, normalize: Normalize, max_categories: int, min_count: int
) -> Column:
    """Fits the statistics of a parsed column.

    Args:
        values: Float64, Datetime or String.
        kind: type of the column; auto dates become date or datetime by their values.
        normalize: normalization of numbers.
        max_categories: maximum number of categories.
        min_count: minimum number of occurrences of a category.
    """
    if values.dtype.is_float():
        return fit_numbers(values.to_numpy(), normalize)
    if values.dtype.is_temporal():
        return fit_dates(
            values,
            kind if kind in ("date", "datetime") else date_kind(values.cast(pl.Datetime("us"))),
        )
    return fit_categories(values, max_categories, min_count)


def fitted_kind(column: Column) -> FoundKind:
    """Type of a column with these statistics."""
    return "number" if column.kind == "ranked number" else column.kind


def _uninformative_columns(train: pl.DataFrame) -> Iterator[str]:
    """Notes on columns that are empty, constant or unique in the training rows.

    Args:
        train: parsed columns of the training rows.
    """
    for values in train:
        present = values.drop_nulls()
        name = f"column `{shorten(values.name)}`"
        if not len(present):
            yield f"{name} is empty in all training rows: leave it out"
        elif len(present) == len(values) and present.n_unique() == 1:
            yield (
                f"{name} is constant in the training rows, so the model cannot learn from it: "
                "leave it out"
            )
        elif values.dtype == pl.String and len(present) >= _MIN_ROWS:
            unique = present.n_unique()
            if unique > UNIQUE_SHARE * len(present):
                yield (
                    f"{name} looks like an identifier: {unique:,} unique values in "
                    f"{len(present):,} training rows. Leave it out"
                )


_WIDTHS: dict[Kind, int] = {"number": 1, "date": 5, "datetime": 7}
"""Number of numeric columns that each type is encoded as; categories have ids instead."""


def categorical_columns(kinds: Mapping[str, Kind]) -> list[str]:
    """Names of the categorical columns, in order."""
    return [column for column, kind in kinds.items() if kind == "category"]


def make_layout(kinds: Mapping[str, Kind], category_sizes: Mapping[str, int]) -> Layout:
    """Column layout of transformed rows.

    Args:
        kinds: column -> type, not auto.
        category_sizes: categorical column -> number of known categories.
    """
    empty = Categories(values=()).size
    return Layout(
        numbers=sum(_WIDTHS.get(kind, 0) for kind in kinds.values()),
        categories=tuple(empty + category_sizes[column] for column in categorical_columns(kinds)),
    )


def column_slices(kinds: Mapping[str, Kind]) -> dict[str, slice]:
    """Position of each column in transformed rows: numbers and dates first, then categories."""
    slices, start = {}, 0
    for column in sorted(kinds, key=lambda column: kinds[column] == "category"):
        end = start + _WIDTHS.get(kinds[column], 1)
        slices[column] = slice(start, end)
        start = end
    return slices


def transform_rows(
    values: pl.Series, statistics: Mapping[str, Column], kinds: Mapping[str, Kind]
) -> tuple[np.ndarray, dict[str, int]]:
    """Transforms parsed columns to rows of numbers and category ids.

    Args:
        values: structs with a field per column.
        statistics: column -> its statistics.
        kinds: column -> type.

    Returns:
        float32 `[rows, numbers + categories]`, and categorical column -> number of unseen values,
        for columns that have any.
    """
    slices = column_slices(kinds)
    rows = np.empty((len(values), max(columns.stop for columns in slices.values())), np.float32)
    unseen = {}
    for column, columns in slices.items():
        rows[:, columns] = statistics[column].transform(values.struct.field(column))
        if kinds[column] == "category" and (count := int((rows[:, columns] == UNSEEN).sum())):
            unseen[column] = count
    return rows, unseen


def rows_to_texts(
    rows: np.ndarray, statistics: Mapping[str, Column], kinds: Mapping[str, Kind]
) -> list[str]:
    """Transformed rows as text, in the order of the columns: `age 32, city Rome`."""
    slices = column_slices(kinds)
    texts = [statistics[column].to_texts(rows[:, slices[column]]) for column in kinds]
    return [
        ", ".join(f"{column} {text}" for column, text in zip(kinds, row, strict=True))
        for row in zip(*texts, strict=True)
    ]
