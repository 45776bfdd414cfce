"""Parsing of cells to numbers, dates and categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mmzoo.data import column_types
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec.wording import shorten

FoundKind = column_types.Kind
Kind = Literal["number", "category", "date", "datetime", "auto"]
"""Type of a column; auto is inferred from the training values."""

LARGEST_NUMBER = 3.4e38
"""Approximately the largest float32."""
_FIRST_YEAR, _LAST_YEAR = 1, 9999
_EXPECTED: dict[FoundKind, str] = {
    "number": f"a number, between -{LARGEST_NUMBER:g} and {LARGEST_NUMBER:g}",
    "category": "a text or a number",
    "date": "a date such as 2026-03-01",
    "datetime": "a date and time such as 2026-03-01 14:30",
}


@dataclass(frozen=True)
class Cells:
    """Parsed cells of a column.

    Attributes:
        values: Float64 for numbers, Datetime for dates, String for categories; null where missing
            or invalid.
        wrong: booleans, true for invalid cells.
    """

    values: pl.Series
    wrong: pl.Series

    @property
    def missing(self) -> pl.Series:
        """Booleans, true for missing cells, which are not invalid."""
        return self.values.is_null() & ~self.wrong


def infer_column_kind(values: pl.Series) -> FoundKind:
    """Type of a column, inferred from its training values.

    Numbers and dates may be strings, with a few invalid ones among them.
    """
    is_number = values.dtype.is_numeric() and not column_types.is_code_name(values.name)
    if is_number or values.dtype == pl.Boolean:
        return "number"
    if values.dtype.is_temporal():
        return column_types.date_kind(values.cast(pl.Datetime("us")).drop_nulls())
    return column_types.infer_kind(_texts(values))


def read_cells(values: pl.Series, kind: FoundKind) -> Cells:
    """Parses the cells of a column.

    Args:
        values: numbers, dates or strings.
        kind: type of the column.
    """
    match kind:
        case "number":
            return _numbers(values)
        case "category":
            return Cells(_texts(values), pl.repeat(False, len(values), eager=True))
        case "date" | "datetime":
            return _dates(values)


def check_column(values: pl.Series, column: str) -> None:
    """Raises a DataError unless each row is one number, date, string or boolean."""
    kind = values.dtype
    if not (kind.is_numeric() or kind.is_temporal() or kind in (pl.String, pl.Boolean, pl.Null)):
        found = values.head(1).to_numpy()
        raise DataError(
            f"column `{shorten(column)}`: expected one number, date or text per row, found "
            f"{found.dtype.name} of shape {(len(values), *found.shape[1:])}, which a tabular input "
            "cannot read"
        )


def wrong_value_reason(column: str, value: object, kind: FoundKind) -> str:
    """Why a row with an invalid value cannot be used, as a clause."""
    return f"its `{shorten(column)}` is '{shorten(str(value))}', expected {_EXPECTED[kind]}"


def _numbers(values: pl.Series) -> Cells:
    if values.dtype.is_temporal():
        return Cells(pl.Series([None] * len(values), dtype=pl.Float64), values.is_not_null())
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        numbers = values.cast(pl.Float64).fill_nan(None)
        wrong = (numbers.abs() > LARGEST_NUMBER).fill_null(False)
    else:
        texts = _texts(values)
        numbers = column_types.parse_numbers(texts)
        no_number = texts.is_not_null() & numbers.is_null() & ~column_types.is_missing_word(texts)
        wrong = no_number | (numbers.abs() > LARGEST_NUMBER).fill_null(False)
    return Cells(numbers.set(wrong, None), wrong)


def _dates(values: pl.Series) -> Cells:
    if values.dtype.is_temporal():
        dates = values.cast(pl.Datetime("us")).dt.truncate("1s")
        no_date = pl.repeat(False, len(values), eager=True)
    elif values.dtype.is_numeric() or values.dtype == pl.Boolean:
        dates = pl.Series([None] * len(values), dtype=pl.Datetime("us"))
        no_date = values.cast(pl.Float64).fill_nan(None).is_not_null()
    else:
        texts = _texts(values)
        dates = column_types.parse_times(texts)
        no_date = texts.is_not_null() & dates.is_null() & ~column_types.is_missing_word(texts)
    outside = ~dates.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR).fill_null(True)
    wrong = no_date | outside
    return Cells(dates.set(wrong, None), wrong)


def _texts(values: pl.Series) -> pl.Series:
    """Values as stripped strings, null where empty; whole numbers have no decimal point."""
    return column_types.strip_texts(column_types.whole_numbers(values))
