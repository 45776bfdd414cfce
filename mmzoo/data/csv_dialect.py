"""CSV text: column names in the header, the ends of records and cells, and malformed rows.

polars reads the cells. It would pad short records with nulls, truncate long ones and read on past a
quote that is never closed, so the text is first split into records here and each is checked.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec.wording import describe, escape, shorten

_SEPARATORS = {",": "','", ";": "';'", "\t": "'\\t'", "|": "'|'"}
"""The usual separators, each as YAML writes it within double quotes."""
_SEPARATOR_LINE = re.compile(rb'"?sep=([,;|\t])"?(?=\r?\n)', re.IGNORECASE)
_LONGEST_LINE = 1 << 16
_QUOTING_FIX = (
    "Enclose such a cell in quotes and double those within, or write `quote: null` into the "
    "config's source if quotes are part of the text."
)


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
    separator = declared_separator(content) or separator
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
    frame = _read_cells(content, shown, mark, quote, names, wanted)
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


def _read_cells(
    content: bytearray,
    shown: str,
    separator: str,
    quote: str | None,
    names: Sequence[str],
    wanted: Collection[str] | None,
) -> pl.DataFrame:
    """The wanted columns; the first if none is wanted, as the rows must be counted.

    Raises:
        DataError: The last column has no name, but cells that are not empty.
    """
    width = len(names)
    ends_unnamed = width > 1 and not names[-1]
    named = names[:-1] if ends_unnamed else names
    requested = set(named if wanted is None else wanted)
    selected = {index: name for index, name in enumerate(named) if name in requested}
    selected = selected or {0: names[0]}
    # Generated names: polars might parse the quoting of the table's own names differently.
    given = [str(index) for index in range(width)]
    try:
        frame = pl.read_csv(
            separator.join(given).encode() + b"\n" + content,
            schema=dict.fromkeys(given, pl.String),
            columns=[given[index] for index in (*selected, *([width - 1] if ends_unnamed else []))],
            separator=separator,
            quote_char=quote,
            truncate_ragged_lines=True,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        first = escape(str(error).splitlines()[0])
        raise DataError(f"{shown}: it cannot be read as a table ({first}).") from None
    if ends_unnamed:
        last = frame.drop_in_place(given[-1]).replace("", None).drop_nulls()
        if len(last):
            raise _unnamed(shown, width - 1, width, f"One of its cells is {describe(last[0])}")
    return frame.rename({given[index]: name for index, name in selected.items()})


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


# The header


def declared_separator(content: bytearray) -> str | None:
    """The separator that the first line declares for Excel, as in `sep=;`; blanks that line."""
    found = _SEPARATOR_LINE.match(content)
    if found is None:
        return None
    separator = found[1].decode()
    del content[: found.end()]
    return separator


def header_names(
    text: str, shown: str, separator: str, quote: str | None, chosen: bool
) -> tuple[str, ...] | None:
    """The column names in the first line that is not blank; None if the text ends before it does.

    Args:
        text: The beginning of the file.
        shown, separator, quote, chosen: See `parse_header`.
    """
    line = ""
    for part in text.split("\n"):
        line += part
        if quote and line.count(quote) % 2:  # A line end within a quoted name.
            line += "\n"
        elif line.strip():
            return parse_header(line.removesuffix("\r"), shown, separator, quote, chosen)
        else:
            line = ""
    return None


def parse_header(
    line: str, shown: str, separator: str, quote: str | None, chosen: bool
) -> tuple[str, ...]:
    """All column names; the first one may be missing and is then ''.

    Args:
        line: The header without its line end.
        shown: The file's name, for errors.
        separator: Between the names.
        quote: The quote character; None if there is none.
        chosen: Whether the config names the separator.

    Raises:
        DataError: It cannot be parsed, a name is missing or duplicate, or another separator is
            probably meant.
    """
    try:
        [cells] = csv.reader(
            [line],
            delimiter=separator,
            quotechar=quote or '"',
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            strict=True,
        )
    except (csv.Error, ValueError) as error:
        raise DataError(
            f"{shown}: the header cannot be parsed ({error}): {describe(line)}."
        ) from None
    names = tuple(cell.strip() for cell in cells)
    if len(names) == 1 and not chosen:
        _check_separator(line, shown, separator)
    _check_names(names, shown, line)
    return names


def check_first_line(content: bytearray, shown: str, separator: str, quote: str | None) -> None:
    """Rejects a wrong separator before quotes are checked, which may be valid with another one.

    Raises:
        DataError: The first line has another of the usual separators instead of this one.
    """
    line = content[:_LONGEST_LINE].lstrip().partition(b"\n")[0].decode("utf-8", "replace")
    if separator not in line and (quote is None or quote not in line):
        _check_separator(line, shown, separator)


def likely_separators(content: bytearray, default: str) -> list[str]:
    """The separators in the first line that is not blank, likeliest first.

    Args:
        content: UTF-8 text.
        default: The separator that the file's suffix implies, which comes first if it occurs.
    """
    line = content[:_LONGEST_LINE].lstrip().partition(b"\n")[0].decode("utf-8", "replace")
    counts = {mark: line.count(mark) for mark in (*_SEPARATORS, default)}
    found = sorted((mark for mark in counts if counts[mark]), key=lambda mark: -counts[mark])
    if default in found or not found:
        return [default, *(mark for mark in found if mark != default)]
    return found


def _check_separator(line: str, shown: str, separator: str) -> None:
    others = {mark: line.count(mark) for mark in _SEPARATORS if mark != separator}
    mark = max(others, key=lambda one: others[one])
    if others[mark]:
        expected = _SEPARATORS.get(separator, repr(separator))
        raise DataError(
            f"{shown}: its cells seem to be separated by {_SEPARATORS[mark]}, not by {expected}: "
            f'the header is {describe(line)}. Write `separator: "{_SEPARATORS[mark][1:-1]}"`'
            f" into the config's source, or save the table with {expected}."
        )


def _check_names(names: Sequence[str], shown: str, line: str) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        # The first may be missing: pandas writes the row numbers there. The last may be, if there
        # is a separator at the end of each line.
        if not name and (len(names) == 1 or 0 < index < len(names) - 1):
            raise _unnamed(shown, index, len(names), f"The header is {describe(line)}")
        if not name:
            continue
        if name in seen:
            raise DataError(
                f"{shown}: columns {seen[name] + 1} and {index + 1} are both called "
                f"'{shorten(name)}'. Rename one of them."
            )
        seen[name] = index


def _unnamed(shown: str, index: int, width: int, detail: str) -> DataError:
    return DataError(
        f"{shown}: column {index + 1} of {width} has no name. {detail}. Name it, or remove it."
    )
