"""A fusion beside its inputs alone, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.cli.text import columns, harmless, wrapped

if TYPE_CHECKING:
    from mmzoo.evaluation.baseline_tables import BaselineTable
    from mmzoo.training.baselines import Baselines


def baselines_text(baselines: Baselines) -> str:
    """A table for each head, whether the fusion was worth it to that, and what that is of."""
    from mmzoo.evaluation.baseline_tables import baseline_tables

    lines = ["Beside each input alone, trained in the same way:"]
    for table in baseline_tables(baselines.as_dict()):
        lines += ["", *_lines(table), ""]
        lines += [wrapped(harmless(f"  {text}")) for text in (*table.notes, table.sentence)]
    return "\n".join([*lines, "", wrapped(f"  {baselines.note}")])


def _lines(table: BaselineTable) -> list[str]:
    rows = [(f"  {first}", *others) for first, *others in (table.titles, *table.rows)]
    return columns(rows, right=(1, 2, 3))
