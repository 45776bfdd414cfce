"""Tables: several columns of one split as a structured array `[rows]`, with a field for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mmzoo.errors import DataError
from mmzoo.inputs.tabular.cells import FoundKind, Kind, check_column, is_missing
from mmzoo.lazy import np
from mmzoo.spec.wording import shorten


def table_of(columns: Mapping[str, np.ndarray], names: Collection[str]) -> np.ndarray:
    """Some columns as a table.

    Raises:
        DataError: A column has more than one value in a row, or none that a cell can have.
    """

    for name in names:
        check_column(columns[name], name)
    fields = [(name, columns[name].dtype) for name in names]
    table = np.empty(len(columns[fields[0][0]]), fields)
    for name in names:
        table[name] = columns[name]
    return table


def check_opened(table: np.ndarray, kinds: Mapping[str, Kind], where: str) -> None:
    """Raises a DataError unless a table has these columns, opened as their kinds say.

    Args:
        table: As `opened_table` has it.
        kinds: What each column should hold.
        where: Says where it comes from.
    """
    if table.dtype.names != tuple(kinds):
        raise DataError(
            f"{where}: expected the columns {shorten(', '.join(kinds))}, found "
            f"{shorten(', '.join(table.dtype.names or ('no columns',)))}"
        )
    for column, kind in kinds.items():
        dtype = table[column].dtype
        if kind != "auto" and dtype.kind != _dtype_kind(kind):
            raise DataError(
                f"{where}: expected a {kind} in each row of column `{shorten(column)}`, found "
                f"{dtype.name}"
            )


def has_any_value(table: np.ndarray) -> np.ndarray:
    """Which rows of opened columns have a value in any of them: bool `[rows]`."""

    there = np.zeros(len(table), bool)
    for column in table.dtype.names or ():
        there |= ~is_missing(table[column])
    return there


def _dtype_kind(kind: FoundKind) -> str:
    return {"number": "f", "category": "O"}.get(kind, "M")
