"""A comparison as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mmzoo.cli.terminal_text import columns, escape_control, wrapped

if TYPE_CHECKING:
    from mmzoo.evaluation.comparison import Comparison


def comparison_text(comparison: Comparison) -> str:
    """The heading, a table with findings for each head, warnings and notes."""
    lines = [f"{escape_control(comparison.heading)}:"]
    for head in comparison.heads:
        lines += _head(comparison, head)
    lines += [wrapped(f"    Note: {escape_control(warning)}") for warning in comparison.warnings]
    if comparison.notes:
        lines += ["", *(wrapped(f"  {escape_control(note)}") for note in comparison.notes)]
    return "\n".join(lines)


def _head(comparison: Comparison, head: str) -> Iterator[str]:
    titles, rows = comparison.table(head)
    right = [place for place, title in enumerate(titles) if title not in comparison.text_columns]
    yield from ("", escape_control(f"  {head}: {comparison.info(head).label}"))
    yield from (f"    {line}" for line in columns([titles, *rows], right=right))
    yield ""
    for finding in comparison.findings.get(head, ()):
        yield wrapped(f"    {escape_control(finding)}")
