"""The cells of a column as text, numbers and dates, whatever type a file gave them."""

from __future__ import annotations

import math

from mmzoo.errors import DataError
from mmzoo.lazy import pl

# Not \d, which are the digits of all scripts.
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
_NOT_A_NUMBER = r"^\s*(?i:nan)\s*$"
_CODE = r"^\s*[+-]?0[0-9]"
"""Numbers as telephones and post codes have them: 1 and 01 differ."""
_TIME = (
    r"^\s*([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([0-9]{2}:[0-9]{2})(?:(:[0-9]{2})(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?\s*$"
)


def texts(column: pl.Series, where: str, expected: str) -> pl.Series:
    """The cells as strings; null where one is empty.

    Whole numbers are written without a point, even where missing ones among them have made
    fractions of them all; dates as ISO 8601 does.

    Raises:
        DataError: They are lists, objects or bytes.
    """

    kind = column.dtype
    if kind == pl.String:
        return column
    if kind.is_nested() or kind in (pl.Binary, pl.Duration):
        holds = {pl.Binary: "bytes", pl.Duration: "lengths of time"}.get(
            kind.base_type(), "lists or objects"
        )
        raise DataError(f"{where} holds {holds}, expected {expected}.")
    if kind.is_float():
        column = column.fill_nan(None)
        whole = column.drop_nulls()
        if ((whole == whole.floor()) & (whole.abs() < 2**53)).all():
            column = column.cast(pl.Int64)
    return column.cast(pl.String)


def numbers(column: pl.Series) -> pl.Series:
    """The cells as float64; null where one is no number.

    Args:
        column: Strings, or numbers of any type.
    """

    if column.dtype != pl.String:
        return column.cast(pl.Float64)
    is_number = column.str.contains(_NUMBER)
    return column.set(~is_number, None).str.strip_chars().cast(pl.Float64)


def values(column: pl.Series, where: str) -> tuple[pl.Series, str | None]:
    """The cells as float64, as times, or as strings: whichever all of them are.

    Returns:
        The column, null where a cell is empty; and a sentence, where a few cells have kept it from
        being one of numbers.

    Raises:
        DataError: They are lists, objects, bytes, or times of the day.
    """

    kind = column.dtype
    if kind.is_numeric():
        return column.cast(pl.Float64), None
    if kind in (pl.Date, pl.Datetime):
        if isinstance(kind, pl.Datetime) and kind.time_zone:
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return column.cast(pl.Datetime("us")), None
    column = texts(column, where, "numbers, dates or categories")
    there = column.drop_nulls()
    if not len(there):
        return column, None
    nan = there.str.contains(_NOT_A_NUMBER)
    is_number = there.str.contains(_NUMBER)
    if (is_number | nan).all() and is_number.any():
        if there.str.contains(_CODE).any():
            return column, None
        return numbers(column), None
    if there.str.contains(_TIME).all():
        times = _times(column)
        if times.null_count() == column.null_count():
            return times, None
    others = len(there) - int((is_number | nan).sum())
    if 0 < others * 10 <= len(there):
        odd = there.filter(~(is_number | nan))[0]
        return column, f"{others:,} of {len(there):,} cells are no numbers, such as '{odd}'"
    return column, None


def _times(column: pl.Series) -> pl.Series:
    """Strings of ISO 8601 as times of UTC, null where there is no such day."""

    parts = column.to_frame("text").select(
        day=pl.col("text").str.extract(_TIME, 1),
        minute=pl.col("text").str.extract(_TIME, 2).fill_null("00:00"),
        second=pl.col("text").str.extract(_TIME, 3).fill_null(":00"),
        fraction=pl.col("text").str.extract(_TIME, 4).fill_null(".0"),
        zone=pl.col("text").str.extract(_TIME, 5).fill_null("+00:00").replace("Z", "+00:00"),
    )
    written = parts.select(
        pl.concat_str("day", pl.lit("T"), "minute", "second", "fraction", "zone")
    ).to_series()
    return (
        written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False)
        .dt.convert_time_zone("UTC")
        .dt.replace_time_zone(None)
    )


def sorted_names(names: list[str]) -> tuple[str, ...]:
    """Names in the order of the alphabet; of numbers, if all are such, in theirs."""
    try:
        keys = {name: float(name) for name in names}
    except ValueError:
        return tuple(sorted(names))
    if not all(math.isfinite(key) for key in keys.values()):
        return tuple(sorted(names))
    return tuple(sorted(names, key=lambda name: (keys[name], name)))
