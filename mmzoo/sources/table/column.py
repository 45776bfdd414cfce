"""Made: a column as what it is wanted for, and the rows of which nothing can be made."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmzoo.lazy import np, pl


@dataclass(frozen=True)
class Made:
    """A column of a table."""

    values: np.ndarray
    """`[rows]` or `[rows, labels]`, of all rows; something harmless stands in bad ones."""
    bad: dict[int, str] = field(default_factory=dict)
    """Rows, counted from 0, and a clause on each: "its `price` is 'abc', expected a number"."""
    names: tuple[str, ...] | None = None
    """Of classes or labels."""
    notes: tuple[str, ...] = ()
    """Clauses that the user should see."""
    empty: frozenset[int] = frozenset()
    """Of what is to be predicted: the rows without it, which are bad unless they may be."""


def empty_cells(column: pl.Series, name: str) -> dict[int, str]:
    """The rows whose cells are empty, and a clause on each."""
    return dict.fromkeys(rows_of(column.is_null()), f"its `{name}` is empty")


def rows_of(mask: pl.Series) -> list[int]:
    """The rows where a mask of booleans is true."""
    return mask.arg_true().to_list()
