"""The section of a report on what the fusion is worth beside each input alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmzoo.evaluation.baseline_tables import BaselineTable, baseline_tables
from mmzoo.evaluation.reports.page import paragraphs_html, table_html


def baselines_html(said: Mapping[str, Any]) -> str:
    """A table and a sentence for each head; nothing where baselines.json says nothing."""
    if not said:
        return ""
    note = (said["note"],) if "note" in said else ()
    return f"""<section>
<h2>Beside each input alone</h2>
{"".join(map(_of_head, baseline_tables(said)))}{paragraphs_html(note)}
</section>
"""


def _of_head(table: BaselineTable) -> str:
    texts = paragraphs_html((*table.notes, table.sentence))
    return f"{table_html(table.titles, table.rows)}{texts}"
