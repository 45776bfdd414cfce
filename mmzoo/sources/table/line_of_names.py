"""The first line of a text of cells: the names of its columns."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from mmzoo.errors import DataError
from mmzoo.spec.wording import describe, shorten

_SEPARATORS = {",": "','", ";": "';'", "\t": "'\\t'", "|": "'|'"}
"""What separates the cells of most tables, as YAML writes it in double quotes."""
_LONGEST_LINE = 1 << 16


def names_in(
    line: str, shown: str, separator: str, quote: str | None, chosen: bool
) -> tuple[str, ...]:
    """The names of all columns; a first one without a name is called ''.

    Args:
        line: Without its end.
        shown: The file's name, for errors.
        separator: Between the names.
        quote: What encloses names, if anything does.
        chosen: Whether the separator is one that the config names.

    Raises:
        DataError: It cannot be read, a name is missing or there twice, or another separator is
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
            f"{shown}: the line of names cannot be read ({error}): {describe(line)}."
        ) from None
    names = tuple(cell.strip() for cell in cells)
    if len(names) == 1 and not chosen:
        _check_separator(line, shown, separator)
    _check_names(names, shown, line)
    return names


def check_first_line(content: bytearray, shown: str, separator: str, quote: str | None) -> None:
    """Refuses another separator first: by the right one, quotes may well be where they should.

    Raises:
        DataError: The first line has none of these separators, and others.
    """
    line = content[:_LONGEST_LINE].lstrip().partition(b"\n")[0].decode("utf-8", "replace")
    if separator not in line and (quote is None or quote not in line):
        _check_separator(line, shown, separator)


def _check_separator(line: str, shown: str, separator: str) -> None:
    others = {mark: line.count(mark) for mark in _SEPARATORS if mark != separator}
    mark = max(others, key=lambda one: others[one])
    if others[mark]:
        raise DataError(
            f"{shown}: its cells seem to be separated by {_SEPARATORS[mark]}, not by "
            f"{_SEPARATORS.get(separator, repr(separator))}: the line of names is "
            f'{describe(line)}. Write `separator: "{_SEPARATORS[mark][1:-1]}"` into the config\'s '
            f"source, or the table with {_SEPARATORS.get(separator, repr(separator))}."
        )


def _check_names(names: Sequence[str], shown: str, line: str) -> None:
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        # The first may have none: pandas writes the number of each row there.
        if not name and (place or len(names) == 1):
            raise DataError(
                f"{shown}: column {place + 1} of {len(names)} has no name. The line of names is "
                f"{describe(line)}."
            )
        if name in seen:
            raise DataError(
                f"{shown}: columns {seen[name] + 1} and {place + 1} are both called "
                f"'{shorten(name)}'. Rename one of them."
            )
        seen[name] = place
