"""Text whose cells stand between separators. What is not quite such text is refused, not guessed.

polars reads the cells, and would fill short lines up, cut long ones off and read on past a quote
that is never closed. So quotes, separators and line ends are counted here first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.sources.table.line_of_names import check_first_line, names_in
from mmzoo.sources.table.marks import Marks, marks_of
from mmzoo.spec.wording import describe, printable


@dataclass(frozen=True)
class Header:
    """The first line."""

    names: tuple[str, ...]
    """Of all columns; a first one without a name is called ''."""
    end: int
    """Where the rows begin, in bytes."""


def read_delimited(
    content: bytearray,
    shown: str,
    separator: str | None,
    default: str,
    quote: str | None,
    wanted: Collection[str] | None,
) -> tuple[pl.DataFrame, tuple[str, ...], Mapping[int, str]]:
    """The cells of a table as strings; null where a cell is empty.

    Args:
        content: UTF-8 text without a byte order mark.
        shown: The file's name, for errors.
        separator: The one that the config names, if any.
        default: The one by the file's ending.
        quote: What encloses cells, if anything does.
        wanted: The columns to read; None for all.

    Returns:
        The columns, the names of all there are, and the rows that have too few or too many cells
        with a clause on each. Blank lines are no rows, where there is more than one column.

    Raises:
        DataError: It is no such text; says in which line not, and what may be meant.
    """

    mark = separator or default
    text = np.frombuffer(content, np.uint8)
    _check_line_ends(content, shown)
    if separator is None:
        check_first_line(content, shown, mark, quote)
    marks = marks_of(text, content, shown, mark, quote)
    header, at = _header(content, marks, shown, mark, quote, chosen=separator is not None)
    starts = marks.line_ends[at:-1] + 1
    ends = marks.line_ends[at + 1 :]
    carriage = text[np.maximum(ends - 1, 0)] == ord("\r")
    # In a table of one column, a blank line is an empty cell.
    blank = (ends - starts <= carriage) & (len(header.names) > 1)
    cells = np.diff(np.searchsorted(marks.separators, marks.line_ends[at:])) + 1
    del text
    if not len(starts) or blank.all():
        raise DataError(f"{shown}: there are no rows below the line of names.")
    width, names = len(header.names), _chosen(header.names, wanted)
    frame = _read_cells(content[header.end :], shown, mark, quote, width, names)
    if frame.height != len(starts):
        raise DataError(
            f"{shown}: {frame.height:,} rows were read of {len(starts):,}. The file is written in "
            "a way that mmzoo does not know; write it anew, as Parquet if it can be."
        )
    if blank.any():
        frame, cells = frame.filter(pl.Series(~blank)), cells[~blank]
    return frame, header.names, _ragged(cells, width, shown, mark)


def _chosen(names: Sequence[str], wanted: Collection[str] | None) -> dict[int, str]:
    """The columns to read, by place; where none is wanted, the first, as there must be rows."""
    asked = set(names if wanted is None else wanted)
    chosen = {place: name for place, name in enumerate(names) if name in asked}
    return chosen or {0: names[0]}


def _count(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells:,} cells"


def _ragged(cells: np.ndarray, width: int, shown: str, mark: str) -> dict[int, str]:
    """A clause on each row that has too few or too many cells.

    A table most of whose rows are so is refused: it is not what it seems to be.
    """

    ragged = {
        row: f"it has {_count(int(cells[row]))}, and the line of names has {width}"
        for row in np.flatnonzero(cells != width).tolist()
    }
    rows = len(cells)
    if rows and len(ragged) * 2 > rows:
        row, why = next(iter(ragged.items()))
        raise DataError(
            f"{shown}: {len(ragged):,} of {rows:,} rows do not fit the line of names; of row "
            f"{row + 1:,}: {why}. Is the first line not the columns' names, or do cells with "
            f"{describe(mark)} in them lack quotes?"
        )
    return ragged


def _check_line_ends(content: bytearray, shown: str) -> None:
    if b"\n" not in content and b"\r" in content:
        raise DataError(
            f"{shown}: its lines end as on old Macs, by a carriage return alone. Save it with "
            "the line ends of Unix or Windows."
        )


def _header(
    content: bytearray, marks: Marks, shown: str, separator: str, quote: str | None, chosen: bool
) -> tuple[Header, int]:
    """The first line that is not blank, and which one that is."""
    at, start = 0, 0
    while not content[start : marks.line_ends[at]].strip():
        start, at = int(marks.line_ends[at]) + 1, at + 1
        if at == len(marks.line_ends):
            raise DataError(f"{shown}: there is nothing in it but blank lines.")
    end = int(marks.line_ends[at])
    line = content[start:end].decode("utf-8").removesuffix("\r")
    names = names_in(line, shown, separator, quote, chosen)
    return Header(names, end + 1), at


def _read_cells(
    content: bytearray,
    shown: str,
    separator: str,
    quote: str | None,
    width: int,
    names: Mapping[int, str],
) -> pl.DataFrame:

    # Names of our own: those of the table may be quoted in ways that polars takes otherwise.
    given = [str(place) for place in range(width)]
    try:
        frame = pl.read_csv(
            separator.join(given).encode() + b"\n" + content,
            schema=dict.fromkeys(given, pl.String),
            columns=[given[place] for place in names],
            separator=separator,
            quote_char=quote,
            truncate_ragged_lines=True,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        first = printable(str(error).splitlines()[0])
        raise DataError(f"{shown}: it cannot be read as a table ({first}).") from None
    return frame.rename({given[place]: name for place, name in names.items()})
