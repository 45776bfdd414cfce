"""Format detection: the separator, encoding and missing-value markers of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmzoo.data import TableFormat
from mmzoo.data.column_types import MISSING_WORDS, parse_numbers, strip_texts
from mmzoo.data.frame import ROW
from mmzoo.data.table_reader import read_table
from mmzoo.errors import DataError
from mmzoo.lazy import pl

_FORMATS: tuple[dict[str, Any], ...] = tuple(
    {**encoding, **separator}
    for encoding in ({}, {"encoding": "utf-16"}, {"encoding": "windows-1252"})
    for separator in ({}, {"separator": ";"}, {"separator": "\t"}, {"separator": "|"})
)
"""Formats of table files, likeliest first; the default separator follows from the suffix."""
_PLACEHOLDERS = (*MISSING_WORDS, "--", ".")
"""Words for missing values, in lower case."""
_NUMERIC_SHARE = 0.5
"""From this share of numbers on, placeholders in a column stand for missing numbers."""


@dataclass(frozen=True)
class DetectedTable:
    """A table in the format that fits it.

    Attributes:
        frame: All well-formed rows; empty cells are null.
        fields: Fields of the source on the format, where it is not the default.
        malformed: Row -> reason for rows with too few or too many cells.
    """

    frame: pl.DataFrame
    fields: Mapping[str, Any]
    malformed: Mapping[int, str]


def detect_format(path: str) -> DetectedTable:
    """Reads a table, trying other separators and encodings where the defaults do not fit.

    Raises:
        DataError: It is not a table in any of these formats; the message is that for the default.
    """
    first: DataError | None = None
    for fields in _FORMATS:
        try:
            raw = read_table(path, TableFormat(**fields), field="TABLE")
        except DataError as error:
            first = first or error
            continue
        if first is not None and "separator" in fields and raw.table.width == 2:
            continue  # This separator occurs nowhere, so the default's error is the relevant one.
        frame = raw.drop(raw.issues["row"].to_list()).table.drop(ROW)
        if missing := _missing_values(frame):
            fields = {**fields, "missing_values": missing}
            texts = pl.col(pl.String)
            is_missing = texts.is_in(missing)
            frame = frame.with_columns(pl.when(~is_missing).then(texts).name.keep())
        malformed = {row: reason for row, (_, reason) in raw.found_issues().items()}
        return DetectedTable(frame, fields, malformed)
    assert first is not None
    raise first


def _missing_values(frame: pl.DataFrame) -> tuple[str, ...]:
    """The placeholders that stand for missing numbers in columns of numbers."""
    found: set[str] = set()
    for column in frame.select(pl.col(pl.String)):
        filled = strip_texts(column).drop_nulls()
        is_number = parse_numbers(filled).is_not_null()
        if is_number.all() or is_number.sum() < _NUMERIC_SHARE * len(filled):
            continue
        others = set(filled.filter(~is_number).unique().to_list())
        if all(other.lower() in _PLACEHOLDERS for other in others):
            found |= others
    return tuple(sorted(found))
