"""Wanted: what is asked of a source for each column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Role = Literal["file", "text", "category", "value", "class", "labels", "number"]
"""What a column is for, and so what a source that has only cells makes of them:

- `file`: absolute paths, text `[rows]`; the others' own arrays, such as uint8 pictures, as they are
- `text`: objects `[rows]`, each a str, or None where there is none
- `value`: float64 `[rows]` with NaN, datetime64 with NaT, or objects `[rows]`: a str or None
- `category`: likewise; but what has no types, as cells of a CSV file, stays text as it is written,
  so that no row is read otherwise for the sake of others
- `class`: int64 `[rows]`, with the classes' names
- `labels`: uint8 `[rows, labels]` of zeros and ones, with the labels' names
- `number`: float32 `[rows]`
"""


@dataclass(frozen=True)
class Wanted:
    """A column that is asked of a source."""

    role: Role
    make: Callable[[np.random.RandomState, int], np.ndarray]
    """Makes so many rows of it up."""
    names: tuple[str, ...] | None = None
    """Of a `class` or of `labels`: those that are known already, in order; a row with another one
    is bad. By default they are read off the rows."""


def column_of(name: str, purpose: Literal["input", "target"], known: Mapping[str, str]) -> str:
    """The column for a part that names none: the one called like it, else the first of its purpose.

    Args:
        name: The part's.
        purpose: What it needs a column for.
        known: The columns that there are and what each is for; empty if that is not known.
    """
    if name in known or not known:
        return name
    return next(column for column, its in known.items() if its == purpose)
