"""Terminal output: aligned columns, wrapped paragraphs, escaped control characters."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mmzoo.visualization.drawing import Drawing

_MAX_WIDTH = 100
"""Paragraphs are not wider than this, as long lines are hard to read."""


def escape_control(text: str) -> str:
    r"""The text with non-printable characters as escapes (`\x1b`), except for newlines.

    File and class names are untrusted: a raw escape sequence could control the terminal.
    """
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def quote(path: Path | str) -> str:
    """The path quoted for a shell, so that it can be copied into a command."""
    return shlex.quote(escape_control(str(path)))


def styled(text: str, **style: Any) -> str:
    """The text in a color or in bold, unless NO_COLOR is set. Click removes styles in a pipe."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else click.style(text, **style)


def terminal_width() -> int | None:
    """Width in characters of the terminal that stdout writes to; None if it is not a terminal."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if is_terminal else None


def columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Rows of cells as aligned lines.

    Control characters are escaped and newlines written as `\\n`. Wide characters, such as Chinese
    ones, count as two columns.

    Args:
        rows: cells of each row, as many in every row.
        right: indices of the right-aligned columns.
    """
    from rich.cells import cell_len

    cells = [[escape_control(cell).replace("\n", "\\n") for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]

    def padded(cell: str, index: int) -> str:
        padding = " " * (widths[index] - cell_len(cell))
        return padding + cell if index in right else cell + padding

    return [
        "  ".join(padded(cell, index) for index, cell in enumerate(row)).rstrip() for row in cells
    ]


def definitions(rows: Mapping[str, str], indent: str = "") -> list[str]:
    """A line for each name and its description, wrapped with a hanging indent in a terminal."""
    from rich.cells import cell_len

    lines = columns([(indent + name, text) for name, text in rows.items()])
    width = terminal_width()
    if width is None or not rows:
        return lines
    text_at = 2 + max(cell_len(indent + escape_control(name)) for name in rows)
    below = " " * (text_at if text_at < width / 2 else len(indent) + 4)
    return [textwrap.fill(line, width, subsequent_indent=below) for line in lines]


def wrapped(text: str) -> str:
    """The text wrapped to the terminal's width; indented lines get a hanging indent."""
    width = min(_MAX_WIDTH, terminal_width() or _MAX_WIDTH)
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


def print_drawing(drawing: Drawing, as_json: bool) -> None:
    """Prints a drawing's text and the path of its image, or its facts as JSON.

    In JSON, `picture` is the image's path, or null if there is only text.
    """
    if as_json:
        picture = None if drawing.path is None else str(drawing.path)
        click.echo(json.dumps({"picture": picture, **drawing.facts}))
        return
    click.echo(escape_control(drawing.text))
    if drawing.path is not None:
        click.echo(f"\nImage: {quote(drawing.path)}")
