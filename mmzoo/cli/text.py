"""Text for a terminal: columns in line, paragraphs that fit, names that cannot steer it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

_LONGEST_LINE = 100
"""A paragraph in a wide window is no easier to read for being wider."""


def harmless(text: str) -> str:
    """The text with all that is not printable as escapes; only line feeds stay.

    File and class names come from elsewhere, and a terminal would obey what they hold.
    """
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def shell_word(path: Path | str) -> str:
    """A path as one would type it in a shell."""
    return shlex.quote(harmless(str(path)))


def styled(text: str, **style: Any) -> str:
    """The text in a colour or in bold, unless the user wants none; Click drops it in a pipe."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else click.style(text, **style)


def terminal_width() -> int | None:
    """Columns of the terminal that stdout goes to; None where it goes elsewhere."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if is_terminal else None


def columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Rows of cells as lines, the columns of `right` flush right.

    Cells are made harmless and put on one line; characters that are two columns wide count so.
    """
    from rich.cells import cell_len

    cells = [[harmless(cell).replace("\n", "\\n") for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]

    def padded(cell: str, index: int) -> str:
        padding = " " * (widths[index] - cell_len(cell))
        return padding + cell if index in right else cell + padding

    return [
        "  ".join(padded(cell, index) for index, cell in enumerate(row)).rstrip() for row in cells
    ]


def definitions(rows: Mapping[str, str], indent: str = "") -> list[str]:
    """A line for each name and the text on it; in a terminal, a long text goes on below itself."""
    from rich.cells import cell_len

    lines = columns([(indent + name, text) for name, text in rows.items()])
    width = terminal_width()
    if width is None or not rows:
        return lines
    text_at = 2 + max(cell_len(indent + harmless(name)) for name in rows)
    below = " " * (text_at if text_at < width / 2 else len(indent) + 4)
    return [textwrap.fill(line, width, subsequent_indent=below) for line in lines]


def wrapped(text: str) -> str:
    """The text with long lines broken to fit the terminal; what is set in hangs a little."""
    width = min(_LONGEST_LINE, terminal_width() or _LONGEST_LINE)
    return "\n".join(_wrapped_line(line, width) for line in text.split("\n"))


def _wrapped_line(line: str, width: int) -> str:
    indent = len(line) - len(line.lstrip())
    return textwrap.fill(
        line.strip(),
        max(width, indent + 24),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4 if 0 < indent <= 4 else indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
