"""Where the cells and lines of a text end, by its quotes, separators and line ends.

Nothing here walks the text byte by byte in Python: a gigabyte takes seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.table.encoding import line_of
from mmzoo.spec.wording import describe

_CHUNK = 1 << 24


@dataclass(frozen=True)
class Marks:
    """Where things are in a text, in bytes, ascending; int64."""

    line_ends: np.ndarray
    """Line ends that are not within quotes, and the text's end where the last line has none."""
    separators: np.ndarray
    """Separators that are not within quotes."""


def marks_of(
    text: np.ndarray, content: bytearray, shown: str, separator: str, quote: str | None
) -> Marks:
    """Finds the marks of a text.

    Args:
        text: The bytes, uint8.
        content: The same.
        shown: The file's name, for errors.
        separator: Between cells.
        quote: Around cells, if anything is.

    Raises:
        DataError: A quote is where none can be, or is never closed; says in which line.
    """

    line_ends = _places(text, "\n")
    separators = _places(text, separator)
    if not len(line_ends) or line_ends[-1] != len(text) - 1:
        line_ends = np.append(line_ends, len(text))
    quotes = _places(text, quote) if quote else np.zeros(0, np.int64)
    if len(quotes):
        assert quote
        # Within quotes is what has an odd number of them before it; a doubled one counts as two.
        line_ends = line_ends[np.searchsorted(quotes, line_ends) % 2 == 0]
        _check_quotes(text, content, quotes, line_ends, shown, separator, quote)
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    return Marks(line_ends, separators)


def _places(text: np.ndarray, character: str) -> np.ndarray:

    # A chunk at a time: the comparison is a byte for each of the text.
    return np.concatenate(
        [
            np.flatnonzero(text[start : start + _CHUNK] == ord(character)) + start
            for start in range(0, len(text), _CHUNK)
        ]
    )


def _check_quotes(
    text: np.ndarray,
    content: bytearray,
    quotes: np.ndarray,
    line_ends: np.ndarray,
    shown: str,
    separator: str,
    quote: str,
) -> None:
    """Checks that quotes open where a cell begins and close where it ends."""

    size = len(text)
    before = np.where(quotes[::2] > 0, text[quotes[::2] - 1], ord("\n"))
    after = text[np.minimum(quotes[1::2] + 1, size - 1)]
    after = np.where(quotes[1::2] + 1 < size, after, ord("\n"))
    begins = np.isin(before, [ord(separator), ord("\n"), ord(quote)])
    ends = np.isin(after, [ord(separator), ord("\n"), ord("\r"), ord(quote)])
    wrong = [int(quotes[::2][~begins][0])] if not begins.all() else []
    wrong += [int(quotes[1::2][~ends][0])] if not ends.all() else []
    mend = (
        "Enclose such a cell in quotes and double those within, or write `quote: null` into the "
        "config's source if quotes are part of the text."
    )
    if wrong:
        place = min(wrong)
        near = content[max(place - 20, 0) : place + 20].decode("utf-8", "ignore")
        raise DataError(
            f"{shown}: line {line_of(content, place):,} has a quote where a cell neither begins "
            f"nor ends, near {describe(near)}. {mend}"
        )
    if len(quotes) % 2:
        # Most often the first cell is to blame that runs over many lines.
        raise DataError(
            f"{shown}: line {line_of(content, int(quotes[-1])):,} or one before it opens a quote "
            f"that is never closed. {mend}"
        )
