"""Cells: the values of a column as what its kind says, and those that are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec.wording import shorten

FoundKind = Literal["number", "category", "date", "datetime"]
Kind = Literal["number", "category", "date", "datetime", "auto"]
"""What a column holds; with auto, its training values say."""

LARGEST_NUMBER = 3.4e38
"""About the largest of float32."""
_NO_NUMBER = ("na", "n/a", "nan", "nat", "null", "none", "-", "?")
"""Words that people write where they have no number and no date."""
_NEARLY_ALL = 0.95
"""From this share of numbers or dates on, a column is taken to be of such."""
_ENOUGH = 10_000
"""Of so many texts, evenly spread over the rows, the share is taken."""
_WHOLE = r"^(-?[0-9]+)\.0$"
"""A whole number, as pandas writes it beside missing ones."""
_TIME = r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$"
_FIRST_DATE, _FIRST_NO_DATE = "0001-01-01", "10000-01-01"
_EXPECTED: dict[FoundKind, str] = {
    "number": f"a number, between -{LARGEST_NUMBER:g} and {LARGEST_NUMBER:g}",
    "category": "a text or a number",
    "date": "a date such as 2026-03-01",
    "datetime": "a date and time such as 2026-03-01 14:30",
}


@dataclass(frozen=True)
class Cells:
    """A column of one split in the one form that its kind has.

    Attributes:
        values: float64 with NaN for numbers, datetime64[s] with NaT for dates, objects that are
            text or None for categories; `[rows]`.
        wrong: bool `[rows]`: which of them are not what they should be; these are missing in
            `values`.
    """

    values: np.ndarray
    wrong: np.ndarray

    @property
    def missing(self) -> np.ndarray:
        """Bool `[rows]`: which of them are not there, and not wrong."""
        return is_missing(self.values) & ~self.wrong


def kind_of(values: np.ndarray) -> FoundKind:
    """What a column holds, by its training values.

    Numbers and dates may be given as text, and a few of them may be none.
    """

    if values.dtype.kind in "biuf":
        return "number"
    if values.dtype.kind == "M":
        return _date_kind(values.astype("datetime64[s]"))
    texts = _texts(values)
    there = texts.filter(texts.is_not_null() & ~_says_missing(texts))
    there = there.gather_every(max(1, len(there) // _ENOUGH))
    if not len(there):
        return "category"
    if _number_of(there).is_not_null().sum() >= _NEARLY_ALL * len(there):
        return "number"
    dates = _dates_of(there)
    return _date_kind(dates) if np.mean(~np.isnat(dates)) >= _NEARLY_ALL else "category"


def read_cells(values: np.ndarray, kind: FoundKind) -> Cells:
    """A column as its kind says.

    Args:
        values: numbers, dates, or objects that are text or None; `[rows]`.
        kind: What they should be.
    """
    match kind:
        case "number":
            return _numbers(values)
        case "category":
            return _categories(values)
        case "date" | "datetime":
            return _dates(values)


def check_column(values: np.ndarray, column: str) -> None:
    """Raises a DataError unless there is one value in each row, of a type that a cell may have."""
    if values.ndim != 1 or values.dtype.kind not in "biufMOU":
        raise DataError(
            f"column `{shorten(column)}`: expected one number, date or text in each row, found "
            f"{values.dtype.name} of shape {values.shape}: no tabular input can read it"
        )


def is_missing(values: np.ndarray) -> np.ndarray:
    """Bool `[rows]`: which values of `Cells` are not there."""

    match values.dtype.kind:
        case "f":
            return np.isnan(values)
        case "M":
            return np.isnat(values)
        case _:
            return np.array([value is None for value in values.tolist()], bool)


def expected(column: str, value: object, kind: FoundKind) -> str:
    """Why a row with a wrong value cannot be used, as a clause."""
    return f"its `{shorten(column)}` is '{shorten(str(value))}', expected {_EXPECTED[kind]}"


def _numbers(values: np.ndarray) -> Cells:

    if values.dtype.kind in "biuf":
        numbers = values.astype(np.float64)
        wrong = np.abs(numbers) > LARGEST_NUMBER  # NaN is not.
    elif values.dtype.kind == "M":
        return Cells(np.full(len(values), np.nan), ~np.isnat(values))
    else:
        texts = _texts(values)
        read = _number_of(texts)
        numbers = read.fill_null(np.nan).to_numpy()
        no_number = (texts.is_not_null() & read.is_null() & ~_says_missing(texts)).to_numpy()
        wrong = no_number | (np.abs(numbers) > LARGEST_NUMBER)
    return Cells(np.where(wrong, np.nan, numbers), wrong)


def _categories(values: np.ndarray) -> Cells:

    return Cells(_texts(values).to_numpy(allow_copy=True), np.zeros(len(values), bool))


def _dates(values: np.ndarray) -> Cells:

    if values.dtype.kind == "M":
        dates, no_date = values.astype("datetime64[s]"), np.zeros(len(values), bool)
    elif values.dtype.kind in "biuf":
        dates, no_date = np.full(len(values), "NaT", "datetime64[s]"), ~np.isnan(values)
    else:
        texts = _texts(values)
        dates = _dates_of(texts)
        said = texts.is_not_null() & ~_says_missing(texts)
        no_date = np.isnat(dates) & said.to_numpy()
    outside = (dates < np.datetime64(_FIRST_DATE)) | (dates >= np.datetime64(_FIRST_NO_DATE))
    wrong = no_date | outside
    return Cells(np.where(wrong, np.datetime64("NaT"), dates), wrong)


def _texts(values: np.ndarray) -> pl.Series:
    """Values as text without space around it, null where there is none."""

    if values.dtype.kind == "f":
        # So that -0.0 is 0 too.
        texts = pl.Series(values + 0.0).fill_nan(None).cast(pl.String)
    elif values.dtype.kind == "O":
        texts = pl.Series(values.tolist(), dtype=pl.String, strict=False)
    else:
        texts = pl.Series(values).cast(pl.String)
    # 3.0 and 3 are one category, however the file was written.
    texts = texts.str.strip_chars().str.replace(_WHOLE, "${1}")
    return texts.set(texts == "", None)


def _says_missing(texts: pl.Series) -> pl.Series:
    return texts.str.to_lowercase().is_in(_NO_NUMBER).fill_null(False)


def _number_of(texts: pl.Series) -> pl.Series:

    numbers = texts.cast(pl.Float64, strict=False)
    return numbers.set(numbers.is_nan(), None)  # What says NaN is known by its word.


def _dates_of(texts: pl.Series) -> np.ndarray:
    """ISO 8601's dates, with or without a time, as those of UTC: datetime64[s] `[rows]`."""

    parts = texts.to_frame("text").select(
        pl.col("text").str.extract(_TIME, 1),
        pl.lit("T"),
        pl.col("text").str.extract(_TIME, 2).fill_null("00:00").alias("minute"),
        pl.col("text").str.extract(_TIME, 3).fill_null(":00").alias("second"),
        pl.col("text").str.extract(_TIME, 4).fill_null("Z").replace("Z", "+00:00").alias("zone"),
    )
    written = parts.select(pl.concat_str(pl.all())).to_series()
    times = written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", strict=False)
    return times.dt.replace_time_zone(None).to_numpy().astype("datetime64[s]")


def _date_kind(dates: np.ndarray) -> Literal["date", "datetime"]:

    present = dates[~np.isnat(dates)]
    return "datetime" if (present != present.astype("datetime64[D]")).any() else "date"
