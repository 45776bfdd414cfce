"""CSV header: the column names in the first line, parsed without numpy or polars."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from mmzoo.errors import DataError
from mmzoo.spec.wording import describe, shorten

_SEPARATORS = {",": "','", ";": "';'", "\t": "'\\t'", "|": "'|'"}
"""The usual separators, each as YAML writes it within double quotes."""
_LONGEST_LINE = 1 << 16


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
        # The first may be missing: pandas writes the row numbers there.
        if not name and (index or len(names) == 1):
            raise DataError(
                f"{shown}: column {index + 1} of {len(names)} has no name. The header is "
                f"{describe(line)}."
            )
        if name in seen:
            raise DataError(
                f"{shown}: columns {seen[name] + 1} and {index + 1} are both called "
                f"'{shorten(name)}'. Rename one of them."
            )
        seen[name] = index
