"""Opening: all columns of a table in the forms of their kinds, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from mmzoo.inputs.opened import Opened, Unopened
from mmzoo.inputs.tabular.cells import (
    Cells,
    FoundKind,
    Kind,
    expected,
    is_missing,
    kind_of,
    read_cells,
)
from mmzoo.lazy import np
from mmzoo.spec.wording import shorten

_LIKE_NAMES = 0.9
"""From this share of different values on, a category says which row it is and nothing else."""
_FEW_ROWS = 100
"""With fewer, nothing is said of that."""
_FIRST_ROWS = 1_000


def opened_table(
    table: Unopened, kinds: Mapping[str, Kind], missing: Literal["learned", "error"]
) -> Opened:
    """All columns of all splits as their kinds say, and the rows in which one is something else.

    Args:
        table: Structured `[rows]`, with a field for each column.
        kinds: What each should hold. Training decides what is auto, or else the only split.
        missing: Whether a row with a missing value cannot be used.
    """
    train = table.values.get("train")
    if train is None:
        [train] = table.values.values()
    found = {
        column: kind_of(train[column]) if kind == "auto" else kind for column, kind in kinds.items()
    }
    values, bad = {}, {}
    for split, rows in table.values.items():
        values[split], cells = _opened_columns(rows, found)
        bad[split] = _bad_cells(rows, cells, found, missing, table.known_bad(split))
    notes = _says_nothing(values["train"]) if "train" in values else ()
    return Opened(values, bad, notes=tuple(notes))


def _opened_columns(
    rows: np.ndarray, kinds: Mapping[str, FoundKind]
) -> tuple[np.ndarray, dict[str, Cells]]:
    """All columns of a split as their kinds say.

    Args:
        rows: structured `[rows]`, with a field for each column.
        kinds: What each should hold.

    Returns:
        A structured array with the values of all columns; and the columns each by itself.
    """

    cells = {column: read_cells(rows[column], kind) for column, kind in kinds.items()}
    values = np.empty(len(rows), [(column, one.values.dtype) for column, one in cells.items()])
    for column, one in cells.items():
        values[column] = one.values
    return values, cells


def _bad_cells(
    rows: np.ndarray,
    cells: Mapping[str, Cells],
    kinds: Mapping[str, FoundKind],
    missing: Literal["learned", "error"],
    known: Collection[int],
) -> dict[int, str]:
    """The rows that cannot be used, each with why: the first of its columns that is wrong.

    Args:
        rows: As they were before they were opened.
        cells: Of each column.
        kinds: What each should hold.
        missing: Whether a row with a missing value cannot be used.
        known: Rows of which it is known already.
    """

    bad: dict[int, str] = {}
    for column, one in cells.items():
        for row in np.flatnonzero(one.wrong).tolist():
            bad.setdefault(row, expected(column, rows[column][row], kinds[column]))
        if missing == "error":
            for row in np.flatnonzero(one.missing).tolist():
                bad.setdefault(row, f"its `{shorten(column)}` is empty")
    for row in known:
        bad.pop(row, None)
    return bad


def _says_nothing(train: np.ndarray) -> Iterator[str]:
    """Sentences on columns of which nothing can be learnt, without a stop.

    Args:
        train: The opened columns of the training rows.
    """
    for column in train.dtype.names or ():
        values = train[column]
        there = values[~is_missing(values)]
        if not len(there):
            yield f"column `{shorten(column)}` has no value in any training row: leave it out"
        elif (there == there[0]).all() and len(there) == len(values):
            yield (
                f"column `{shorten(column)}` has the same value in all training rows, so nothing "
                "is learnt of it: leave it out"
            )
        elif values.dtype.kind == "O" and len(there) >= _FEW_ROWS:
            first = there[:_FIRST_ROWS].tolist()  # As long as they repeat, so do all.
            repeats = len(set(first)) <= _LIKE_NAMES * len(first)
            different = 0 if repeats else len(set(there.tolist()))
            if different > _LIKE_NAMES * len(there):
                yield (
                    f"column `{shorten(column)}` has {different:,} different values in "
                    f"{len(there):,} training rows, so nothing can be learnt of them: leave it out"
                )
