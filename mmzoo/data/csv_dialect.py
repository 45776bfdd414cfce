"""CSV text: its encoding, where its records and cells end, and the checks that polars omits.

polars reads the cells. It would pad short records with nulls, truncate long ones and read on past a
quote that is never closed, so the text is first split into records here and each is checked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from mmzoo.data.csv_header import check_first_line, parse_header
from mmzoo.data.table_format import Encoding
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec.wording import describe, escape

_CHUNK = 1 << 24
_QUOTING_FIX = (
    "Enclose such a cell in quotes and double those within, or write `quote: null` into the "
    "config's source if quotes are part of the text."
)


def as_utf8(content: bytearray, shown: str, encoding: Encoding) -> bytearray:
    """The text re-encoded as UTF-8, without a byte order mark.

    Raises:
        DataError: It is not text in this encoding; names the line.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding != "utf-16":
        raise DataError(
            f"{shown}: it is UTF-16 text. Write `encoding: utf-16` into the config's source, or "
            "save it as UTF-8."
        )
    nul = content[:1000].count(0)
    if encoding != "utf-16" and nul * 3 > min(len(content), 1000):
        raise DataError(
            f"{shown}: every other byte of it is 0, so it seems to be UTF-16 text. Write "
            "`encoding: utf-16` into the config's source, or save it as UTF-8."
        )
    if encoding != "utf-8":
        try:
            content = bytearray(content.decode(encoding).encode("utf-8"))
        except UnicodeError as error:
            raise DataError(
                f"{shown}: it is not {encoding} text ({error}). Set `source.encoding` to another."
            ) from None
    if content.startswith(b"\xef\xbb\xbf"):
        del content[:3]
    if encoding == "utf-8" and not content.isascii():
        _check_utf8(content, shown)
    offset = content.find(0)
    if offset >= 0:
        raise DataError(
            f"{shown}: line {_line_number(content, offset):,} has a NUL byte, so the file is "
            "damaged or not text. Download it again, or remove these bytes."
        )
    return content


def _check_utf8(content: bytearray, shown: str) -> None:
    start = 0
    while start < len(content):
        end = min(start + _CHUNK, len(content))
        # A chunk must not end within a character: those bytes begin with the bits 10.
        while end < len(content) and content[end] & 0xC0 == 0x80 and end > start + _CHUNK - 4:
            end -= 1
        try:
            content[start:end].decode("utf-8")
        except UnicodeDecodeError as error:
            offset = start + error.start
            raise DataError(
                f"{shown}: line {_line_number(content, offset):,} is not UTF-8 text, at byte "
                f"0x{content[offset]:02x}. Save it as UTF-8, or write `encoding: windows-1252` or "
                "`encoding: latin-1` into the config's source if that is what it is."
            ) from None
        start = end


def _line_number(content: bytearray, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1


def read_delimited(
    content: bytearray,
    shown: str,
    separator: str | None,
    default: str,
    quote: str | None,
    wanted: Collection[str] | None,
) -> tuple[pl.DataFrame, tuple[str, ...], Mapping[int, str]]:
    """The cells of a CSV text as strings; null where a cell is empty.

    Args:
        content: UTF-8 text without a byte order mark.
        shown: The file's name, for errors.
        separator: The one that the config names, if any.
        default: The separator that the file's suffix implies.
        quote: The quote character; None if there is none.
        wanted: The columns to read; None for all.

    Returns:
        The columns; the names of all columns of the file; and row -> reason for rows with too few
        or too many cells. Blank lines are ignored, unless there is only one column.

    Raises:
        DataError: The text is malformed; names the line and the likely fix.
    """
    mark = separator or default
    if b"\n" not in content and b"\r" in content:
        raise DataError(
            f"{shown}: its lines end with a carriage return alone, as on old Macs. Save it with "
            "the line ends of Unix or Windows."
        )
    if separator is None:
        check_first_line(content, shown, mark, quote)
    records = _records(content, shown, mark, quote)
    filled = records.text.str.contains(r"\S").arg_true()
    if not len(filled):
        raise DataError(f"{shown}: it has only blank lines.")
    first = int(filled[0])
    header = records.text[first].removesuffix("\r")
    names = parse_header(header, shown, mark, quote, chosen=separator is not None)
    before = records.text[: first + 1]
    content = content[int(before.str.len_bytes().sum()) + len(before) :]
    rows, cells = records.text[first + 1 :], records.cells[first + 1 :]
    # In a table of one column, a blank line is an empty cell.
    blank = rows.is_in(["", "\r"]) & (len(names) > 1)
    if blank.all():
        raise DataError(f"{shown}: there are no rows below the header.")
    frame = _read_cells(content, shown, mark, quote, len(names), _selected(names, wanted))
    if frame.height != len(rows):
        raise DataError(
            f"{shown}: {frame.height:,} rows were read of {len(rows):,}. mmzoo does not "
            "understand its format; save it again, as Parquet if possible."
        )
    if blank.any():
        frame, cells = frame.filter(~blank), cells.filter(~blank)
    return frame, names, _ragged_rows(cells, len(names), shown, mark)


class _Records(NamedTuple):
    text: pl.Series
    """Each record: a line, or several where line ends are within quotes. Without its `\\n`."""
    cells: pl.Series
    """The number of cells of each."""


def _records(content: bytearray, shown: str, separator: str, quote: str | None) -> _Records:
    """The records of a text, each with its number of cells.

    Raises:
        DataError: A quote neither opens nor closes a cell, or is never closed; names the line.
    """
    lines = pl.Series([bytes(content)]).cast(pl.String).str.split("\n").explode()
    if content.endswith(b"\n") or not content:
        lines = lines[:-1]
    mark = re.escape(separator)
    if not quote or quote.encode() not in content:
        return _Records(lines, lines.str.count_matches(mark) + 1)
    # A line belongs to the next one's record while an odd number of quotes has been seen; doubled
    # quotes count as two.
    closed = lines.str.count_matches(quote).cum_sum() % 2 == 0
    record = closed.cum_sum().shift(1, fill_value=0)
    text = lines
    if not closed.all():
        grouped = pl.DataFrame({"record": record, "text": lines}).group_by(
            "record", maintain_order=True
        )
        text = grouped.agg(pl.col("text").str.join("\n"))["text"]
    quoted = f"{quote}(?:[^{quote}]|{quote}{quote})*{quote}"
    cell = f"(?:{quoted}|[^{quote}{mark}]*)"
    well_formed = text.str.contains(f"^(?:{cell}{mark})*{cell}\r?$")
    if not well_formed.all():
        place = int((~well_formed).arg_true()[0])
        line = 1 + int((record < record.unique(maintain_order=True)[place]).sum())
        _raise_misquoted(text[place], line, f"(?:{cell}{mark})*", quoted, shown, quote)
    return _Records(text, text.str.replace_all(quoted, "").str.count_matches(mark) + 1)


def _raise_misquoted(
    record: str, line: int, prefix: str, quoted: str, shown: str, quote: str
) -> None:
    """Explains the first misplaced quote of a malformed record.

    Args:
        record: Its text.
        line: The number of its first line.
        prefix: A pattern for the well-formed cells that it begins with.
        quoted: A pattern for a quoted cell.
        shown: The file's name.
        quote: The quote character.
    """
    start = re.match(prefix, record).end()  # type: ignore[union-attr]
    offset = record.index(quote, start)
    if offset == start:
        closed = re.compile(quoted).match(record, start)
        if closed is None:
            # Usually an earlier cell is to blame that runs over many lines.
            line += record.count("\n", 0, record.rindex(quote))
            raise DataError(
                f"{shown}: line {line:,} or one before it opens a quote that is never closed. "
                f"{_QUOTING_FIX}"
            )
        offset = closed.end() - 1
    near = record[max(offset - 20, 0) : offset + 20]
    raise DataError(
        f"{shown}: line {line + record.count(chr(10), 0, offset):,} has a quote where a cell "
        f"neither begins nor ends, near {describe(near)}. {_QUOTING_FIX}"
    )


def _selected(names: Sequence[str], wanted: Collection[str] | None) -> dict[int, str]:
    """Index -> name of the columns to read; where none is wanted the first, as rows must exist."""
    requested = set(names if wanted is None else wanted)
    selected = {index: name for index, name in enumerate(names) if name in requested}
    return selected or {0: names[0]}


def _read_cells(
    content: bytearray,
    shown: str,
    separator: str,
    quote: str | None,
    width: int,
    names: Mapping[int, str],
) -> pl.DataFrame:
    # Generated names: polars might parse the quoting of the table's own names differently.
    given = [str(index) for index in range(width)]
    try:
        frame = pl.read_csv(
            separator.join(given).encode() + b"\n" + content,
            schema=dict.fromkeys(given, pl.String),
            columns=[given[index] for index in names],
            separator=separator,
            quote_char=quote,
            truncate_ragged_lines=True,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        first = escape(str(error).splitlines()[0])
        raise DataError(f"{shown}: it cannot be read as a table ({first}).") from None
    return frame.rename({given[index]: name for index, name in names.items()})


def _ragged_rows(cells: pl.Series, width: int, shown: str, separator: str) -> dict[int, str]:
    """Row -> reason for rows with too few or too many cells.

    Raises:
        DataError: Most rows do not match the header, so the format is probably wrong.
    """
    ragged = {
        row: f"it has {_count(cells[row])}, and the header has {width}"
        for row in (cells != width).arg_true().to_list()
    }
    if len(ragged) * 2 > len(cells):
        row, why = next(iter(ragged.items()))
        raise DataError(
            f"{shown}: {len(ragged):,} of {len(cells):,} rows do not match the header; row "
            f"{row + 1:,}: {why}. Is the header missing, or do cells with "
            f"{describe(separator)} in them lack quotes?"
        )
    return ragged


def _count(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells:,} cells"
