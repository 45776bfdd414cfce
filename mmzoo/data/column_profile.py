"""Column profiles: the inferred type of a whole column, and the facts that it follows from."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mmzoo.data.column_types import (
    FEW_VALUES,
    LEADING_ZERO,
    MAX_CATEGORIES,
    NOTE_SHARE,
    REPEAT_SHARE,
    UNSPACED,
    Kind,
    as_utc,
    count_words,
    date_kind,
    infer_kind,
    is_missing_word,
    merge_as_floats,
    one_spelling,
    parse_numbers,
    parse_times,
    sample_cells,
    strip_texts,
)
from mmzoo.lazy import pl

ColumnType = Kind | Literal["boolean", "text", "file", "identifier", "labels", "nested", "empty"]
"""`file` is a column of paths, `labels` one of lists, `nested` one of structs or bytes."""


FILE_SHARE = 0.9
"""From this share of cells with the suffix of a file on, a column holds paths."""
MIN_TEXT_WORDS = 4
"""From this median number of words on, cells are sentences."""
MIN_NAME_WORDS = 2
"""From this median on, cells that hardly recur are titles or names, and read as text."""


@dataclass(frozen=True)
class ColumnProfile:
    """A column's inferred type and the facts it follows from.

    Attributes:
        rows, missing, distinct: The number of rows, of empty cells, and of different values
            whatever their spelling.
        cells: Its values as stripped strings; null where empty. Lists as they are.
        whole, span: Whether all numbers are whole; the smallest and the largest one.
        leading_zeros: Whether numbers begin with zeros, as postcodes do.
        odd, odd_example: How many cells are not what nearly all others are, numbers or dates; one.
        words: The median number of words, where each character of a script without spaces is one.
        unspaced: Whether most words are characters of a script without spaces.
        suffixes: File suffix, in lower case -> the share of cells that have it.
        files: Absolute paths of a sample of existing files, for columns of paths; `init` adds them.
    """

    name: str
    type: ColumnType
    rows: int
    missing: int
    distinct: int
    cells: pl.Series
    whole: bool = False
    span: tuple[float, float] = (0.0, 0.0)
    leading_zeros: bool = False
    odd: int = 0
    odd_example: str = ""
    words: float = 0.0
    unspaced: bool = False
    suffixes: Mapping[str, float] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    @property
    def filled(self) -> int:
        return self.rows - self.missing

    @property
    def repeats(self) -> bool:
        """Whether values recur often enough to be categories or classes."""
        return self.distinct <= REPEAT_SHARE * self.filled

    @property
    def example(self) -> str:
        filled = self.cells.drop_nulls()
        return "" if filled.is_empty() else str(filled[0])

    @property
    def sample(self) -> pl.Series:
        """At most about 10,000 cells that are not empty, evenly spread over the rows."""
        return sample_cells(self.cells.drop_nulls())

    def share_with_suffix(self, suffixes: Collection[str]) -> float:
        return sum(share for suffix, share in self.suffixes.items() if suffix in suffixes)


def profile_column(column: pl.Series, file_suffixes: Collection[str] = ()) -> ColumnProfile:
    """Infers the type of a column.

    Args:
        column: All of its cells.
        file_suffixes: Suffixes, in lower case, by which paths of files are recognized.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.List | pl.Array):
        return _profile("labels", column, column)
    if dtype.is_nested() or dtype in (pl.Object, pl.Binary, pl.Time, pl.Duration):
        cells = pl.Series([None] * len(column), dtype=pl.String)
        return ColumnProfile(column.name, "nested", len(column), column.null_count(), 0, cells)
    if dtype.is_float():
        column = column.fill_nan(None)
    cells = strip_texts(column)
    if cells.null_count() == len(cells):
        return _profile("empty", column, cells)
    if dtype in (pl.Date, pl.Datetime):
        return _profile(date_kind(as_utc(column).drop_nulls()), column, cells)
    if dtype == pl.Boolean:
        return _profile("boolean", column, cells, words=1.0)
    filled = cells.filter(cells.is_not_null() & ~is_missing_word(cells))
    if merge_as_floats(column):
        return _profile_texts(column, cells, filled, file_suffixes)
    if dtype.is_numeric():
        return _profile_numbers(column, cells, column.cast(pl.Float64))
    kind = infer_kind(cells)
    if kind == "number":
        return _profile_numbers(column, cells, parse_numbers(cells), **_odd(filled, parse_numbers))
    if kind in ("date", "datetime"):
        return _profile(kind, column, cells, **_odd(filled, parse_times))
    return _profile_texts(column, cells, filled, file_suffixes)


def _profile(kind: ColumnType, column: pl.Series, cells: pl.Series, **facts: Any) -> ColumnProfile:
    filled = cells.drop_nulls()
    distinct = (one_spelling(filled) if filled.dtype == pl.String else filled).n_unique()
    return ColumnProfile(
        column.name, kind, len(cells), len(cells) - len(filled), distinct, cells, **facts
    )


def _odd(filled: pl.Series, parse: Any) -> dict[str, Any]:
    others = filled.filter(parse(filled).is_null())
    return {"odd": len(others), "odd_example": others[0]} if len(others) else {}


def _profile_numbers(
    column: pl.Series, cells: pl.Series, values: pl.Series, **odd: Any
) -> ColumnProfile:
    found = values.drop_nulls()
    found = found.filter(found.is_finite())
    if found.is_empty():
        return _profile("empty", column, cells)
    low, high = float(found.min()), float(found.max())  # type: ignore[arg-type]
    whole = bool((found == found.round()).all())
    zeros = column.dtype == pl.String and bool(cells.str.contains(LEADING_ZERO).any())
    rows = len(column)
    numbers_rows = whole and low in (0, 1) and high - low == rows - 1 == found.n_unique() - 1 > 1
    kind: ColumnType = "identifier" if numbers_rows else "number"
    return _profile(kind, column, cells, whole=whole, span=(low, high), leading_zeros=zeros, **odd)


def _profile_texts(
    column: pl.Series, cells: pl.Series, filled: pl.Series, file_suffixes: Collection[str]
) -> ColumnProfile:
    sample = sample_cells(cells.drop_nulls())
    words = count_words(sample)
    endings = Counter(os.path.splitext(cell)[1] for cell in sample.str.to_lowercase().to_list())
    facts: dict[str, Any] = {
        "words": float(words.median() or 0),  # type: ignore[arg-type]
        "unspaced": bool(sample.str.count_matches(UNSPACED).sum() * 2 > words.sum()),
        "suffixes": {one: count / len(sample) for one, count in endings.items() if one},
    }
    for parse in (parse_numbers, parse_times):
        if parse(sample).is_not_null().sum() >= NOTE_SHARE * len(sample):
            facts |= _odd(filled, parse)
    profile = _profile("category", column, cells, **facts)
    return replace(profile, type=_text_type(profile, file_suffixes))


def _text_type(profile: ColumnProfile, file_suffixes: Collection[str]) -> ColumnType:
    if profile.share_with_suffix(file_suffixes) >= FILE_SHARE:
        return "file"
    if profile.words >= MIN_TEXT_WORDS and profile.distinct > FEW_VALUES:
        return "text"
    if profile.repeats and profile.distinct <= MAX_CATEGORIES:
        return "category"
    return "text" if profile.words >= MIN_NAME_WORDS and not profile.odd else "identifier"
