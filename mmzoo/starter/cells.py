"""What is in the cells of a column: the facts that its kind is decided by."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mmzoo.lazy import pl
from mmzoo.starter.disguise import Disguise, disguise_of

SAMPLE = 10_000
"""Rows that are looked at where a share is enough to know."""
_MOST = 0.9
"""The share of cells from which on the others are exceptions."""

SUFFIXES = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"), "image"),
    **dict.fromkeys((".wav", ".flac", ".ogg", ".mp3"), "audio"),
}
"""What files are by their endings."""
_UNREAD_SUFFIXES = (".tif", ".tiff", ".heic", ".avif", ".svg", ".m4a", ".aac", ".wma", ".mp4")
"""Of files that are pictures or sound, and that mmzoo does not read."""
_CJK = r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
"""Letters that are words by themselves, or nearly: Chinese and Japanese have no spaces."""
_DAY = r"^\d{4}-\d{2}-\d{2}$"
_DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"

Reads = Literal["number", "date", "text", "list", "nested"]


@dataclass(frozen=True)
class Cells:
    """What is in a column. `distinct` and `missing` count all rows; shares are of a sample.

    Attributes:
        name: Of the column.
        rows: How many there are.
        missing: How many cells are empty.
        distinct: How many different values the others have.
        reads: What all of them read as.
        whole: Whether all are whole numbers, or dates without a time.
        span: The smallest and the largest number.
        codes: Whether numbers begin with zeros, as postcodes do.
        odd: A cell that is no number or no date where nearly all others are one.
        disguise: What nearly all would be read as, if they were written otherwise.
        media: What the endings of nearly all cells say: "image" or "audio".
        unread: An ending of pictures or sound that mmzoo does not read.
        words: The words in a usual cell; each Chinese letter counts as one.
        characters: Whether most words are Chinese letters.
        example: The first value.
    """

    name: str
    rows: int
    missing: int
    distinct: int
    reads: Reads = "text"
    whole: bool = False
    span: tuple[float, float] = (0.0, 0.0)
    codes: bool = False
    odd: str | None = None
    disguise: Disguise | None = None
    media: Literal["image", "audio"] | None = None
    unread: str | None = None
    words: float = 0.0
    characters: bool = False
    example: str = ""

    @property
    def filled(self) -> int:
        return self.rows - self.missing

    @property
    def repeats(self) -> bool:
        """Whether values come back often enough to be values of something."""
        return self.distinct <= self.filled / 2


def look(column: pl.Series) -> Cells:
    """The facts on a column, texts without the space round them."""

    kind = column.dtype
    if isinstance(kind, pl.List | pl.Array):
        return _of(column, "list")
    if kind.is_nested() or kind in (pl.Object, pl.Binary, pl.Time, pl.Duration):
        return Cells(column.name, len(column), column.null_count(), 0, "nested")
    if kind in (pl.Date, pl.Datetime):
        return _of(column, "date", whole=kind == pl.Date)
    if kind == pl.Boolean:
        return _of(column.cast(pl.String), "text", words=1.0)
    if kind.is_numeric():
        values = column.cast(pl.Float64).fill_nan(None)
        return _of_numbers(values, values, codes=False)
    return _of_texts(texts(column))


def texts(column: pl.Series) -> pl.Series:
    """Cells as text without the space round them, those that are then empty as missing."""

    stripped = column.cast(pl.String).str.strip_chars()
    return stripped.set(stripped.str.len_bytes() == 0, None)


def numbers(column: pl.Series) -> pl.Series:
    """Cells as the source `table` reads them: float64, null where there is no finite number."""
    from mmzoo.sources.table.cells import numbers as read_numbers

    found = read_numbers(column)
    return found.set(~found.is_finite(), None)


def _of_texts(column: pl.Series) -> Cells:
    filled = column.drop_nulls()
    if filled.is_empty():
        return _of(column, "text")
    few = filled.gather_every(max(1, len(filled) // SAMPLE))
    if numbers(few).null_count() <= (1 - _MOST) * len(few):
        values = numbers(filled)
        if values.null_count() == 0:
            return _of_numbers(column, values, bool(filled.str.contains(r"^[-+]?0\d").any()))
        odd = filled.filter(values.is_null())
        return _of(column, "text", odd=_first(odd), words=1.0)
    if few.str.contains(_DATE).sum() >= _MOST * len(few):
        others = filled.filter(~filled.str.contains(_DATE))
        if not others.is_empty():
            return _of(column, "text", odd=_first(others), words=1.0)
        return _of(column, "date", whole=bool(filled.str.contains(_DAY).all()))
    return _of(column, "text", disguise=disguise_of(few), **_words(few))


def word_counts(column: pl.Series) -> pl.Series:
    """How many words each text has; Chinese and Japanese letters count as one each."""
    return column.str.replace_all(_CJK, " x ").str.count_matches(r"\S+")


def _words(few: pl.Series) -> dict[str, object]:
    letters, words = few.str.count_matches(_CJK), word_counts(few)
    usual = words.median()
    assert isinstance(usual, int | float)
    return {
        "words": float(usual),
        "characters": bool(letters.sum() * 2 > words.sum()),
        **_endings(few.str.to_lowercase().to_list()),
    }


def _endings(cells: Sequence[str]) -> dict[str, object]:
    endings = [os.path.splitext(cell)[1] for cell in cells]
    for media in ("image", "audio"):
        if sum(SUFFIXES.get(ending) == media for ending in endings) >= _MOST * len(endings):
            return {"media": media}
    unread = [ending for ending in endings if ending in _UNREAD_SUFFIXES]
    return {"unread": unread[0]} if len(unread) >= _MOST * len(endings) else {}


def _of_numbers(column: pl.Series, values: pl.Series, codes: bool) -> Cells:
    found = values.drop_nulls()
    found = found.filter(found.is_finite())
    if found.is_empty():
        return _of(column, "number")
    low, high = found.min(), found.max()
    assert isinstance(low, float)
    assert isinstance(high, float)
    whole = bool((found == found.round()).all())
    return _of(column, "number", whole=whole, span=(low, high), codes=codes)


def _of(column: pl.Series, reads: Reads, **facts: object) -> Cells:
    filled = column.drop_nulls()
    return Cells(
        name=column.name,
        rows=len(column),
        missing=column.null_count(),
        distinct=filled.n_unique(),
        reads=reads,
        example=_first(filled),
        **facts,  # type: ignore[arg-type]
    )


def _first(column: pl.Series) -> str:
    return "" if column.is_empty() else str(column[0])
