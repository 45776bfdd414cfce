"""Format detection: the separator, encoding and missing-value markers of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mmzoo.data import TableFormat
from mmzoo.data.column_types import (
    MISSING_WORDS,
    NOTE_SHARE,
    is_missing_word,
    parse_numbers,
    strip_texts,
)
from mmzoo.data.csv_dialect import declared_separator, likely_separators
from mmzoo.data.frame import ROW
from mmzoo.data.number_formats import Decimal, detect_decimal, plain_numbers
from mmzoo.data.table_files import open_table, read_content
from mmzoo.data.table_format import separator_of
from mmzoo.data.table_reader import read_table, with_missing
from mmzoo.data.text_encoding import guess_encoding
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec.wording import escape, shorten

_PLACEHOLDERS = (
    *MISSING_WORDS,
    *("--", "---", ".", "..", "n.a.", "na.", "<na>", "nil", "missing", "unknown", "not available"),
    *("#n/a", "#na", "#value!", "#div/0!", "#ref!", "#num!", "#null!", "#name?"),
)
"""Words for missing values, in lower case; the last ones are errors of spreadsheets."""
_NUMERIC_SHARE = 0.5
"""From this share of numbers on, placeholders in a column stand for missing numbers."""


@dataclass(frozen=True)
class DetectedTable:
    """A table in the format that fits it.

    Attributes:
        frame: All well-formed rows; empty cells are null.
        fields: Fields of the source on the format, where it is not the default.
        malformed: Row -> reason for rows with too few or too many cells.
        warnings: Sentences on what was guessed.
    """

    frame: pl.DataFrame
    fields: Mapping[str, Any]
    malformed: Mapping[int, str]
    warnings: tuple[str, ...] = ()


def detect_format(path: str, words: Iterable[str] = ()) -> DetectedTable:
    """Reads a table, trying other separators and encodings where the defaults do not fit.

    Args:
        path: The table.
        words: Names that should be in it, which tell its encoding.

    Raises:
        DataError: It is not a table in any of these formats; the message is that for the likeliest.
    """
    first: DataError | None = None
    encoding, warnings, separators = _text_format(path, words)
    for separator in separators:
        fields: dict[str, Any] = {**encoding, **separator}
        try:
            raw = read_table(path, TableFormat(**fields), field="TABLE")
        except DataError as error:
            first = first or error
            continue
        frame = raw.drop(raw.issues["row"].to_list()).table.drop(ROW)
        if markers := dict(_missing_values(frame)):
            fields["missing_values"] = markers
            frame = with_missing(frame, markers)
        if (found := detect_decimal(frame.select(pl.col(pl.String)))) is not None:
            decimal, column, cell = found
            fields["decimal"] = decimal
            frame = frame.with_columns(_numeric(frame.select(pl.col(pl.String)), decimal))
            plain = plain_numbers(pl.Series([cell]), decimal)[0]
            warnings += (
                f"{column}: '{shorten(cell)}' is read as {plain}: `decimal: \"{decimal}\"`",
            )
        malformed = {row: reason for row, (_, reason) in raw.found_issues().items()}
        return DetectedTable(frame, fields, malformed, warnings)
    assert first is not None
    raise first


def _text_format(
    path: str, words: Iterable[str]
) -> tuple[dict[str, str], tuple[str, ...], list[dict[str, str]]]:
    """The encoding as a field, warnings on it, and possible separators, likeliest first."""
    with open_table(path, "TABLE") as (file, kind, compression):
        if kind == "parquet":
            return {}, (), [{}]
        content = read_content(file, escape(path), compression)
    encoding: dict[str, str] = {}
    warnings: tuple[str, ...] = ()
    if (guessed := guess_encoding(content, words)) is not None:
        encoding = {"encoding": guessed.name}
        content = bytearray(content.decode(guessed.name, "replace").encode())
        if guessed.cell:
            warnings = (
                f"{escape(path)}: its text is not UTF-8; the guessed encoding is {guessed}. If "
                "that is wrong, correct `encoding` in the config's source, or save it as UTF-8",
            )
    if kind == "jsonl" or declared_separator(content):
        return encoding, warnings, [{}]
    default = separator_of(kind, None)
    separators = likely_separators(content, default)
    return encoding, warnings, [{} if s == default else {"separator": s} for s in separators]


def _numeric(texts: pl.DataFrame, decimal: Decimal) -> Iterator[pl.Series]:
    """The columns that hold numbers with this decimal mark, as plain numbers."""
    for column in texts:
        plain = plain_numbers(column, decimal)
        filled = plain.filter(plain.is_not_null() & ~is_missing_word(plain.str.strip_chars()))
        if parse_numbers(filled).is_not_null().sum() >= NOTE_SHARE * len(filled):
            yield plain


def _missing_values(frame: pl.DataFrame) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Column of numbers -> the placeholders that stand for missing numbers in it."""
    for column in frame.select(pl.col(pl.String)):
        filled = strip_texts(column).drop_nulls()
        is_number = parse_numbers(filled).is_not_null()
        if is_number.all() or is_number.sum() < _NUMERIC_SHARE * len(filled):
            continue
        others = set(filled.filter(~is_number).unique().to_list())
        if all(other.lower() in _PLACEHOLDERS for other in others):
            yield column.name, tuple(sorted(others))
