"""Column types: what a table column holds, inferred alike by `init`, `check` and `train`.

`train` parses cells with `parse_cells` and resolves the tabular kind `auto` with `infer_kind`.
`init` profiles whole columns with `mmzoo.data.column_profile`, whose types come from these same
functions.
"""

from __future__ import annotations

import math
import re
from typing import Literal

from mmzoo.errors import DataError
from mmzoo.lazy import pl

Kind = Literal["number", "category", "date", "datetime"]
"""What a tabular input can read a column as."""
TYPE_SHARE = 0.95
"""From this share of numbers (or dates) on, a text column is one of numbers (or dates): a few typos
do not change a type; the rows that have them are bad rows."""
NOTE_SHARE = 0.9
"""From this share on, the cells that keep a column from being one of numbers are reported; below,
the column was hardly meant as such."""
SAMPLE = 10_000
"""Cells, evenly spread over the rows, that are enough to estimate a share."""
MAX_CATEGORIES = 1_000
"""More values than this are not categories: an embedding for each would see few rows."""
FEW_VALUES = 20
"""So few different values are categories, however long they are."""
REPEAT_SHARE = 0.5
"""A category's values recur: at most this share of them is different. Others identify rows."""
UNIQUE_SHARE = 0.9
"""From this share of different values on, `train` warns that a category identifies rows."""
MISSING_WORDS = ("na", "n/a", "nan", "nat", "null", "none", "-", "?")
"""What people write in place of a number or a date, in lower case."""

# Not \d, which matches the digits of all scripts.
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
_NAN = r"^\s*(?i:nan)\s*$"
LEADING_ZERO = r"^\s*[+-]?0[0-9]"
"""As in phone numbers and postcodes, where 1 and 01 differ."""
_WHOLE = r"^(-?(?:0|[1-9][0-9]*))\.0+$"
"""A whole number as pandas writes it if other cells of the column are missing, or as a price."""
_LAST_ZEROS = r"\.0+$|(\.[0-9]*[1-9])0+$"
_MANY_DIGITS = r"^\s*[+-]?[0-9]{16,}\s*$"
_CODE_WORDS = {
    *("code", "codes", "id", "ids", "zip", "zipcode", "postcode", "postal", "plz", "pincode"),
    *("areacode", "sku", "fips", "iban", "ean", "isbn"),
}
_TIME = (
    r"^\s*([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([0-9]{2}:[0-9]{2})(?:(:[0-9]{2})(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?\s*$"
)
UNSPACED = (
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)
"""Characters of scripts without spaces, such as Chinese and Thai: each counts as a word."""


def as_texts(column: pl.Series, where: str, expected: str) -> pl.Series:
    """The cells as strings; null where one is empty.

    Whole numbers have no decimal point, even if missing ones among them have made the column one
    of floats, and decimals no zeros at their end; dates are written as in ISO 8601.

    Raises:
        DataError: They are lists, objects or bytes.
    """
    dtype = column.dtype
    if dtype == pl.String:
        return column
    if dtype.is_nested() or dtype in (pl.Binary, pl.Duration):
        holds = {pl.Binary: "bytes", pl.Duration: "durations"}.get(
            dtype.base_type(), "lists or objects"
        )
        raise DataError(f"{where} holds {holds}, expected {expected}.")
    texts = whole_numbers(column).cast(pl.String)
    return texts.str.replace(_LAST_ZEROS, "${1}") if dtype.is_decimal() else texts


def whole_numbers(column: pl.Series) -> pl.Series:
    """Floats as int64 if all of them are whole; NaN becomes null, and other types stay as they are.

    Missing cells make pandas store whole numbers as floats.
    """
    if not column.dtype.is_float():
        return column
    column = column.fill_nan(None)
    filled = column.drop_nulls()
    is_whole = ((filled == filled.floor()) & (filled.abs() < 2**63)).all()
    return column.cast(pl.Int64) if is_whole else column


def has_rounded_ids(column: pl.Series) -> bool:
    """Whether these are floats with whole numbers beyond 2^53, which float64 has rounded."""
    return column.dtype.is_float() and bool(
        ((column.abs() > 2**53) & column.is_finite() & (column.abs() < 2**63)).any()
    )


def rounded_ids_warning(column: str) -> str:
    """A clause on ids that a file stores as floats."""
    return (
        f"`{column}`: numbers beyond 2^53 are stored as floats, which rounds them, so ids may be "
        "wrong or equal: store them as integers or text"
    )


def one_spelling(texts: pl.Series) -> pl.Series:
    """Strings with the spellings of one value made equal.

    The one place that decides which cells are the same class, category, group, fold or duplicate:
    composed and decomposed Unicode, `True` and `true`, whole numbers with and without `.0` or
    `.00` are, and whitespace around a value does not count.

    Example:
        `["7.00", "TRUE", "1.5", "007.0"]` become `["7", "true", "1.5", "007.0"]`.
    """
    texts = (
        texts.str.normalize("NFC")
        .str.strip_chars()
        .str.replace(_WHOLE, "${1}")
        .str.replace("^-0$", "0")
    )
    return texts.str.replace("^(?i:true)$", "true").str.replace("^(?i:false)$", "false")


def merge_as_floats(column: pl.Series) -> bool:
    """Whether different whole numbers, such as ids of 19 digits, would be equal as float64."""
    if column.dtype == pl.String:
        large = column.filter(column.str.contains(_MANY_DIGITS)).drop_nulls().unique()
        return bool(len(large)) and large.cast(pl.Float64).n_unique() < len(large)
    dtype = column.dtype
    if not dtype.is_integer() and not (isinstance(dtype, pl.Decimal) and dtype.scale == 0):
        return False
    found = column.drop_nulls().unique()
    return found.cast(pl.Float64).n_unique() < len(found)


def is_code_name(name: str) -> bool:
    """Whether a column's name says that whole numbers in it are codes: `zipcode`, `shop_id`."""
    return name_words(name)[-1] in _CODE_WORDS


def name_words(name: str) -> list[str]:
    """The words of a column's name: `patientId`, `patient_id` and `Patient ID` have two."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return re.split(r"[\W_]+", parts.lower().strip("_ "))


def parse_numbers(column: pl.Series) -> pl.Series:
    """The cells as float64; null where one is not a number.

    Args:
        column: Strings, or numbers of any type.
    """
    if column.dtype != pl.String:
        return column.cast(pl.Float64)
    is_number = column.str.contains(_NUMBER)
    return column.set(~is_number, None).str.strip_chars().cast(pl.Float64)


def parse_times(texts: pl.Series) -> pl.Series:
    """ISO 8601 dates, with or without a time, as UTC datetimes; null where one is not a date."""
    group = pl.col("text").str.extract
    parts = texts.to_frame("text").select(
        day=group(_TIME, 1),
        minute=group(_TIME, 2).fill_null("00:00"),
        second=group(_TIME, 3).fill_null(":00"),
        fraction=group(_TIME, 4).fill_null(".0"),
        zone=group(_TIME, 5).fill_null("Z").replace("Z", "+00:00"),
    )
    iso = parts.select(
        pl.concat_str("day", pl.lit("T"), "minute", "second", "fraction", "zone")
    ).to_series()
    times = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", strict=False)
    return times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def parse_cells(column: pl.Series, where: str) -> tuple[pl.Series, str | None]:
    """The cells as float64, datetimes or strings: the first that all of them can be.

    Numbers with leading zeros remain strings, so that a category can tell 01 from 1, and so do
    whole numbers with more digits than float64 can tell apart.

    Returns:
        The column, null where a cell is empty; and a clause on the cells that kept it from being
        numeric, if there are but few.

    Raises:
        DataError: They are lists, objects, bytes, or times of the day.
    """
    dtype = column.dtype
    if dtype.is_numeric() and not merge_as_floats(column):
        return column.cast(pl.Float64), None
    if dtype in (pl.Date, pl.Datetime):
        return as_utc(column), None
    column = as_texts(column, where, "numbers, dates or categories")
    filled = column.drop_nulls()
    if not len(filled):
        return column, None
    is_number = filled.str.contains(_NUMBER)
    numeric = is_number | filled.str.contains(_NAN)
    if numeric.all() and is_number.any():
        if filled.str.contains(LEADING_ZERO).any() or merge_as_floats(filled):
            return column, None
        return parse_numbers(column), None
    if filled.str.contains(_TIME).all():
        times = parse_times(column)
        if times.null_count() == column.null_count():
            return times, None
    others = len(filled) - int(numeric.sum())
    if others > 0 and 1 - others / len(filled) >= NOTE_SHARE:
        odd = filled.filter(~numeric)[0]
        return column, f"{others:,} of {len(filled):,} cells are not numbers, such as '{odd}'"
    return column, None


def as_utc(column: pl.Series) -> pl.Series:
    """Dates or datetimes as datetimes in microseconds, without a time zone."""
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return column.cast(pl.Datetime("us"))


def is_missing_word(texts: pl.Series) -> pl.Series:
    """Which cells are a word for a missing value: bool `[rows]`."""
    return texts.str.to_lowercase().is_in(MISSING_WORDS).fill_null(False)


def infer_kind(texts: pl.Series) -> Kind:
    """The tabular kind of most of these stripped strings; a few may be of another kind.

    Example:
        `["1.5", "2", "n/a"]` are numbers, `["2024-01-31"]` a date, `["red", "2"]` a category.
    """
    filled = sample_cells(texts.filter(texts.is_not_null() & ~is_missing_word(texts)))
    if not len(filled):
        return "category"
    if parse_numbers(filled).is_not_null().sum() >= TYPE_SHARE * len(filled):
        return "category" if merge_as_floats(filled) or _are_named_codes(texts) else "number"
    times = parse_times(filled).drop_nulls()
    return date_kind(times) if len(times) >= TYPE_SHARE * len(filled) else "category"


def _are_named_codes(texts: pl.Series) -> bool:
    """Whether these are whole numbers that recur, in a column with the name of codes."""
    values = texts.drop_nulls()
    if not is_code_name(texts.name) or not values.str.contains(r"^[0-9]+(\.0+)?$").all():
        return False
    distinct = values.n_unique()
    return distinct <= min(MAX_CATEGORIES, REPEAT_SHARE * len(values))


def date_kind(times: pl.Series) -> Literal["date", "datetime"]:
    """`datetime` if any has a time of the day, in whole seconds."""
    return "datetime" if (times.dt.truncate("1s") != times.dt.truncate("1d")).any() else "date"


def sort_names(names: list[str]) -> tuple[str, ...]:
    """Names in alphabetical order, or in numerical order if all are numbers."""
    try:
        keys = {name: float(name) for name in names}
    except ValueError:
        return tuple(sorted(names))
    if not all(math.isfinite(key) for key in keys.values()):
        return tuple(sorted(names))
    return tuple(sorted(names, key=lambda name: (keys[name], name)))


def strip_texts(column: pl.Series) -> pl.Series:
    """Cells as strings without the whitespace around them; null where nothing is left."""
    stripped = column.cast(pl.String).str.strip_chars()
    return stripped.set(stripped == "", None)


def count_words(texts: pl.Series) -> pl.Series:
    """The number of words of each text; a Chinese, Japanese or Thai character counts as one."""
    return texts.str.replace_all(UNSPACED, " x ").str.count_matches(r"\S+")


def sample_cells(column: pl.Series) -> pl.Series:
    """At most about 10,000 cells, evenly spread over the rows."""
    return column.gather_every(max(1, len(column) // SAMPLE))
