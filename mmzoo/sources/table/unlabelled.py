"""Rows without a label, where the other heads are to learn of them all the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mmzoo.sources.table.column import Made
from mmzoo.spec.wording import shorten
from mmzoo.wanted import OF_INPUTS, Wanted


def with_missing_labels(
    made: Mapping[str, Made], wanted: Mapping[str, Wanted]
) -> tuple[dict[str, Made], dict[int, str]]:
    """The columns as they are for rows that may go without a label.

    A class that is missing is -1, a number NaN, and each label of a row that has none said -1.

    Args:
        made: Columns of all rows, in which an empty cell is bad.
        wanted: What each is wanted for.

    Returns:
        The columns; and the rows that have no label in any of them, with a clause on each.
    """
    targets = [column for column, one in wanted.items() if one.role not in OF_INPUTS]
    columns = {
        column: _optional(one) if column in targets and wanted[column].optional else one
        for column, one in made.items()
    }
    if len(targets) > 1:
        for column in targets:
            if not wanted[column].optional:
                columns[column] = _with_hint(columns[column])
    if not targets or not all(wanted[column].optional for column in targets):
        return columns, {}
    empty = frozenset.intersection(*(made[column].empty for column in targets))
    names = " and ".join(f"`{shorten(column)}`" for column in targets)
    return columns, dict.fromkeys(
        sorted(empty), f"its {names} {'is' if len(targets) == 1 else 'are'} empty"
    )


def _optional(made: Made) -> Made:
    rows = sorted(made.empty)
    if not rows:
        return made
    values = made.values.astype("int8") if made.values.ndim == 2 else made.values.copy()
    values[rows] = float("nan") if values.dtype.kind == "f" else -1
    return replace(
        made,
        values=values,
        bad={row: why for row, why in made.bad.items() if row not in made.empty},
    )


def _with_hint(made: Made) -> Made:
    hint = "; `missing: ignore` in its head leaves the row to the other heads"
    return replace(
        made,
        bad={row: f"{why}{hint}" if row in made.empty else why for row, why in made.bad.items()},
    )
