"""Suggested tabular inputs: the kind of a column of numbers, dates or categories."""

from __future__ import annotations

from mmzoo.data.column_types import FEW_VALUES, MAX_CATEGORIES, ColumnProfile
from mmzoo.modalities.suggestion import Suggestion
from mmzoo.modalities.tabular.cell_parsing import FoundKind
from mmzoo.spec.wording import shorten

_FEW_ROWS = 2_000


def suggest_tabular(column: ColumnProfile) -> Suggestion | None:
    """A tabular input for one column; `init` merges those for all columns."""
    match column.type:
        case "boolean":
            kind: FoundKind = "category"
        case "number":
            kind = "category" if _are_codes(column) else "number"
        case "category" | "date" | "datetime":
            kind = column.type
        case _:
            return None
    units = [32] if column.rows < _FEW_ROWS else [128, 64]
    return Suggestion(
        {
            "type": "tabular",
            "columns": {column.name: kind},
            "encoder": {"type": "mlp", "units": units, "dropout": 0.2},
        },
        {"columns": _reason(column, kind)},
    )


def _are_codes(column: ColumnProfile) -> bool:
    """Whether numbers stand for categories: 0171 is not 171, and 5+ is not a typo among 1 to 4."""
    if column.leading_zeros:
        return column.distinct <= MAX_CATEGORIES
    return column.odd > 0 and column.repeats and column.distinct <= FEW_VALUES


def _reason(column: ColumnProfile, kind: FoundKind) -> str:
    values = f"{column.distinct:,} unique values"
    match kind:
        case "number":
            low, high = column.span
            return f"numbers from {low:g} to {high:g}"
        case "category" if column.leading_zeros:
            return f"codes, as they have leading zeros; {values}"
        case "category" if column.odd:
            return f"{values}; not numbers, because of '{shorten(column.odd_example)}'"
        case "category":
            return values
        case "date" | "datetime":
            return f"such as {shorten(column.example)}"
