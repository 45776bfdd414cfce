"""The rows of a table, however its file is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.sources.table.format import TableFormat
from mmzoo.sources.table.reading import Cells, read_cells
from mmzoo.starter.cells import numbers, texts

_FORMATS: tuple[dict[str, Any], ...] = tuple(
    {**encoding, **separator}
    for encoding in ({}, {"encoding": "utf-16"}, {"encoding": "windows-1252"})
    for separator in ({}, {"separator": ";"}, {"separator": "\t"}, {"separator": "|"})
)
"""Ways to write a table's file, likeliest first; by default commas, and tabs in .tsv files."""
_MISSING = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "none", "?", "-", "--", ".")
"""What people write where a number is missing."""
_MOSTLY = 0.5


@dataclass(frozen=True)
class Rows:
    """A table as it was read.

    Attributes:
        frame: all rows but the bad ones; empty cells are null.
        form: fields of the source that say how the file is written, where that is not as usual.
        why: why those, by field.
        bad: rows with too few or too many cells, counted from 0, and a clause on each.
    """

    frame: pl.DataFrame
    form: Mapping[str, Any]
    why: Mapping[str, str]
    bad: Mapping[int, str]


def read_rows(path: str) -> Rows:
    """Reads a table's file, by another separator or encoding where the usual ones do not fit.

    Raises:
        DataError: it is no table; the words are those for the usual way to write one.
    """
    first: DataError | None = None
    for form in _FORMATS:
        try:
            cells = read_cells(path, TableFormat(**form), field="TABLE")
        except DataError as error:
            first = first or error
            continue
        if first is not None and "separator" in form and cells.frame.width == 1:
            continue  # Whatever is wrong with the usual one, this one separates nothing.
        missing = tuple(_missing_values(_whole(cells)))
        why = dict.fromkeys(form, "how the file is written")
        if missing:
            form = {**form, "missing_values": missing}
            why["missing_values"] = "texts in columns of numbers that stand for none"
        if missing:
            cells = read_cells(path, TableFormat(**form))
        return Rows(_whole(cells), form, why, cells.bad)
    assert first is not None
    raise first


def _whole(cells: Cells) -> pl.DataFrame:
    """The rows without those of too few or too many cells, where one stands in another's place."""

    return cells.frame.filter(~pl.int_range(pl.len()).is_in(list(cells.bad)))


def _missing_values(frame: pl.DataFrame) -> Sequence[str]:
    """The texts that keep columns from being numbers, where they are known to stand for none."""

    found: set[str] = set()
    for column in frame.select(pl.col(pl.String)):
        filled = texts(column).drop_nulls()
        values = numbers(filled)
        if not 0 < values.null_count() <= (1 - _MOSTLY) * len(filled):
            continue
        odd = set(filled.filter(values.is_null()).unique().to_list())
        if odd <= set(_MISSING):
            found |= odd
    return [text for text in _MISSING if text in found]
