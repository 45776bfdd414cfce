"""Fitting: what is read off the training values of each column."""

from __future__ import annotations

from mmzoo.inputs.tabular.categories import fit_categories
from mmzoo.inputs.tabular.cells import FoundKind, Kind, kind_of
from mmzoo.inputs.tabular.dates import fit_dates
from mmzoo.inputs.tabular.numbers import Normalize, fit_numbers
from mmzoo.inputs.tabular.statistics import Column
from mmzoo.lazy import np


def fit_column(
    values: np.ndarray, kind: Kind, normalize: Normalize, max_categories: int, min_count: int
) -> Column:
    """What is known of an opened column.

    Args:
        values: Float64, datetime64[s], or objects that are text or None; `[rows]`.
        kind: What it holds; auto dates are those of a day or of a time, as they are.
        normalize: How numbers become small.
        max_categories: How many values of a category are known at most.
        min_count: How often one must be there to be known.
    """
    match values.dtype.kind:
        case "f":
            return fit_numbers(values, normalize)
        case "M":
            found = kind_of(values) if kind == "auto" else kind
            assert found in ("date", "datetime")
            return fit_dates(values, found)
        case _:
            return fit_categories(values, max_categories, min_count)


def fitted_kind(column: Column) -> FoundKind:
    """What a column holds of which this is known."""
    return "number" if column.kind == "ranked number" else column.kind
